"""Builds what landlord asks the engine for. No I/O."""
