"""Tells of it: Events, and the registration on settled Tenants."""
