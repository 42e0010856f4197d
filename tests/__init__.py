"""The tests, in rooms named after those of the package; `support` is the rig that all share."""
