"""The local environment: landlord and everything it needs, on one machine, for users and tests."""
