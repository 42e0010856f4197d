"""What the doors share, and one inside another."""
