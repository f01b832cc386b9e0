"""The family of equation (6): each model is a posterior F_x(u) and a decoder q(x|z)."""
