"""The metrics of a trained model, one module each.

`measure(experiment_name, experiment, run)` of a module reads what the metric needs (images, weights, samples) and
returns its numbers as they are written to JSON, each with the number of images that it is measured on. The arithmetic
is in the modules beside this package.
"""
