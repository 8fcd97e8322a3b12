"""Reports beyond a Tenant's own reconciliation: Events, and updates of many Tenants at a limited pace."""
