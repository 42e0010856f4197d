"""An application with a model, an admin, and a query that comes too early."""
