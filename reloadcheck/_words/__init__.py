"""The words of `reloadcheck.types`, by subject; everybody imports them from there."""
