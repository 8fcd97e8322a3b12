"""The cluster of the Tenants: the API server's client, and what is read there for any backend."""
