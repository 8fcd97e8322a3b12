"""What an engine's refusal of an image or a command means: hopeless or not yet, and what to do. No I/O.

Engines tell by texts, be it docker's or those of a node's engine that Kubernetes passes on, so the text
decides. The engine's own reason comes first in every message: a status shows the first line only.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from landlord.errors import Retryable, StepError, Stuck, Terminal


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
        r"denied|unauthorized|403 forbidden|no basic auth credentials|authentication required",
        Stuck,
        "ImageAccessDenied",
        "the image does not exist or needs a login: correct the name, or {login}",
    ),
    Rule(
        r"no matching manifest for|does not match the specified platform|no match for platform",
        Stuck,
        "ImageNotFound",
        "the image is not built for this engine's platform; push one that is",
    ),
    Rule(
        r"manifest unknown|manifest for .* not found|name unknown|repository .*(not found|does not exist)"
        r"|: not found",
        Stuck,
        "ImageNotFound",
        "correct the image's name or tag, or push it to the registry",
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
    Rule(r"no space left", Retryable, "EngineFull", "free space on the engine, such as by removing images"),
)

CANNOT_START = Rule(
    r"no such file or directory|executable file not found|permission denied|exec format error",
    Terminal,
    "CannotStart",
    "correct command, args or the image",
)


def explain_pull_failure(image: str, reason: str, *, login: str, invalid: bool = False) -> StepError:
    """Why `image` could not be pulled, from the engine's text.

    `login` says how the engine is given a login; `invalid` when the engine calls the reference itself wrong.
    """
    fallback = PULL_RULES[0] if invalid else Rule("", Retryable, "PullFailed", "it is tried again")
    # An image may be called `team/timeout`: what it is called must not decide.
    said = re.sub(r'"[^"]*"', "", reason).replace(image, "").replace(_strip_tag(image), "")
    rule = find_rule(PULL_RULES, said, fallback)
    return build_error(rule, f"can't pull {image}", reason, login=login)


def find_rule(rules: Sequence[Rule], text: str, fallback: Rule) -> Rule:
    """The rule that decides about the text."""
    return next((rule for rule in rules if re.search(rule.pattern, text, re.IGNORECASE)), fallback)


def build_error(rule: Rule, what: str, reason: str, **advice: str) -> StepError:
    """What did not work, why, and what to do about it. `advice` fills in what the rule leaves open."""
    return rule.kind(rule.code, f"{what}: {reason}\nTo do: {rule.advice.format(**advice)}.")


def _strip_tag(image: str) -> str:
    name = image.partition("@")[0]
    head, _, last = name.rpartition("/")
    return f"{head}/{last.partition(':')[0]}".lstrip("/")
