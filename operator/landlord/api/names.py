"""Every name that landlord puts into Kubernetes or on a backend, in one place."""

GROUP = "landlord.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "Tenant"
PLURAL = "tenants"
SHORT_NAME = "ltn"
CATEGORY = "landlord"
CRD_NAME = f"{PLURAL}.{GROUP}"

FIELD_MANAGER = "landlord"
FIELD_MANAGER_OF_TENANTS = "landlord-backend"
"""Owns the fields that landlord sets in what it makes for tenants on Kubernetes."""
FINALIZER = f"{GROUP}/deprovision"
REVISION = f"{GROUP}/revision"
"""What the worker tells Restate of itself, as metadata of the workflow's service."""
LEASE = "landlord-operator"

WORKFLOW_SERVICE = "TenantProvisioning"
SURVEY_SERVICE = "TenantSurvey"

MAX_TENANT_ID = 40
"""Characters of a tenantID: derived names such as `landlord-<id>-<volume>` must stay within 63-128."""

LABEL_TENANT = f"{GROUP}/tenant-id"
LABEL_MANAGED_BY = f"{GROUP}/managed-by"
LABEL_SPEC_HASH = f"{GROUP}/spec-hash"
LABEL_HOST_CONFIG = f"{GROUP}/host-config"
"""On a container, as JSON: what was set of it that the engine lets anybody change while it runs."""
LABEL_HOST_PORTS = f"{GROUP}/host-ports"
"""On a container: the host's ports that it was given, comma-separated; its own while it is stopped, too."""
LABEL_PROBE = f"{GROUP}/probe"
"""On a container, as JSON: the probe that says whether it serves."""
LABEL_POD_HASH = f"{GROUP}/pod-hash"
LABEL_STATE = f"{GROUP}/state"
"""The state that a tenant was brought into last."""
LABEL_GENERATION = f"{GROUP}/generation"
"""The metadata.generation that landlord's last apply led to; with another, somebody changed the object."""
ANNOTATION_MADE = f"{GROUP}/made"
"""On a tenant's namespace: the kinds of which there is an object in it."""
ANNOTATION_SECRETS = f"{GROUP}/secrets"
"""On what runs: the versions of the Secrets that it was made from: {"namespace/name": "uid/version"}."""
ANNOTATION_SECRETS_VERSION = f"{GROUP}/secrets-version"
"""On the copy of what a tenant's variables refer to, and its pods: another one whenever a value changes."""
ANNOTATION_RELEASED = f"{GROUP}/deletions-released-until"
"""On the CRD: a person means all deletions of Tenants up to that time."""
ANNOTATION_ORIGIN = f"{GROUP}/origin"
"""On a tenant's namespace: whether landlord made it or took it over, and a digest of its name, so that it
says nothing on a copy of another name."""
ANNOTATION_POD_SECURITY = f"{GROUP}/pod-security-before"
"""On a namespace that was taken over: its Pod Security labels of before, as JSON."""
MANAGED_BY = "landlord"


def labels(tenant_id: str) -> dict[str, str]:
    """The ownership labels of everything that belongs to one tenant."""
    return {LABEL_TENANT: tenant_id, LABEL_MANAGED_BY: MANAGED_BY}
