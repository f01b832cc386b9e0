"""Sources of images, their preparation, and the prepared sets that training and evaluation read."""
