"""Every metric that landlord exports. Labels are bounded: no metric is labelled by tenant."""

from prometheus_client import Counter, Gauge, Histogram

from landlord import __version__

LATENCY_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)

build_info = Gauge("landlord_build_info", "1; the running version is in label version.", ["version"])
build_info.labels(__version__).set(1)

# Registration
registration_up = Gauge(
    "landlord_registration_up", "1 while the workflow was last seen registered as this worker has it, else 0."
)
registration_checks = Counter(
    "landlord_registration_checks_total",
    "Times that the registration was looked at, by what made landlord look: interval, restate or worker "
    "(its connection ended or came back), ingress (a call went wrong) or pods (a pod or EndpointSlice of "
    "Restate changed).",
    ["trigger"],
)
registration_attempts = Counter(
    "landlord_registration_attempts_total",
    "Registrations sent to the engine, by outcome: verified, unverified, rejected, worker_unreachable "
    "or engine_unreachable.",
    ["outcome"],
)
registration_lost = Counter(
    "landlord_registration_lost_total",
    "Registrations found lost after they had been verified, by cause: store_lost, deployment_deleted "
    "or superseded.",
    ["cause"],
)
registration_repair_seconds = Histogram(
    "landlord_registration_repair_seconds",
    "Seconds from noticing that the registration was lost to having verified it again.",
    buckets=LATENCY_BUCKETS,
)
registration_last_verified = Gauge(
    "landlord_registration_last_verified_timestamp_seconds",
    "Unix time at which the engine last confirmed the registration.",
)
engine_reachable = Gauge("landlord_engine_reachable", "1 while the workflow engine answers, else 0.")

# The control loop
tenants = Gauge(
    "landlord_tenants", "Tenants that this operator watches, by phase and provider.", ["phase", "provider"]
)
reconcile_total = Counter(
    "landlord_reconcile_total",
    "Reconciliations, by result: ok, conflict (a newer object is on its way) or error.",
    ["result"],
)
reconcile_seconds = Histogram(
    "landlord_reconcile_seconds", "Seconds that one reconciliation took.", buckets=LATENCY_BUCKETS
)
queue_depth = Gauge("landlord_queue_depth", "Tenants that wait to be reconciled now.")
time_to_ready_seconds = Histogram(
    "landlord_time_to_ready_seconds",
    "Seconds from the first sight of a new generation to Ready, by operation (create, update) and provider.",
    ["operation", "provider"],
    buckets=LATENCY_BUCKETS,
)
workflow_total = Counter(
    "landlord_workflow_total",
    "Workflow invocations that ended, by operation (apply, delete) and outcome.",
    ["operation", "outcome"],
)
workflows_in_flight = Gauge(
    "landlord_workflows_in_flight", "Workflow invocations that this operator waits for now."
)
kubernetes_writes = Counter(
    "landlord_kubernetes_writes_total",
    "Writes to the API server, by resource, verb and result (HTTP status, error without an answer, or "
    "dropped: an Event for which there was no room).",
    ["resource", "verb", "result"],
)
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
