"""All metrics of landlord. Labels are bounded: no metric has a label by tenant."""

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
"""Metrics that only the leader can know. A standby does not export them, because no value would be true."""
WORKER = CollectorRegistry()
"""Metrics that the worker exports. The operator exports all, because it runs steps with the local engine."""

LATENCY_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)

# They would add a gauge to each counter and histogram that no rule needs.
disable_created_metrics()  # type: ignore[no-untyped-call]


def export_as_leader() -> None:
    """Export the metrics of LEADER from now on. This is final: a replica that loses the lead exits."""
    REGISTRY.register(LEADER)


def _from_zero(counter: Counter, *values: Iterable[str]) -> None:
    """Export a 0 for every combination of label values, so a rule sees the first event as an increase."""
    for labels in product(*values):
        counter.labels(*labels)


build_info = Gauge("landlord_build_info", "Always 1. The label version is the running version.", ["version"])
build_info.labels(__version__).set(1)

# Registration
registration_up = Gauge(
    "landlord_registration_up",
    "1 while the workflow is registered with this worker at its current revision, else 0. Leader only.",
    registry=LEADER,
)
registration_state = Gauge(
    "landlord_registration_state",
    "Always 1. The label reason is the current reason of the condition WorkflowRegistered. Leader only.",
    ["reason"],
    registry=LEADER,
)
registration_checks = Counter(
    "landlord_registration_checks_total",
    "Number of checks of the registration, by trigger: interval, restate or worker (its connection ended or "
    "came back), ingress (a call failed) or pods (a pod or EndpointSlice of Restate changed).",
    ["trigger"],
)
_from_zero(registration_checks, ("interval", "restate", "worker", "ingress", "pods"))
registration_attempts = Counter(
    "landlord_registration_attempts_total",
    "Number of registrations sent to the engine, by outcome: verified, unverified, rejected, "
    "worker_unreachable or engine_unreachable.",
    ["outcome"],
)
_from_zero(
    registration_attempts,
    ("verified", "unverified", "rejected", "worker_unreachable", "engine_unreachable"),
)
registration_lost = Counter(
    "landlord_registration_lost_total",
    "Number of times that a verified registration was lost, by cause: store_lost, deployment_deleted "
    "or superseded.",
    ["cause"],
)
_from_zero(registration_lost, ("store_lost", "deployment_deleted", "superseded"))
registration_repair_seconds = Histogram(
    "landlord_registration_repair_seconds",
    "Seconds from noticing the loss of the registration to verifying it again, except for losses that "
    "landlord leaves to a person.",
    buckets=LATENCY_BUCKETS,
)
registration_last_verified = Gauge(
    "landlord_registration_last_verified_timestamp_seconds",
    "Unix time at which landlord last verified the registration, 0 before the first time. Leader only.",
    registry=LEADER,
)
engine_reachable = Gauge(
    "landlord_engine_reachable",
    "1 while the workflow engine's admin API and ingress both answer and it records requests, else 0. Leader "
    "only.",
    registry=LEADER,
)

# The control loop
tenants = Gauge(
    "landlord_tenants",
    "Number of Tenants, by phase and provider (empty until one is chosen). Leader only.",
    ["phase", "provider"],
    registry=LEADER,
)
tenants_unready_since = Gauge(
    "landlord_tenants_unready_since_timestamp_seconds",
    "Unix time since which the longest unready Tenant in this phase has not been Ready. Leader only.",
    ["phase"],
    registry=LEADER,
)
watch_last_seen = Gauge(
    "landlord_watch_last_seen_timestamp_seconds",
    "Unix time at which the API server last sent something over the watch on Tenants, which it does at least "
    "once a minute; of the most silent watch if there are several.",
)
mass_deletion_held = Gauge(
    "landlord_mass_deletion_held",
    "Number of deleted Tenants that landlord keeps running, because too many were deleted at once, until a "
    "person releases them. Leader only.",
    registry=LEADER,
)
reconcile_total = Counter(
    "landlord_reconcile_total",
    "Number of reconciliations, by result: ok, conflict (a newer version of the object follows) or error.",
    ["result"],
)
_from_zero(reconcile_total, ("ok", "conflict", "error"))
reconcile_seconds = Histogram(
    "landlord_reconcile_seconds", "Duration of a reconciliation in seconds.", buckets=LATENCY_BUCKETS
)
queue_depth = Gauge(
    "landlord_queue_depth", "Number of Tenants that wait to be reconciled. Leader only.", registry=LEADER
)
time_to_ready_seconds = Histogram(
    "landlord_time_to_ready_seconds",
    "Seconds from the first time that this operator observed a new generation to Ready, by operation "
    "(create, update) and provider.",
    ["operation", "provider"],
    buckets=LATENCY_BUCKETS,
)
workflow_total = Counter(
    "landlord_workflow_total",
    "Number of finished workflow invocations that this operator waited for, by operation (apply, suspend, "
    "archive, delete) and outcome (succeeded, failed, superseded).",
    ["operation", "outcome"],
)
_from_zero(workflow_total, ("apply", "suspend", "archive", "delete"), ("succeeded", "failed", "superseded"))
workflows_in_flight = Gauge(
    "landlord_workflows_in_flight", "Number of workflow invocations that this operator waits for."
)
kubernetes_writes = Counter(
    "landlord_kubernetes_writes_total",
    "Number of writes to the API server, by resource, verb and result: 200 for success, otherwise the HTTP "
    "status, error without an answer, or dropped for an Event when the queue was full.",
    ["resource", "verb", "result"],
)
surveys = Counter(
    "landlord_surveys_total",
    "Number of surveys of all tenants on a backend, by provider and outcome (ok, failed).",
    ["provider", "outcome"],
)
survey_seconds = Histogram(
    "landlord_survey_seconds",
    "Duration of a successful survey in seconds, by provider.",
    ["provider"],
    buckets=LATENCY_BUCKETS,
)
last_survey = Gauge(
    "landlord_last_survey_timestamp_seconds",
    "Unix time of the last successful survey, or of the first survey while all have failed, by provider. "
    "Leader only.",
    ["provider"],
    registry=LEADER,
)
drift = Counter(
    "landlord_drift_total",
    "Number of times that a tenant differed from what landlord applied, by action: repair or report.",
    ["action"],
)
_from_zero(drift, ("repair", "report"))
leader = Gauge("landlord_leader", "1 while this replica is the leader, 0 while it is a standby.")

# The worker
step_seconds = Histogram(
    "landlord_step_seconds",
    "Duration of one try of a step in seconds, by backend and step.",
    ["backend", "step"],
    buckets=LATENCY_BUCKETS,
)
step_failures = Counter(
    "landlord_step_failures_total",
    "Number of failed tries of a step, by backend, step and kind (terminal, retryable).",
    ["backend", "step", "kind"],
)
unlisted_secrets = Gauge(
    "landlord_secrets_unlisted_namespaces",
    "Number of namespaces whose Secrets the last survey could not list, so landlord does not notice their "
    "changes, by backend.",
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
