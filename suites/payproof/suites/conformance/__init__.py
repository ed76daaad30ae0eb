"""Servers held to their contract, and to each other: drift and the contract suite."""
