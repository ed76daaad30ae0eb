"""The control application: what a test or a person can do to the gateway, over HTTP."""
