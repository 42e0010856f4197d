"""What `reloadcheck doctor` looks at, a file for each; each gives findings and changes nothing."""
