"""From sources to a configuration: what is odd, and what keys may be."""
