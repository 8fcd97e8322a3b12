"""Decides what to do and what to report, from what is known. No I/O."""
