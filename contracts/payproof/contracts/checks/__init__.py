"""One module for each group of requirements; one decorated function for each requirement."""
