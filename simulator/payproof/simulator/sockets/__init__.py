"""Ports, connections and TLS: what the system knows of them, and what is noted."""
