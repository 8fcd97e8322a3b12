"""Measurements of landlord on real parts, each beside its floor from the same run on the same machine."""
