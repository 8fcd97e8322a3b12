"""Observes Tenants, running tenants, deletions and Restate's pods, and keeps what is known current."""
