"""Keeps what is known up to date: Tenants, running tenants, deletions, Restate's pods."""
