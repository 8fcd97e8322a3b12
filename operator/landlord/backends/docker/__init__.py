"""The backend that runs tenants on a Docker engine."""
