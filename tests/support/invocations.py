"""What a Restate has been asked to do."""

import json
from collections import Counter

from dev.net import request
from dev.restate import RestateServer
from landlord.api.names import WORKFLOW_SERVICE

Counts = Counter[tuple[str, str]]


def invocations(restate: RestateServer) -> Counts:
    """How many invocations it knows, ended ones too, by tenantID and handler."""
    return _count(restate, "")


def unfinished(restate: RestateServer) -> Counts:
    """How many invocations have not ended, by tenantID and handler."""
    return _count(restate, " AND status != 'completed'")


def _count(restate: RestateServer, condition: str) -> Counts:
    columns = "target_service_key, target_handler_name"
    sql = f"SELECT {columns} FROM sys_invocation WHERE target_service_name = '{WORKFLOW_SERVICE}'{condition}"
    answer = request(f"{restate.admin_url}/query", json_body=json.dumps({"query": sql}))
    assert answer is not None
    assert answer[0] == 200, answer
    rows = json.loads(answer[1])["rows"]
    return Counter((row["target_service_key"], row["target_handler_name"]) for row in rows)
