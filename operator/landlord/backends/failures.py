"""The failures that backends share: images, and containers that do not start or keep running. No I/O.

Engines report errors as text, whether Docker's own or those of a node's engine that Kubernetes passes on, so
the text decides whether a failure is permanent. Every message begins with the engine's own reason, because a
status shows only the first line.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from landlord.errors import Retryable, StepError, Stuck, Terminal


@dataclass(frozen=True)
class Rule:
    """What a pattern in the engine's text means; the first rule that matches decides."""

    pattern: str
    kind: type[StepError]
    code: str
    fix: str


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
        "wait, because the registry limits pulls; to raise the limit, {login}",
    ),
    Rule(
        r"denied|unauthorized|403 forbidden|no basic auth credentials|authentication required",
        Stuck,
        "ImageAccessDenied",
        "the image does not exist or needs a login: correct its name, or {login}",
    ),
    Rule(
        r"no matching manifest for|does not match the specified platform|no match for platform",
        Stuck,
        "ImageNotFound",
        "push an image that is built for the engine's platform",
    ),
    Rule(
        r"manifest unknown|manifest for .* not found|name unknown|repository .*(not found|does not exist)"
        r"|: not found",
        Stuck,
        "ImageNotFound",
        "correct the image's name or tag, or push the image to the registry",
    ),
    Rule(
        r"no such host",
        Retryable,
        "RegistryUnreachable",
        "the registry's name does not resolve: correct the image if it is misspelled; otherwise repair the "
        "engine's network, or load the image into the engine",
    ),
    Rule(
        r"dial tcp|i/o timeout|timeout|timed out|deadline exceeded|connection re(fused|set)"
        r"|\bEOF\b|\bTLS\b|x509|unreachable",
        Retryable,
        "RegistryUnreachable",
        "check that the registry is up and that the engine can reach it",
    ),
    Rule(
        r"no space left", Retryable, "EngineFull", "free space on the engine, for example by removing images"
    ),
)

CANNOT_START = Rule(
    # Not each missing file: the engine's own programs (runc, docker-proxy, iptables) can be missing too.
    r'container process(?: caused)?:? (?:error during container init: )?\\?"?exec: \\?"[^\n]*'
    r"(?:executable file not found|no such file or directory|permission denied|is a directory"
    r"|not a directory|exec format error)"
    r"|crun: (?:executable file `[^`\n]*` not found|open executable: permission denied)",
    Terminal,
    "CannotStart",
    "correct command, args or the image",
)
"""The runtime was there, and could not run the container's own command."""


def explain_pull_failure(image: str, reason: str, *, login: str, invalid: bool = False) -> StepError:
    """Explain why the engine could not pull the image, from its text.

    `login` says how to give the engine a login; `invalid` if the engine rejects the reference itself.
    """
    unknown = Rule("", Retryable, "PullFailed", "check the registry if the pull keeps failing")
    # An image may be named `team/timeout`: its name must not decide.
    text = re.sub(r'"[^"]*"', "", reason).replace(image, "").replace(_strip_tag(image), "")
    rule = find_rule(PULL_RULES, text, PULL_RULES[0] if invalid else unknown)
    return build_error(rule, f"can't pull {image}", reason, login=login)


def explain_absent_image(image: str, where: str) -> StepError:
    """Explain that the image is absent and that its imagePullPolicy, Never, forbids pulling it."""
    return Stuck(
        "ImageNotFound",
        f"the image {image} is not on the {where} and imagePullPolicy is Never",
        f"load the image into the {where}, or set imagePullPolicy to IfNotPresent",
    )


def explain_exit(
    container: str, *, exit_code: int | None, restarts: int, is_looping: bool, log_line: str, logs: str
) -> StepError:
    """Explain that a container ended. `log_line` is its last one; the command `logs` shows all."""
    return Retryable(
        "CrashLooping" if is_looping else "ContainerExited",
        f"{container} exited with code {exit_code}"
        f"{f' (restarted {restarts} times)' if restarts else ''}"
        f"{f': {log_line}' if log_line else ' and logged nothing'}",
        f"see `{logs}`; correct command, args, env or the image",
    )


def explain_out_of_memory(container: str, limit: str) -> StepError:
    """Explain that a container was killed because it used more memory than its limit."""
    return Retryable(
        "OutOfMemory",
        f"{container} was killed because it ran out of memory{f' (limit: {limit})' if limit else ''}",
        "raise resources.limits.memory, or make the container use less",
    )


def find_last_line(text: str) -> str:
    """Find the last line of a log that is not blank, shortened."""
    return next((line.strip()[:300] for line in reversed(text.splitlines()) if line.strip()), "")


def find_rule(rules: Sequence[Rule], text: str, fallback: Rule) -> Rule:
    """Find the first rule that matches the text."""
    return next((rule for rule in rules if re.search(rule.pattern, text, re.IGNORECASE)), fallback)


def build_error(rule: Rule, what: str, reason: str, **details: str) -> StepError:
    """Build the error of a rule: what failed and why. `details` fill the gaps in the rule's fix."""
    return rule.kind(rule.code, f"{what}: {reason}", rule.fix.format(**details))


def _strip_tag(image: str) -> str:
    name = image.partition("@")[0]
    head, _, last = name.rpartition("/")
    return f"{head}/{last.partition(':')[0]}".lstrip("/")
