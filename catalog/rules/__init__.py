"""What the catalogue may hold and which price applies: pure."""
