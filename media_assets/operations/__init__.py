"""What can be done to media: one module per family, one registry."""
