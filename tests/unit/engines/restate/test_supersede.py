"""Which older work may be stopped for newer work of the same tenant: every cell of the table."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landlord.api.request import Request
from landlord.engines.restate.seen import Invocation
from landlord.engines.restate.supersede import IdempotencyKey, Verb, choose_verb

UID = "5f0c6c1e-9d0c-4c51-8f0e-2d4a3c1b7e55"


def ours(*, generation: int = 2, attempt: int = 2) -> Request:
    return Request(
        tenant_id="acme",
        operation="delete",
        uid=UID,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        generation=generation,
        attempt=attempt,
        provider="memory",
        timeout_seconds=60,
    )


def ahead(key: str | None, status: str, handler: str = "apply") -> Invocation:
    return Invocation(
        id="inv_1", target_service_key="acme", target_handler_name=handler, idempotency_key=key, status=status
    )


OLDER = f"{UID}-1-7"
OLDER_ATTEMPT = f"{UID}-2-1"
SAME = f"{UID}-2-2"
NEWER = f"{UID}-3-1"
NEWER_ATTEMPT = f"{UID}-2-3"
OTHER = "0a0a0a0a-0000-4000-8000-000000000000-9-9"


@pytest.mark.parametrize(
    ("key", "handler", "queued", "stuck"),
    [
        (OLDER, "apply", "cancel", "stop"),
        (OLDER, "delete", "cancel", "stop"),
        (OLDER_ATTEMPT, "apply", "cancel", "stop"),
        (SAME, "apply", None, None),
        (NEWER, "apply", None, None),
        (NEWER_ATTEMPT, "apply", None, None),
        (OTHER, "apply", None, "stop"),
        (OTHER, "delete", None, None),
        (None, "apply", None, None),
        ("submitted by hand", "apply", None, None),
    ],
)
def test_the_table(key: str | None, handler: str, queued: Verb | None, stuck: Verb | None) -> None:
    for status in ("pending", "ready", "scheduled"):
        assert choose_verb(ahead(key, status, handler), ours()) == queued
    for status in ("backing-off", "paused"):
        assert choose_verb(ahead(key, status, handler), ours()) == stuck
    for status in ("running", "suspended", "completed"):
        assert choose_verb(ahead(key, status, handler), ours()) is None


@given(st.uuids(), st.integers(1, 10**9), st.integers(1, 10**6))
def test_a_requests_own_key_is_read_back(uid: object, generation: int, attempt: int) -> None:
    request = ours(generation=generation, attempt=attempt).model_copy(update={"uid": str(uid)})
    assert IdempotencyKey.parse(request.idempotency_key) == IdempotencyKey(str(uid), generation, attempt)


@given(st.text())
def test_any_other_key_is_nobodys_or_well_formed(key: str) -> None:
    work = IdempotencyKey.parse(key)
    assert work is None or key.startswith(f"{work.uid}-")
