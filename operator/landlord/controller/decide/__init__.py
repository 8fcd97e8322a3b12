"""What to do and what to say, from what is known. No I/O."""
