"""The listener, and the HTTP/1.1 that it speaks, within bounds."""
