"""What each condition means and what to do about it: the source of docs/reference/conditions.md.

A test compares it with what landlord can report, in both directions.
"""

from typing import Literal, NamedTuple

from landlord.api.conditions import (
    ACCEPTED,
    COMPUTE_HEALTHY,
    DELETION_HELD,
    PAUSED,
    PROVISIONED,
    READY,
    RECONCILING,
    RETRY_REJECTED,
    STALLED,
    WORKFLOW_REGISTERED,
)

WAIT, FOLLOW_MESSAGE = "wait", "follow the message"
CHECK_RESTATE = "start Restate, or check `LANDLORD_RESTATE_*_URL`"

QUESTIONS = {
    READY: "Is the tenant in the state that its spec requests?",
    ACCEPTED: "Can landlord act on the spec?",
    WORKFLOW_REGISTERED: "Can Restate run the workflow? [registration.md](../registration.md) explains it.",
    PROVISIONED: "What became of the last workflow?",
    COMPUTE_HEALTHY: "What did the last survey find on the backend?",
    PAUSED: "Exists only while landlord leaves the tenant unchanged.",
    DELETION_HELD: "Exists only while the Tenant is deleted and landlord removes nothing yet.",
    RETRY_REJECTED: "Exists only while the annotation `landlord.dev/retry-requested-at` can't be read.",
    RECONCILING: "Exists only while landlord works on the tenant, or waits for the workflow engine.",
    STALLED: "Exists only while nothing happens until something changes, or until the time in "
    "`status.workflow.nextRetryTime`.",
}
"""What each condition is about, in the order in which a Tenant shows them."""


class ConditionRow(NamedTuple):
    """Some reasons of one condition that mean the same."""

    type: str
    status: Literal["True", "False", "Unknown"]
    reasons: tuple[str, ...]
    meaning: str
    advice: str = ""
    """What to do; empty if nothing."""


