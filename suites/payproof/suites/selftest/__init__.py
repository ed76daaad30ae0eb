"""The careful and the careless example on the user's machine."""
