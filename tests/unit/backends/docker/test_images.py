"""Pulls, as far as a real registry can't be made to play them."""

from collections.abc import Callable
from typing import NoReturn

import pytest
from docker import APIClient

from landlord.backends.docker.engine import Engine
from landlord.backends.docker.images import Pull


class Broken(Engine):
    """An engine whose answers nobody expects."""

    def run_here(self, work: Callable[[APIClient], object]) -> NoReturn:
        raise KeyError("progressDetail")


def test_a_pull_that_dies_of_what_nobody_expected_keeps_nobody_waiting() -> None:
    with pytest.raises(KeyError):
        Pull(Broken(), "web:1").done.result(timeout=5)
