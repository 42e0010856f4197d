"""The command line's commands, called as a shell calls them."""
