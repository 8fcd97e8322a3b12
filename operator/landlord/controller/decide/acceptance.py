"""Whether a Tenant can be accepted as it is. Pure."""

from landlord.api.tenant import Tenant
from landlord.controller.decide.facts import Facts


def provider(tenant: Tenant, facts: Facts) -> str:
    """The backend that runs the tenant: what was chosen once stays for its life."""
    asked = tenant.spec.compute.provider if tenant.spec else None
    return tenant.status.provider or asked or facts.default_provider


def lacks_backend(tenant: Tenant, facts: Facts) -> bool:
    """Whether the worker is known to have no such backend as the Tenant needs."""
    known = facts.registration.backends
    return known is not None and provider(tenant, facts) not in known


def refusal(tenant: Tenant, facts: Facts) -> tuple[str, str] | None:
    """Why the Tenant can't be accepted, as (reason, message)."""
    if tenant.spec is None:
        return "InvalidSpec", f"Correct the spec: {tenant.spec_error}"
    if facts.owner is not None:
        return "IdentityConflict", (
            f"tenantID {tenant.tenant_id} belongs to the older Tenant {facts.owner}: "
            "delete one of them, or create this one again with another tenantID"
        )
    if lacks_backend(tenant, facts):
        return "UnknownBackend", (
            f"The worker has no backend {provider(tenant, facts)}, "
            f"only {', '.join(sorted(facts.registration.backends or ())) or 'none'}: "
            "set spec.compute.provider in a new Tenant, or enable the backend with LANDLORD_BACKENDS"
        )
    return None
