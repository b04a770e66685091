"""Reading the catalogue: statements for lists, and prices in force."""
