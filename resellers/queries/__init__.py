"""What pages show of parties and terms: frozen rows, one query a list."""
