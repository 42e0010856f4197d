"""Real servers: an edit reaches each of their workers, and they end as they do without us."""
