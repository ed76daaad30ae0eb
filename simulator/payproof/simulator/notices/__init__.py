"""The notices of a gateway: when they are due, how they are sent, repeated and forged."""
