"""A page in the browser to play with the trained models of an experiment: `python -m fvae explore`.

`catalogue` knows the models and the images. `samples`, `interpolation`, `reconstruction`, `directions` and `film` are
what the tabs of the page show, one module each. `server` answers the page, whose files lie in `static`.
"""
