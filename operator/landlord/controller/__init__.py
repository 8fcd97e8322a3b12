"""The control loop: watch, decide, act, tell."""
