"""Every metric that landlord exports. Labels are bounded: no metric is labelled by tenant."""

from collections.abc import Iterable
from itertools import product

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)

from landlord import __version__

LEADER = CollectorRegistry()
"""What only the replica that acts can know. A replica that stands by does not export it: there is no value
that would be true."""
WORKER = CollectorRegistry()
"""What the worker exports. The operator exports everything: with the local engine it runs steps, too."""

LATENCY_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)

# They would put a gauge beside each counter and histogram that no rule needs.
disable_created_metrics()  # type: ignore[no-untyped-call]


def export_as_leader() -> None:
    """Export what LEADER holds from now on. There is no way back: who loses the lead ends."""
    REGISTRY.register(LEADER)


def _from_zero(counter: Counter, *values: Iterable[str]) -> None:
    """Have a 0 for every combination of label values, or no rule could see the first event as an increase."""
    for labels in product(*values):
        counter.labels(*labels)


build_info = Gauge("landlord_build_info", "1; the running version is in label version.", ["version"])
build_info.labels(__version__).set(1)

# Registration
registration_up = Gauge(
    "landlord_registration_up",
    "1 while the workflow was last seen registered as this worker has it, else 0. Leader only.",
    registry=LEADER,
)
registration_state = Gauge(
    "landlord_registration_state",
    "1; label reason is the reason of the condition WorkflowRegistered at present. Leader only.",
    ["reason"],
    registry=LEADER,
)
registration_checks = Counter(
    "landlord_registration_checks_total",
    "Times that the registration was looked at, by what made landlord look: interval, restate or worker "
    "(its connection ended or came back), ingress (a call went wrong) or pods (a pod or EndpointSlice of "
    "Restate changed).",
    ["trigger"],
)
_from_zero(registration_checks, ("interval", "restate", "worker", "ingress", "pods"))
registration_attempts = Counter(
    "landlord_registration_attempts_total",
    "Registrations sent to the engine, by outcome: verified, unverified, rejected, worker_unreachable "
    "or engine_unreachable.",
    ["outcome"],
)
_from_zero(
    registration_attempts,
    ("verified", "unverified", "rejected", "worker_unreachable", "engine_unreachable"),
)
registration_lost = Counter(
    "landlord_registration_lost_total",
    "Registrations found lost after they had been verified, by cause: store_lost, deployment_deleted "
    "or superseded.",
    ["cause"],
)
_from_zero(registration_lost, ("store_lost", "deployment_deleted", "superseded"))
registration_repair_seconds = Histogram(
    "landlord_registration_repair_seconds",
    "Seconds from noticing that the registration was lost to having verified it again, but for losses that "
    "landlord leaves to a person.",
    buckets=LATENCY_BUCKETS,
)
registration_last_verified = Gauge(
    "landlord_registration_last_verified_timestamp_seconds",
    "Unix time at which the engine last confirmed the registration, 0 before it did. Leader only.",
    registry=LEADER,
)
engine_reachable = Gauge(
    "landlord_engine_reachable",
    "1 while the workflow engine answers where it is administered and where it takes work, else 0. "
    "Leader only.",
    registry=LEADER,
)

# The control loop
tenants = Gauge(
    "landlord_tenants",
    "Tenants, by phase and provider (empty until one is chosen). Leader only.",
    ["phase", "provider"],
    registry=LEADER,
)
tenants_unready_since = Gauge(
    "landlord_tenants_unready_since_timestamp_seconds",
    "Unix time since which one of the Tenants in this phase, the one for the longest, is not Ready. "
    "Leader only.",
    ["phase"],
    registry=LEADER,
)
mass_deletion_held = Gauge(
    "landlord_mass_deletion_held",
    "Deleted Tenants that run on because so many were deleted at once, until a person releases them. "
    "Leader only.",
    registry=LEADER,
)
reconcile_total = Counter(
    "landlord_reconcile_total",
    "Reconciliations, by result: ok, conflict (a newer object is on its way) or error.",
    ["result"],
)
_from_zero(reconcile_total, ("ok", "conflict", "error"))
reconcile_seconds = Histogram(
    "landlord_reconcile_seconds", "Seconds that one reconciliation took.", buckets=LATENCY_BUCKETS
)
queue_depth = Gauge(
    "landlord_queue_depth", "Tenants that wait to be reconciled now. Leader only.", registry=LEADER
)
time_to_ready_seconds = Histogram(
    "landlord_time_to_ready_seconds",
    "Seconds from this operator's first sight of a new generation to Ready, by operation (create, update) "
    "and provider.",
    ["operation", "provider"],
    buckets=LATENCY_BUCKETS,
)
workflow_total = Counter(
    "landlord_workflow_total",
    "Ended workflow invocations that this operator waited for, by operation (apply, delete) and outcome "
    "(succeeded, failed, superseded).",
    ["operation", "outcome"],
)
_from_zero(workflow_total, ("apply", "suspend", "archive", "delete"), ("succeeded", "failed", "superseded"))
workflows_in_flight = Gauge(
    "landlord_workflows_in_flight", "Workflow invocations that this operator waits for now."
)
kubernetes_writes = Counter(
    "landlord_kubernetes_writes_total",
    "Writes to the API server, by resource, verb and result (200 if done, else the HTTP status, error "
    "without an answer, or dropped: an Event for which there was no room).",
    ["resource", "verb", "result"],
)
surveys = Counter(
    "landlord_surveys_total",
    "Surveys of all tenants on a backend, by provider and outcome (ok, failed).",
    ["provider", "outcome"],
)
survey_seconds = Histogram(
    "landlord_survey_seconds",
    "Seconds that a survey took that did not fail, by provider.",
    ["provider"],
    buckets=LATENCY_BUCKETS,
)
last_survey = Gauge(
    "landlord_last_survey_timestamp_seconds",
    "Unix time of the last survey that did not fail, or of the first one while all have, by provider. "
    "Leader only.",
    ["provider"],
    registry=LEADER,
)
drift = Counter(
    "landlord_drift_total",
    "Tenants that were found to be not as they were made, by what was done: repair (the work again) or "
    "report (nothing).",
    ["action"],
)
_from_zero(drift, ("repair", "report"))
leader = Gauge("landlord_leader", "1 while this replica acts, 0 while it stands by.")

# The worker
step_seconds = Histogram(
    "landlord_step_seconds",
    "Seconds that one try of a step took, by backend and step.",
    ["backend", "step"],
    buckets=LATENCY_BUCKETS,
)
step_failures = Counter(
    "landlord_step_failures_total",
    "Tries of a step that failed, by backend, step and kind (terminal, retryable).",
    ["backend", "step", "kind"],
)
unlisted_secrets = Gauge(
    "landlord_secrets_unlisted_namespaces",
    "Namespaces whose Secrets could not be listed at the last survey, so that their changes go unnoticed, by "
    "backend.",
    ["backend"],
)
for _collector in (
    PROCESS_COLLECTOR,
    PLATFORM_COLLECTOR,
    GC_COLLECTOR,
    build_info,
    step_seconds,
    step_failures,
    unlisted_secrets,
):
    WORKER.register(_collector)
