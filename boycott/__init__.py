"""What the union's position is, and what practices and GPs answer to it."""
