"""Keeps the values of Secrets out of what is said of them. No I/O."""

import base64
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from urllib.parse import quote, quote_plus

from landlord.backends.secrets import SecretValues
from landlord.errors import Retryable, StepError

SHORTEST_SECRET = 4
"""Characters of a value that is left out of messages: what is shorter is part of any text."""


@contextmanager
def redacting(values: SecretValues) -> Iterator[None]:
    """Put *** in place of values in what a failure says: engines, and containers' logs, may repeat them."""
    try:
        yield
    except Exception as error:
        forms = _list_forms(values)
        if all(_blot_out(each, forms) == each for each in _iterate_texts(error)):
            raise
        if isinstance(error, StepError):
            raise type(error)(error.code, _blot_out(error.message, forms)) from None
        raise Retryable("Unexpected", f"{type(error).__name__}: {_blot_out(str(error), forms)}") from None


def redact(text: str, values: SecretValues) -> str:
    """What others have said, with *** in place of values.

    It may be the part of a longer text that an engine has kept: what is left of a value at its ends goes,
    too. Shorten it only after this: what is left of a value in between can't be told from other text.
    """
    forms = _list_forms(values)
    text = _blot_out(text, forms)
    begins = max((_measure_overlap(form, text) for form in forms), default=0)
    text = f"***{text[begins:]}" if begins else text
    ends = max((_measure_overlap(text, form) for form in forms), default=0)
    return f"{text[:-ends]}***" if ends else text


def _measure_overlap(ending: str, beginning: str) -> int:
    """How many characters the one ends with that the other begins with, or all that are within the one."""
    start = ending.find(beginning[:SHORTEST_SECRET])
    while start >= 0 and len(beginning) >= SHORTEST_SECRET:
        shared = min(len(ending) - start, len(beginning))
        if ending.startswith(beginning[:shared], start):
            return shared
        start = ending.find(beginning[:SHORTEST_SECRET], start + 1)
    return 0


def _iterate_texts(failure: BaseException | None) -> Iterator[str]:
    """All that a traceback of the failure shows."""
    while failure is not None:
        yield str(failure)
        failure = failure.__cause__ or (None if failure.__suppress_context__ else failure.__context__)


def _blot_out(text: str, forms: Iterable[str]) -> str:
    for form in forms:
        text = text.replace(form, "***")
    return text


def _list_forms(values: SecretValues) -> list[str]:
    """How values may stand in a text, line by line; the longest first."""
    whole = {line for value in values.by_place.values() for line in (value, *value.splitlines())}
    lines = whole | {line.strip() for line in whole}
    forms = {
        form
        for line in lines
        for form in (
            line,
            json.dumps(line)[1:-1],
            repr(line)[1:-1],
            base64.b64encode(line.encode()).decode(),
            *(quoted(line) for quoted in (quote, quote_plus, partial(quote, safe=""))),
        )
    }
    return sorted((form for form in forms if len(form) >= SHORTEST_SECRET), key=len, reverse=True)
