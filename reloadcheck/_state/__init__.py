"""What is remembered and wanted: the board's records, orders, rounds, history; and their thread."""
