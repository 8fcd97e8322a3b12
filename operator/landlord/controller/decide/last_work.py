"""Reads from a Tenant's status which work landlord has done, or started, for it."""

from landlord.api.request import Operation
from landlord.api.status import WorkflowOperation, WorkflowStatus
from landlord.api.tenant import Tenant


def has_run(tenant: Tenant) -> bool:
    """Whether an earlier workflow succeeded."""
    return tenant.status.state is not None or bool(tenant.status.resources)


def find_operation(operation: WorkflowOperation) -> Operation:
    """Translate the status's word, which says what a workflow is for, into the engine's."""
    match operation:
        case "Suspend":
            return "suspend"
        case "Archive":
            return "archive"
        case "Delete":
            return "delete"
        case _:
            return "apply"


def is_same_work(tenant: Tenant, operation: Operation) -> bool:
    """Whether the last workflow performed that operation on the present generation."""
    workflow = tenant.status.workflow
    return (
        workflow is not None
        and workflow.generation == tenant.metadata.generation
        and find_operation(workflow.operation) == operation
    )


def may_be_running(workflow: WorkflowStatus) -> bool:
    """Whether the engine accepted that work, or may have, and is not known to have ended it."""
    is_queued = workflow.sub_state == "Pending" and workflow.invocation_id is not None
    return is_queued or workflow.sub_state in ("Running", "BackingOff", "Paused")
