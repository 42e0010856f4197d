"""What a configuration is: frozen containers, key paths, digests, differences, what is hidden."""
