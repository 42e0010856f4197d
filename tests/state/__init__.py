"""What is remembered and wanted, and what one worker does next."""
