"""Reads invocations from Restate's tables. Queries are by id, because a scan also reads all finished ones."""

import re
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, Json

from landlord.api.names import WORKFLOW_SERVICE
from landlord.engines.restate.admin import Admin
from landlord.engines.restate.seen import Invocation

CHUNK = 500
"""Number of ids in one query: about 20 kB of SQL."""

_SAFE = re.compile(r"[A-Za-z0-9_.:~-]+")


class _Failure(BaseModel):
    error_message: str
    restate_doc_error_code: str | None = None
    related_command_name: str | None = None


class _Pause(BaseModel):
    last_failure: _Failure | None = None


class _PauseRow(BaseModel):
    id: str
    event_json: Json[_Pause]


class _Queued(BaseModel):
    service_key: str
    id: str


# The condition is in both halves, because a join does not limit what is read from the journal.
_BY_ID = """
SELECT i.id, i.target_service_key, i.target_handler_name, i.idempotency_key, i.status, i.retry_count,
  i.next_retry_at, i.last_failure, i.last_failure_error_code, i.last_failure_related_command_name,
  j.newest_step
FROM sys_invocation i LEFT JOIN (
  SELECT id, last_value(name ORDER BY "index") AS newest_step FROM sys_journal
  WHERE id IN ($ids) AND entry_type = 'Command: Run' GROUP BY id
) j ON i.id = j.id WHERE i.id IN ($ids)
"""

_PAUSES = """
SELECT id, event_json FROM sys_journal_events
WHERE id IN ($ids) AND event_type = 'Paused' ORDER BY appended_at
"""

_QUEUES = """
SELECT service_key, invocation_id AS id, -1 AS place FROM sys_keyed_service_status
WHERE service_name = '$service' AND service_key IN ($keys) AND invocation_id IS NOT NULL
UNION ALL
SELECT service_key, id, CAST(sequence_number AS BIGINT) AS place FROM sys_inbox
WHERE service_name = '$service' AND service_key IN ($keys)
ORDER BY place
"""


async def read_invocations(admin: Admin, ids: Sequence[str]) -> dict[str, Invocation]:
    """Read the invocations that still exist, by id, with one query for some hundreds of them."""
    found = {}
    for start in range(0, len(ids), CHUNK):
        query = _BY_ID.replace("$ids", _to_sql(ids[start : start + CHUNK]))
        found.update({invocation.id: invocation for invocation in await admin.query(query, Invocation)})
    paused = [invocation.id for invocation in found.values() if invocation.status == "paused"]
    for id, failure in (await _read_pauses(admin, paused)).items():
        found[id] = found[id].model_copy(
            update={
                "last_failure": failure.error_message,
                "last_failure_error_code": failure.restate_doc_error_code,
                "last_failure_related_command_name": failure.related_command_name,
            }
        )
    return found


async def _read_pauses(admin: Admin, ids: Sequence[str]) -> dict[str, _Failure]:
    """Read why Restate paused each, which it keeps only in an event: the columns are NULL from then on."""
    failures = {}
    for start in range(0, len(ids), CHUNK):
        query = _PAUSES.replace("$ids", _to_sql(ids[start : start + CHUNK]))
        for row in await admin.query(query, _PauseRow):
            if row.event_json.last_failure is not None:
                failures[row.id] = row.event_json.last_failure
            else:
                failures.pop(row.id, None)
    return failures


async def read_queues(admin: Admin, keys: Iterable[str]) -> dict[str, list[str]]:
    """Read the ids of the running and queued invocations of each key of the object, in their order."""
    query = _QUEUES.replace("$service", WORKFLOW_SERVICE).replace("$keys", _to_sql(keys))
    queues: dict[str, list[str]] = {}
    for each in await admin.query(query, _Queued):
        queues.setdefault(each.service_key, []).append(each.id)
    return queues


def _to_sql(values: Iterable[str]) -> str:
    """Convert to SQL strings. Values with special characters are left out; no tenantID or id of Restate has
    any."""
    return ", ".join(f"'{value}'" for value in values if _SAFE.fullmatch(value)) or "''"
