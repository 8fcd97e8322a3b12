"""Reads what the API server reports of tenants' objects. No I/O."""
