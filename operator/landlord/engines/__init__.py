"""Workflow engines: their contract, and the engines themselves."""
