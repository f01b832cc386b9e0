"""VAE, Glow and f-VAE: each is a posterior F_x(u) and a decoder q(x|z) put into equation (6)."""
