"""What an engine's refusal means: hopeless or not yet, and what to do about it. No I/O.

The engine answers almost everything about images and starts with status 500 and a text, so the text decides.
The engine's own reason comes first in every message: a status shows the first line only.
"""

import re
from dataclasses import dataclass

from landlord.errors import Retryable, StepError, Terminal


@dataclass(frozen=True)
class Rule:
    """The first rule whose pattern is found in the engine's text decides."""

    pattern: str
    kind: type[StepError]
    code: str
    advice: str


PULL_RULES = (
    Rule(
        r"invalid (reference|tag) format|invalid repository name|repository name must",
        Terminal,
        "InvalidImage",
        "correct the image reference in spec.workload",
    ),
    Rule(
        r"toomanyrequests|\b429\b|rate limit",
        Retryable,
        "RegistryBusy",
        "the registry limits pulls; it is tried again",
    ),
    Rule(
        r"denied|unauthorized|no basic auth credentials|authentication required",
        Terminal,
        "ImageAccessDenied",
        "the image does not exist or needs a login: correct the name, or `docker login` on the worker",
    ),
    Rule(
        r"manifest unknown|manifest for .* not found|name unknown|repository .*(not found|does not exist)",
        Terminal,
        "ImageNotFound",
        "correct the image's name or tag, or push it to the registry",
    ),
    Rule(
        r"no matching manifest for|does not match the specified platform",
        Terminal,
        "ImageNotFound",
        "the image is not built for this engine's platform; push one that is",
    ),
    Rule(
        r"no such host",
        Retryable,
        "RegistryUnreachable",
        "the registry's name can't be resolved: correct the image if misspelt, else repair the engine's "
        "network or load the image into the engine; it is tried again",
    ),
    Rule(
        r"dial tcp|i/o timeout|timeout|timed out|deadline exceeded|connection re(fused|set)"
        r"|\bEOF\b|\bTLS\b|x509|unreachable",
        Retryable,
        "RegistryUnreachable",
        "the engine can't reach the registry; it is tried again",
    ),
    Rule(
        r"no space left", Retryable, "EngineFull", "free space on the engine, such as by `docker image prune`"
    ),
)

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
    Rule(
        r"no such file or directory|executable file not found|permission denied|exec format error",
        Terminal,
        "CannotStart",
        "correct command, args or the image",
    ),
)


def pull_failure(image: str, status: int | None, reason: str) -> StepError:
    """Why `image` could not be pulled, from the engine's status and text."""
    fallback = PULL_RULES[0] if status == 400 else Rule("", Retryable, "PullFailed", "it is tried again")
    # An image may be called `team/timeout`: what it is called must not decide.
    said = re.sub(r'"[^"]*"', "", reason).replace(image, "").replace(_repository(image), "")
    return _failure(_first(PULL_RULES, said, fallback), f"can't pull {image}", reason)


def start_failure(reason: str, *, refused: bool) -> StepError:
    """Why a container could not be started; `refused` when the engine calls the request itself wrong."""
    fallback = Rule("", Retryable, "CannotStart", "it is tried again")
    if refused:
        fallback = Rule("", Terminal, "CannotStart", "correct spec.workload")
    return _failure(_first(START_RULES, reason, fallback), "can't start the container", reason)


def _first(rules: tuple[Rule, ...], text: str, fallback: Rule) -> Rule:
    return next((rule for rule in rules if re.search(rule.pattern, text, re.IGNORECASE)), fallback)


def _failure(rule: Rule, what: str, reason: str) -> StepError:
    return rule.kind(rule.code, f"{what}: {reason}\nTo do: {rule.advice}.")


def _repository(image: str) -> str:
    name = image.partition("@")[0]
    head, _, last = name.rpartition("/")
    return f"{head}/{last.partition(':')[0]}".lstrip("/")
