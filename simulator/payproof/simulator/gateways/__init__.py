"""One dialect for each gateway: how it speaks on the wire."""
