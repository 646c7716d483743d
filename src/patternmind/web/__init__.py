"""The service: the API, a page that says what this is, the server. HTTP is spoken here and nowhere else."""
