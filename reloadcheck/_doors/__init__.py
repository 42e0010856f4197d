"""What the ASGI and the WSGI door share."""
