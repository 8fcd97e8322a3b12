"""landlord provisions the tenants of SaaS platforms."""

__version__ = "0.1.0"
