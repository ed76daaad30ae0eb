"""A run: what is performed where, what is judged, what is left out."""
