"""Where tenants run: the contract of a backend, and the backends."""
