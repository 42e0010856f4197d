"""A small site whose greeting, database and HTTP client follow `config.yaml`."""
