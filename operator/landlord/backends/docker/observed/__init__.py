"""What the engine says of tenants, read. No I/O."""
