"""Drift: contract, simulator and gateway, asked the same, compared three ways."""
