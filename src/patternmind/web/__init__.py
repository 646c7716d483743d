"""Web layer: REST API, pages and server."""
