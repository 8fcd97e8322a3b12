"""What the Docker engine's refusal means: hopeless or not yet, and what to do about it. No I/O.

The engine answers almost everything about images and starts with status 500 and a text, so the text decides.
"""

import re

from landlord.backends import failures
from landlord.backends.failures import CANNOT_START, Rule, build_error, find_rule
from landlord.errors import Retryable, StepError, Terminal

PORT_IN_USE = re.compile(
    r"(?:Bind for|listen (?:tcp|udp)[46]?|bind host port(?: for)?) \S*?:(?P<port>\d+)(?=[\s:/]).*"
    r"(?:already allocated|already in use)"
)
NETWORK_GONE = re.compile(r"network \S+ (not found|is ambiguous)|could not find (a )?network")

START_RULES = (
    Rule(
        r"cannot assign requested address",
        Terminal,
        "InvalidSpec",
        "compute.docker.bindAddress is not an address of the engine's host",
    ),
    CANNOT_START,
)


def explain_pull_failure(image: str, status: int | None, reason: str) -> StepError:
    """Why `image` could not be pulled, from the engine's status and text."""
    return failures.explain_pull_failure(
        image, reason, login="`docker login` on the worker", invalid=status == 400
    )


def explain_start_failure(reason: str, *, refused: bool) -> StepError:
    """Why a container could not be started; `refused` when the engine calls the request itself wrong."""
    fallback = Rule("", Retryable, "CannotStart", "it is tried again")
    if refused:
        fallback = Rule("", Terminal, "CannotStart", "correct spec.workload")
    return build_error(find_rule(START_RULES, reason, fallback), "can't start the container", reason)
