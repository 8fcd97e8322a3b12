"""Reads what the engine reports of tenants. No I/O."""
