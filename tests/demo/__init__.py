"""The demo, as its users run it and in its parts."""
