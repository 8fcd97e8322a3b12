"""The named gates behind /readyz."""

from landlord.api.schema import JsonObject

ROLLOUT = ("apiServer", "crd", "cache", "watch")
"""Without these the operator can't work. The others are reported only, because an engine that is away must
not stop a rollout of the operator."""
SHOWN = ("leader", "engine", "registration")


class Gates:
    """What the operator waits for, by name."""

    def __init__(self) -> None:
        self._gates: dict[str, tuple[bool, str]] = dict.fromkeys(
            (*ROLLOUT, *SHOWN), (False, "not checked yet")
        )

    def set(self, name: str, passed: bool, message: str) -> None:
        """Set the state of one gate, and why."""
        self._gates[name] = (passed, message)

    def has_passed(self, name: str) -> bool:
        """Whether that gate has passed; a gate that was never set has not."""
        return name in self._gates and self._gates[name][0]

    @property
    def is_ready(self) -> bool:
        """Whether every gate that counts for a rollout has passed."""
        return all(self.has_passed(name) for name in ROLLOUT)

    def report(self) -> JsonObject:
        """Report the gates as /readyz answers them."""
        gates = {name: {"ok": ok, "message": message} for name, (ok, message) in self._gates.items()}
        return {"ready": self.is_ready, "gates": gates}
