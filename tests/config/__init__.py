"""What a configuration is: frozen, compared, digested, hidden."""
