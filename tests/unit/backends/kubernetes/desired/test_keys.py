"""The keys of values in the Secret of a tenant."""

import re

import pytest

from landlord.backends.kubernetes.desired.pods import build_key


@pytest.mark.parametrize("length", [1, 189, 190, 252, 253])
def test_a_key_is_one_that_a_secret_may_have(length: int) -> None:
    key = build_key("c" * 63, "V" * length)
    assert re.fullmatch(r"[-._a-zA-Z0-9]{1,253}", key)
    assert key.startswith(f"{'c' * 63}.V")


def test_long_names_that_begin_alike_have_different_keys() -> None:
    names = [f"{'V' * 252}{end}" for end in "ABC"]
    assert len({build_key("c" * 63, name) for name in names} | {build_key("d" * 63, names[0])}) == 4
