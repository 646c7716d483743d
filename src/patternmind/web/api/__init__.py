"""REST API: one module per resource, with its routes and schemas."""
