"""Orders as pages, decisions and credit read them."""
