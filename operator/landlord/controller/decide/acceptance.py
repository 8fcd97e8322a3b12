"""Whether landlord can accept a Tenant as it is."""

from landlord.controller.decide.facts import Case
from landlord.controller.decide.situation import NotAccepted


def choose_provider(case: Case) -> str:
    """Choose the backend that runs the tenant: the first choice stays for the tenant's life."""
    spec = case.tenant.spec
    requested = spec.compute.provider if spec else None
    return case.tenant.status.provider or requested or case.facts.default_provider


def is_backend_missing(case: Case) -> bool:
    """Whether the worker is known to lack the backend that the Tenant needs."""
    known = case.facts.registration.backends
    return known is not None and choose_provider(case) not in known


def find_refusal(case: Case) -> NotAccepted | None:
    """Find out why landlord can't accept the Tenant."""
    tenant, facts = case.tenant, case.facts
    if tenant.spec is None:
        return NotAccepted("InvalidSpec", f"The spec is invalid: {tenant.spec_error}. Correct it")
    if facts.owner is not None:
        return NotAccepted(
            "IdentityConflict",
            f"tenantID {tenant.tenant_id} belongs to the older Tenant {facts.owner}. "
            "Delete one of the two, or create this one again with another tenantID",
        )
    if is_backend_missing(case):
        return NotAccepted(
            "UnknownBackend",
            f"The worker lacks the backend {choose_provider(case)}; it has "
            f"{', '.join(sorted(facts.registration.backends or ())) or 'none'}. "
            "Create a new Tenant with another spec.compute.provider, or enable the backend with "
            "LANDLORD_BACKENDS",
        )
    return None
