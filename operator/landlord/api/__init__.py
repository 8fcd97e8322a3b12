"""The API contract: Tenant, its conditions, its CRD, and every name."""
