"""The named gates behind /readyz."""

from landlord.api.schema import JsonObject

ROLLOUT = ("apiServer", "crd", "cache")
"""Without these the operator can't do its work. The others are shown, but an engine that is away must not
stop a rollout of the operator."""
SHOWN = ("leader", "engine", "registration")


class Gates:
    """What the operator waits for, by name."""

    def __init__(self) -> None:
        self._gates: dict[str, tuple[bool, str]] = dict.fromkeys(
            (*ROLLOUT, *SHOWN), (False, "not checked yet")
        )

    def set(self, name: str, passed: bool, message: str) -> None:
        """State of one gate, with why."""
        self._gates[name] = (passed, message)

    def passed(self, name: str) -> bool:
        """Whether that gate was passed; one that nobody has spoken of was not."""
        return name in self._gates and self._gates[name][0]

    @property
    def ready(self) -> bool:
        """Whether every gate that counts for a rollout has been passed."""
        return all(self.passed(name) for name in ROLLOUT)

    def report(self) -> JsonObject:
        """What /readyz answers."""
        gates = {name: {"ok": ok, "message": message} for name, (ok, message) in self._gates.items()}
        return {"ready": self.ready, "gates": gates}
