"""How a tree becomes the type that the application asks for."""
