"""Reads from the engine's description of a container whether it has ended, and why. No I/O."""

from collections.abc import Mapping
from typing import Any

from landlord.backends.failures import explain_exit, explain_out_of_memory
from landlord.errors import StepError


def has_ended(container: Mapping[str, Any]) -> bool:
    """Whether the container does not run now; one that the engine is about to restart does not."""
    state = container["State"]
    return bool(state["Restarting"] or not state["Running"])


def explain_end(container: Mapping[str, Any], log_line: str) -> StepError:
    """Explain why the container has ended."""
    state, restarts = container["State"], container["RestartCount"]
    if state["OOMKilled"]:
        limit = container["HostConfig"]["Memory"]
        return explain_out_of_memory("the container", f"{limit // 2**20} MiB" if limit else "")
    return explain_exit(
        "the container",
        exit_code=state["ExitCode"],
        restarts=restarts,
        is_looping=bool(restarts or state["Restarting"]),
        log_line=log_line,
        logs=f"docker logs {container['Name'].removeprefix('/')}",
    )
