"""What one run shares, and a world: one target, one instance of the integration, one journal."""
