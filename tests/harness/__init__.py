"""Real processes for tests: databases, the service with its neighbours, a browser."""
