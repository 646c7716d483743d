"""Vector indexes for search by meaning."""
