"""Measures landlord on real parts, each figure beside the floor that the same run has on the same machine."""
