"""Who runs workflows: the contract of an engine, and the engines."""
