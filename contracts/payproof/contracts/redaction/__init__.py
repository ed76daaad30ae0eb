"""Secrets: canaries, where they may stand, how a text may hold them, and the redactor that keeps them out of everything."""
