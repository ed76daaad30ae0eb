"""One folder for each gateway."""
