"""What the engine's description of a container says about its health. No I/O."""

from collections.abc import Mapping
from typing import Any

from landlord.errors import Retryable


def has_ended(inspected: Mapping[str, Any]) -> bool:
    """Whether the container does not run now; one that the engine is about to restart doesn't."""
    state = inspected["State"]
    return bool(state["Restarting"] or not state["Running"])


def explain_end(inspected: Mapping[str, Any], last_words: str) -> Retryable:
    """Why the container has ended."""
    state, restarts = inspected["State"], inspected["RestartCount"]
    name = inspected["Name"].removeprefix("/")
    if state["OOMKilled"]:
        limit = inspected["HostConfig"]["Memory"]
        within = f" (limit: {limit // 2**20} MiB)" if limit else ""
        return Retryable(
            "OutOfMemory",
            f"the container was killed for lack of memory{within}\n"
            "To do: raise resources.limits.memory or have it use less.",
        )
    looping = restarts or state["Restarting"]
    said = f": {last_words}" if last_words else " and logged nothing"
    again = f" (restarted {restarts} times)" if restarts else ""
    return Retryable(
        "CrashLooping" if looping else "ContainerExited",
        f"the container exited with code {state['ExitCode']}{again}{said}\n"
        f"To do: see `docker logs {name}`; correct command, args, env or the image.",
    )
