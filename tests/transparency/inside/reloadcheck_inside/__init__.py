"""What runs inside a framework's own test run; it imports nothing of the tests around it."""
