"""Keeps the values of Secrets out of messages. No I/O."""

import base64
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from urllib.parse import quote, quote_plus

from landlord.backends.secrets import SecretValues
from landlord.errors import Retryable, StepError

SHORTEST_SECRET = 4
"""Characters of the shortest value that is redacted: a shorter one is part of any text."""


@contextmanager
def redacting(values: SecretValues) -> Iterator[None]:
    """Replace values by *** in failures, because engines and containers' logs may repeat them."""
    try:
        yield
    except Exception as error:
        forms = _list_forms(values)
        if all(_blot_out(text, forms) == text for text in _iterate_texts(error)):
            raise
        if isinstance(error, StepError):
            message, fix = _blot_out(error.message, forms), _blot_out(error.fix, forms)
            raise type(error)(error.code, message, fix) from None
        raise Retryable("Unexpected", f"{type(error).__name__}: {_blot_out(str(error), forms)}") from None


def redact(text: str, values: SecretValues) -> str:
    """Replace values by *** in a text that comes from others.

    The text may be a part that an engine kept of a longer one, so the remainder of a value at either end is
    replaced too. Shorten a text only after redacting it: nobody can recognize the remainder of a value in the
    middle.
    """
    forms = _list_forms(values)
    text = _blot_out(text, forms)
    begins = max((_measure_overlap(form, text) for form in forms), default=0)
    text = f"***{text[begins:]}" if begins else text
    ends = max((_measure_overlap(text, form) for form in forms), default=0)
    return f"{text[:-ends]}***" if ends else text


def _measure_overlap(ending: str, beginning: str) -> int:
    """Count the characters at the end of the one that begin the other, or all if the one contains it."""
    start = ending.find(beginning[:SHORTEST_SECRET])
    while start >= 0 and len(beginning) >= SHORTEST_SECRET:
        shared = min(len(ending) - start, len(beginning))
        if ending.startswith(beginning[:shared], start):
            return shared
        start = ending.find(beginning[:SHORTEST_SECRET], start + 1)
    return 0


def _iterate_texts(failure: BaseException | None) -> Iterator[str]:
    """Yield everything that a traceback of the failure shows."""
    while failure is not None:
        yield str(failure)
        failure = failure.__cause__ or (None if failure.__suppress_context__ else failure.__context__)


def _blot_out(text: str, forms: Iterable[str]) -> str:
    for form in forms:
        text = text.replace(form, "***")
    return text


def _list_forms(values: SecretValues) -> list[str]:
    """List the forms in which values may appear in a text, line by line; the longest first."""
    whole = {line for value in values.by_variable.values() for line in (value, *value.splitlines())}
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
