"""What the Docker engine's errors mean: whether they are permanent, and how to fix them. No I/O.

The engine reports almost every error about images and starts with status 500 and a text, so the text decides.
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
        "set compute.docker.bindAddress to an address of the engine's host",
    ),
    CANNOT_START,
    Rule(
        r"unable to find (user|group) \S+: no matching entries|chdir to cwd \(",
        Terminal,
        "CannotStart",
        "correct the image, whose user or working directory does not exist in it",
    ),
)

ENGINE_BROKEN = Rule(
    "",
    Retryable,
    "EngineError",
    "repair the engine, for example if one of its programs is missing; landlord retries",
)


def explain_pull_failure(image: str, status: int | None, reason: str) -> StepError:
    """Explain why the engine could not pull the image, from its status and text."""
    return failures.explain_pull_failure(
        image, reason, login="log in with `docker login` on the worker", invalid=status == 400
    )


def explain_start_failure(reason: str) -> StepError:
    """Explain why a container did not start.

    The status decides nothing: the engine also answers 400 if its own runc is missing.
    """
    fallback = Rule(
        "",
        Retryable,
        "EngineError",
        "repair the engine, for example if one of its programs is missing; landlord retries",
    )
    return build_error(
        find_rule(START_RULES, reason, fallback), "the engine can't start the container", reason
    )
