"""The local environment: real parts on one machine, for people and tests."""
