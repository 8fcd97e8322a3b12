"""The exceptions that landlord raises, as one tree.

LandlordError
├── StepError               a backend step did not succeed
│   ├── Terminal            permanent until the Tenant changes
│   │   └── Stuck           permanent until something outside the Tenant changes; checked again now and then
│   └── Retryable           transient; retried until the workflow's timeout
├── EngineError             the workflow engine did not accept or finish the work
│   ├── EngineUnreachable   no answer, or none that says anything about the work
│   ├── NotRegistered       the engine answers, but does not offer the workflow
│   ├── InvocationLost      the engine lost work that it had accepted
│   └── RequestRejected     the engine rejects this very request
└── SettingsError           wrong settings or a missing prerequisite at start
"""


class LandlordError(Exception):
    """The root of every error that landlord raises itself.

    `message` says what failed and why; `fix` says what a person can do about it, and is empty if nothing but
    waiting helps. As text, the fix follows on a line of its own.
    """

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message, fix)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message}\nFix: {self.fix}" if self.fix else self.message


class StepError(LandlordError):
    """A step failed for a known reason.

    `code` is CamelCase and from a small fixed set per backend: it is a metric label and
    `status.workflow.lastFailure.code`.
    """

    def __init__(self, code: str, message: str, fix: str = "") -> None:
        super().__init__(message, fix)
        self.args = (code, message, fix)
        self.code = code


class Terminal(StepError):
    """A permanent failure: landlord does not retry until the Tenant changes."""


class Stuck(Terminal):
    """A permanent failure that a change outside the spec can end, such as pushing an image.

    It ends the workflow at once, and landlord starts the workflow again every few minutes.
    """


class Retryable(StepError):
    """A transient failure: landlord retries with backoff, as it does after any unexpected exception."""


class EngineError(LandlordError):
    """The workflow engine did not accept the work or did not finish it."""


class EngineUnreachable(EngineError):
    """Nothing is known about the work: the engine may have accepted it. Submitting it again is safe."""


class NotRegistered(EngineError):
    """The engine answered that it does not offer the workflow, because it is not registered or not public."""


class InvocationLost(EngineError):
    """The engine accepted the work and lost it, because its store was lost or purged."""


class RequestRejected(EngineError):
    """The engine rejects the request itself, and would reject the same request again."""


class SettingsError(LandlordError):
    """The program can't start as it is configured; the message names the setting and what it must be."""
