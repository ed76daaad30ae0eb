"""What drives an integration: configuration, launcher, customer, probes, runner, command line, pytest plugin."""
