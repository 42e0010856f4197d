"""From the sources' bytes to a validated, frozen configuration."""
