"""Builds the objects that landlord applies. No I/O."""
