"""What an error shows as text."""

import pickle

import pytest

from landlord.errors import LandlordError, Retryable, SettingsError, StepError, Stuck, Terminal

ERRORS = [
    SettingsError("it failed", "repair it"),
    *(kind("Code", "it failed", "repair it") for kind in (Terminal, Stuck, Retryable)),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_advice_follows_the_message_on_a_line_of_its_own(error: LandlordError) -> None:
    assert str(error) == "it failed\nFix: repair it"
    assert (error.message, error.fix) == ("it failed", "repair it")


def test_without_advice_the_text_is_the_message() -> None:
    assert str(StepError("Code", "it failed")) == str(LandlordError("it failed")) == "it failed"


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_the_same_after_it_was_copied(error: LandlordError) -> None:
    copied = pickle.loads(pickle.dumps(error))
    assert (type(copied), vars(copied), str(copied)) == (type(error), vars(error), str(error))
