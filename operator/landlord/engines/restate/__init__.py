"""Restate as the workflow engine."""
