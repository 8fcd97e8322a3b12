"""Carries out what was decided, for one Tenant at a time."""
