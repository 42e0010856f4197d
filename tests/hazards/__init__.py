"""What a careless writer, a strange file system and a malicious file do to a running engine."""
