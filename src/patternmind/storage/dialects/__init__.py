"""SQL of single database systems."""
