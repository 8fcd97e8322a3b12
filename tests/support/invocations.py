"""What a Restate has been asked to do."""

import json
from collections import Counter

from dev.net import request
from dev.restate import RestateServer

Counts = Counter[tuple[str, str]]


def invocations(restate: RestateServer) -> Counts:
    """How many invocations it knows, ended ones too, by tenantID and handler."""
    return _count(restate, "")


def unfinished(restate: RestateServer) -> Counts:
    """How many invocations have not ended, by tenantID and handler."""
    return _count(restate, " WHERE status != 'completed'")


def _count(restate: RestateServer, condition: str) -> Counts:
    sql = f"SELECT target_service_key, target_handler_name FROM sys_invocation{condition}"
    answer = request(f"{restate.admin_url}/query", json_body=json.dumps({"query": sql}))
    assert answer is not None
    assert answer[0] == 200, answer
    rows = json.loads(answer[1])["rows"]
    return Counter((row["target_service_key"], row["target_handler_name"]) for row in rows)
