"""What variables get from Secrets, and that it is never told."""

import base64
import json
import logging
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from docker.errors import APIError
from hypothesis import given
from hypothesis import strategies as st
from tests.support.secrets import referring

from landlord.api.workload import Container, EnvVar, Workload
from landlord.backends.contract import Observation
from landlord.backends.redaction import redact, redacting
from landlord.backends.secrets import (
    SecretMissing,
    SecretValues,
    find_namespaces,
    find_references,
    resolve_values,
    with_outdated,
)
from landlord.errors import Retryable, StepError, Stuck, Terminal

RUNS = Observation(healthy=True, spec_hash="h", reason="runs")
RECORDED = json.dumps({"team/db": "u1/7", "team/licence": ""})


def workload(*variables: EnvVar) -> Workload:
    return Workload(containers=(Container(name="web", image="web:1", env=variables),))


def secret(uid: str = "u1", version: str = "7", **data: str | bytes) -> dict[str, Any]:
    encoded = {
        key: base64.b64encode(value.encode() if isinstance(value, str) else value).decode()
        for key, value in data.items()
    }
    return {"metadata": {"uid": uid, "resourceVersion": version}, "data": encoded}


def test_each_variable_gets_its_value_and_what_was_read_is_recorded_by_its_version() -> None:
    asked = workload(EnvVar(name="A", value="1"), referring("B"), referring("C", "licence", optional=True))
    found = resolve_values(asked, "team", {"acme-db": secret(password="p", other="o"), "licence": None})
    assert found.by_variable == {("web", "B"): "p"}
    assert json.loads(found.recorded or "") == {"team/acme-db": "u1/7", "team/licence": ""}


def test_values_are_in_no_repr() -> None:
    assert "hunter2" not in repr(
        resolve_values(workload(referring("B")), "team", {"acme-db": secret(password="hunter2")})
    )


@pytest.mark.parametrize(
    ("found", "kind", "code"),
    [
        (None, SecretMissing, "SecretNotFound"),
        (secret(), SecretMissing, "SecretKeyNotFound"),
        ({"metadata": {}}, SecretMissing, "SecretKeyNotFound"),
        (secret(password=b"\xff"), Stuck, "SecretNotText"),
        (secret(password=b"a\0b"), Stuck, "SecretNotText"),
    ],
)
def test_what_can_t_be_a_value_is_named(
    found: dict[str, Any] | None, kind: type[StepError], code: str
) -> None:
    with pytest.raises(kind, match=r"team/acme-db") as failure:
        resolve_values(workload(referring("B")), "team", {"acme-db": found})
    assert failure.value.code == code


@pytest.mark.parametrize(("name", "key"), [("../pods/x", "a"), ("a/b", "a"), ("a", "b/c"), ("A", "b")])
def test_what_is_no_name_never_becomes_part_of_a_path(name: str, key: str) -> None:
    with pytest.raises(Terminal, match="can't be the name of a Secret and a key in it"):
        find_references(workload(referring("B", name, key)))


NOW = {"team/db": "u1/7"}


@pytest.mark.parametrize(
    ("present", "outdated"),
    [
        (NOW, ""),
        (NOW | {"team/other": "u9/1"}, ""),
        ({"team/db": "u1/8"}, "the Secret team/db has changed"),
        ({"team/db": "u2/7"}, "the Secret team/db has changed"),
        (NOW | {"team/licence": "u3/9"}, "the Secret team/licence has changed"),
        ({}, ""),
    ],
    ids=["as it was", "another one", "changed", "made anew", "optional and new", "deleted"],
)
def test_a_tenant_is_outdated_when_a_secret_has_another_version(
    present: dict[str, str], outdated: str
) -> None:
    seen = with_outdated(RUNS, RECORDED, present)
    assert (seen.outdated, seen.reason) == (outdated, "runs")


def test_a_tenant_at_rest_is_never_outdated() -> None:
    rests = Observation(healthy=True, spec_hash="h", reason="nothing runs", state="Suspended")
    assert with_outdated(rests, RECORDED, {"team/db": "u1/8"}) == rests


