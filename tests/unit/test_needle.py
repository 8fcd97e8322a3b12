"""The search for values in the tests of Secrets: what it does not find would prove nothing."""

import base64
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from tests.support.needle import Needle

FORMS: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "quoted": lambda value: quote(value).encode(),
    "JSON": lambda value: json.dumps(value).encode(),
    "repr": lambda value: repr(value).encode(),
    "base64": lambda value: base64.b64encode(value.encode()),
    "base64, one byte on": lambda value: base64.b64encode(b"x" + value.encode()),
    "base64, two bytes on": lambda value: base64.b64encode(b"xy" + value.encode()),
    "hex": lambda value: value.encode().hex().encode(),
    "HEX": lambda value: value.encode().hex().upper().encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_value_is_found_however_it_is_written(form: str) -> None:
    needle = Needle("password")
    assert needle.is_in(b"before" + FORMS[form](needle.value) + b"after")
    assert not Needle("other").is_in(FORMS[form](needle.value))
