"""What the API server says of tenants' objects, read. No I/O."""