@pytest.mark.parametrize("broken", ["", "{", "[]", "1", '{"team/db": 7}'])
def test_a_record_that_somebody_has_spoilt_is_made_anew(broken: str) -> None:
    assert with_outdated(RUNS, broken, {}).outdated
    assert find_namespaces([broken, RECORDED]) == {"team"}


def told(failure: BaseException) -> str:
    """All that a log can show of it."""
    return "".join(traceback.format_exception(failure)) + repr(failure) + str(vars(failure))


FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "JSON": json.dumps,
    "repr": repr,
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "its last line": lambda value: value.splitlines()[-1],
    "stripped": str.strip,
    "of a URL": lambda value: quote(value, safe=""),
    "of a form": quote_plus,
}
FAILURES: dict[str, Callable[[str], Exception]] = {
    "of the engine": lambda text: APIError("400 Client Error", explanation=text),
    "of anything": RuntimeError,
    "of a step": lambda text: Retryable("Some", text),
    "of a step with a fix": lambda text: Retryable("Some", "it failed", text),
}


@pytest.mark.parametrize(
    "value", ["hunter2!", 'quo"te\\d', "two\nlines!", "päss-wörd", "a'b'c'd", "p ss/word \n"]
)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", FAILURES)
def test_a_failure_does_not_tell_a_value_however_it_is_written(value: str, form: str, kind: str) -> None:
    written = FORMS[form](value)
    failing = FAILURES[kind](f"can't take {written}: too long")
    with pytest.raises(StepError) as alone, redacting(SecretValues({("web", "A"): value})):
        raise failing
    with pytest.raises(Terminal) as wrapped, redacting(SecretValues({("web", "A"): value})):
        raise Terminal("Wrapped", "it failed") from failing
    assert written not in told(alone.value)
    assert written not in told(wrapped.value)


def test_what_tells_no_value_passes_as_it_is() -> None:
    error = KeyError("something else")
    with pytest.raises(KeyError) as failure, redacting(SecretValues({("web", "A"): "hunter2"})):
        raise error
    assert failure.value is error


def test_the_rest_of_a_message_stays_readable() -> None:
    with (
        pytest.raises(Retryable, match=r"^exited with code 1: wrong password \*\*\*$"),
        redacting(SecretValues({("web", "A"): "hunter2", ("web", "B"): "1"})),
    ):
        raise Retryable("CrashLooping", "exited with code 1: wrong password hunter2")


@given(st.text(min_size=4), st.text(), st.text())
def test_no_text_tells_a_value(value: str, before: str, after: str) -> None:
    with pytest.raises(Retryable) as failure, redacting(SecretValues({("web", "A"): value})):
        raise Retryable("Some", f"{before}{value}{after}")
    assert value not in failure.value.message or set(value) <= {"*"}


def test_a_debug_log_of_the_failure_tells_no_value(caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.DEBUG),
        pytest.raises(StepError) as failure,
        redacting(SecretValues({("web", "A"): "hunter2"})),
    ):
        raise APIError("400 Client Error", explanation="bad variable: A=hunter2")
    logging.getLogger("any").debug("failed", exc_info=failure.value)
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("password=hunter2-and-more; exit", "password=***; exit"),
        ("unter2-and-more\nbye", "***\nbye"),
        ("more\nbye", "***\nbye"),
        ("ore\nbye", "ore\nbye"),
        ("wrong password: hunter2-an", "wrong password: ***"),
        ("wrong password: hunt", "wrong password: ***"),
        ("wrong password: hun", "wrong password: hun"),
        ("ter2-and", "***"),
        ("all is well", "all is well"),
        ("", ""),
    ],
)
def test_what_is_left_of_a_value_where_a_text_was_cut_is_not_told(said: str, told: str) -> None:
    assert redact(said, SecretValues({("web", "A"): "hunter2-and-more", ("web", "B"): "abc"})) == told


@given(st.text(min_size=4), st.text(), st.text(), st.data())
def test_no_part_of_a_text_ends_in_a_value(value: str, before: str, after: str, data: st.DataObject) -> None:
    text = f"{before}{value}{after}"
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    kept = value[max(0, start - len(before)) : max(0, end - len(before))]
    told = redact(text[start:end], SecretValues({("web", "A"): value}))
    assert len(kept) < 4 or kept not in told or set(kept) <= {"*"} or kept in before + after
