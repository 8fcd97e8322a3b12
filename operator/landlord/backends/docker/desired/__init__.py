"""What the engine is asked for. No I/O."""
