"""What is declared is true: the public face, the imports, the package, README and docs."""
