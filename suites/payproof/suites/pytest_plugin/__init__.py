"""payproof as a pytest plugin: requirements and contract as tests, fixtures."""