ROWS = (
    ConditionRow(READY, "True", ("Provisioned",), "the tenant runs and matches its spec"),
    ConditionRow(
        READY,
        "True",
        ("Suspended", "Archived"),
        "nothing of the tenant runs, because of `spec.desiredState` or the end of `spec.lifetime`",
        "to bring it back, follow the message",
    ),
    ConditionRow(
        READY,
        "False",
        ("Provisioning", "Updating"),
        "the workflow is running; the message names the step",
        WAIT,
    ),
    ConditionRow(
        READY,
        "False",
        ("Deleting",),
        "landlord is removing what it created for the tenant, and retries until it succeeds",
        "wait; if `Stalled` exists, follow the message",
    ),
    ConditionRow(
        READY,
        "False",
        ("Suspending", "Resuming", "Archiving", "Restoring"),
        "the workflow is changing the tenant's state",
        WAIT,
    ),
    ConditionRow(READY, "False", ("Repairing",), "landlord is undoing a change; see `status.drift`", WAIT),
    ConditionRow(
        READY,
        "False",
        ("RegistrationPending",),
        "work is waiting until Restate can run the workflow",
        "see `WorkflowRegistered`",
    ),
    ConditionRow(
        READY,
        "Unknown",
        ("EngineUnreachable",),
        "Restate does not answer, and the tenant has never run",
        CHECK_RESTATE,
    ),
    ConditionRow(
        READY,
        "False",
        ("ProvisioningFailed",),
        "the workflow failed; the message has the step, the reason and the next attempt",
        FOLLOW_MESSAGE,
    ),
    ConditionRow(
        READY,
        "False",
        ("Unhealthy", "Missing"),
        "landlord provisioned the tenant, and a survey has since found it unhealthy or missing",
        "see `ComputeHealthy`",
    ),
    ConditionRow(
        READY,
        "False",
        ("InvalidSpec", "UnknownBackend", "IdentityConflict"),
        "landlord can't accept the Tenant as it is",
        "see `Accepted`",
    ),
    ConditionRow(
        READY, "False", ("Paused",), "the Tenant was paused before it matched its spec", "see `Paused`"
    ),
    ConditionRow(
        READY,
        "False",
        ("DeletionHeld",),
        "the Tenant was deleted before it matched its spec, and landlord holds the deletion",
        "see `DeletionHeld`",
    ),
    ConditionRow(ACCEPTED, "True", ("Accepted",), "the spec is valid, and a backend can run it"),
    ConditionRow(
        ACCEPTED,
        "False",
        ("InvalidSpec",),
        "this version of landlord can't read the spec",
        "correct the field that the message names",
    ),
    ConditionRow(
        ACCEPTED,
        "False",
        ("UnknownBackend",),
        "the worker lacks the backend that the Tenant needs",
        "create a new Tenant with another `spec.compute.provider`, or enable the backend with "
        "`LANDLORD_BACKENDS`",
    ),
    ConditionRow(
        ACCEPTED,
        "False",
        ("IdentityConflict",),
        "an older Tenant has the same `tenantID`",
        "delete one of the two, or create this one again with another `tenantID`",
    ),
    ConditionRow(WORKFLOW_REGISTERED, "True", ("Registered",), "Restate runs the workflow on this worker"),
    ConditionRow(
        WORKFLOW_REGISTERED,
        "Unknown",
        ("EngineUnreachable",),
        "Restate does not answer; tenants that run are not affected",
        CHECK_RESTATE,
    ),
    ConditionRow(
        WORKFLOW_REGISTERED,
        "Unknown",
        ("EngineStuck",),
        "Restate answers, but a partition of it records nothing, so no workflow continues; tenants that run "
        "are not affected",
        FOLLOW_MESSAGE,
    ),
    ConditionRow(
        WORKFLOW_REGISTERED,
        "False",
        ("NotRegistered", "RegistrationLost"),
        "Restate does not have the workflow; landlord is registering the worker",
        "wait about a second; if it stays, follow the message",
    ),
    ConditionRow(
        WORKFLOW_REGISTERED,
        "False",
        ("Superseded",),
        "Restate runs the workflow on another worker, or on another revision of this one",
        "wait about a second; if it stays, see [another worker](../registration.md#another-worker)",
    ),
    ConditionRow(
        WORKFLOW_REGISTERED,
        "False",
        ("NotPublic",),
        "somebody made a service of the workflow private, so Restate's ingress rejects its requests",
        "wait about a second; if it stays, follow the message",
    ),
    ConditionRow(
        WORKFLOW_REGISTERED,
        "False",
        ("WorkerUnreachable",),
        "the worker does not answer",
        "start it, or check `LANDLORD_WORKER_URL`",
    ),
    ConditionRow(
        WORKFLOW_REGISTERED,
        "False",
        ("RegistrationRejected",),
        "Restate rejects the worker permanently",
        "follow the message; [registration-errors.md](registration-errors.md) lists all of them",
    ),
    ConditionRow(PROVISIONED, "True", ("Succeeded",), "the last workflow succeeded"),
    ConditionRow(
        PROVISIONED, "False", ("InProgress",), "the workflow is running, or has not started yet", WAIT
    ),
    ConditionRow(
        PROVISIONED,
        "False",
        ("BackingOff",),
        "a step fails, and the workflow engine retries it",
        "fix the cause; `landlord retry` starts the workflow again at once",
    ),
    ConditionRow(
        PROVISIONED,
        "False",
        ("Paused",),
        "the workflow engine paused the invocation, because of something else than the worker's absence",
        "fix the cause, and run `landlord retry`",
    ),
    ConditionRow(PROVISIONED, "False", ("Failed",), "the workflow failed", "see `Ready`"),
    ConditionRow(
        PROVISIONED,
        "False",
        ("Unfinished",),
        "a workflow was running when the Tenant was paused or its deletion held; it may have ended since",
        "see `Paused` or `DeletionHeld`",
    ),
    ConditionRow(
        COMPUTE_HEALTHY,
        "True",
        ("Healthy",),
        "the last survey found the tenant healthy, or nothing running of a suspended or archived tenant",
    ),
    ConditionRow(
        COMPUTE_HEALTHY,
        "False",
        ("Unhealthy",),
        "the tenant crashes or fails its probe, or runs although it must be suspended or archived",
        "fix the image or the spec, unless `status.drift` lists a change",
    ),
    ConditionRow(
        COMPUTE_HEALTHY,
        "False",
        ("Missing",),
        "none of the tenant's objects exist on the backend, or only those of a suspended or archived tenant",
        "wait until landlord creates them again, which it does if `spec.management.drift` is `Repair`",
    ),
    ConditionRow(
        COMPUTE_HEALTHY,
        "Unknown",
        ("NotSurveyed",),
        "three surveys in a row failed; `Ready` keeps its value",
        "follow the message: Restate, the worker or the backend is down",
    ),
    ConditionRow(
        COMPUTE_HEALTHY,
        "Unknown",
        ("Deleting",),
        "landlord is deleting the tenant, so surveys no longer look at it",
    ),
    ConditionRow(
        PAUSED,
        "True",
        ("Paused",),
        "landlord leaves the tenant unchanged; `Ready` has its last value and the generation it was true of",
        "to resume, set `spec.management.mode` to `Managed`",
    ),
    ConditionRow(
        DELETION_HELD,
        "True",
        ("Protected",),
        "the Tenant was deleted but is protected; the tenant keeps running",
        "see [protect.md](../guides/protect.md)",
    ),
    ConditionRow(
        DELETION_HELD,
        "True",
        ("GracePeriod",),
        "the Tenant was deleted; the tenant keeps running until the time in the message",
        "wait, or change `spec.deletion`",
    ),
    ConditionRow(
        DELETION_HELD,
        "True",
        ("MassDeletionHold",),
        "the Tenant was deleted with many others, or with the CRD; the tenant keeps running",
        "see [mass-deletions.md](../guides/mass-deletions.md)",
    ),
    ConditionRow(
        RETRY_REJECTED,
        "True",
        ("InvalidTime",),
        "the annotation is not an RFC 3339 time, so landlord ignores it",
        "run `landlord retry`, or set the annotation to the present time",
    ),
    ConditionRow(
        RECONCILING,
        "True",
        (
            "Provisioning",
            "Updating",
            "Repairing",
            "Suspending",
            "Resuming",
            "Archiving",
            "Restoring",
            "Deleting",
        ),
        "the workflow is running; the message names the step",
        WAIT,
    ),
    ConditionRow(
        RECONCILING,
        "True",
        ("RegistrationPending", "EngineUnreachable"),
        "work is waiting for the workflow engine",
        "see `WorkflowRegistered`",
    ),
    ConditionRow(
        STALLED,
        "True",
        ("InvalidSpec", "UnknownBackend", "IdentityConflict"),
        "landlord can't accept the Tenant as it is",
        "see `Accepted`",
    ),
    ConditionRow(STALLED, "True", ("ProvisioningFailed",), "the workflow failed", FOLLOW_MESSAGE),
    ConditionRow(STALLED, "True", ("Paused",), "the workflow engine paused the workflow", FOLLOW_MESSAGE),
    ConditionRow(
        STALLED,
        "True",
        ("Deleting",),
        "deprovisioning failed; landlord retries it until it succeeds",
        FOLLOW_MESSAGE,
    ),
    ConditionRow(
        STALLED,
        "True",
        ("RegistrationRejected", "Superseded", "NotPublic"),
        "work is waiting for a registration that only a person can fix",
        "see `WorkflowRegistered`",
    ),
)
