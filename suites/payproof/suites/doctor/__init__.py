"""What this machine has for a run, and what stands in its way."""
