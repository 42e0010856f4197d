"""The boards that processes share, on real files and real servers."""
