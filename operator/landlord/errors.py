"""What can go wrong, as one tree.

LandlordError
├── StepError               a backend step did not succeed
│   ├── Terminal            trying again can't help until something changes
│   │   └── Stuck           something that is not in the spec, so that it is looked at now and then
│   └── Retryable           it may pass; tried again until the workflow's timeout
├── EngineError             the workflow engine did not take or finish the work
│   ├── EngineUnreachable   no answer, or none that says anything about the work
│   ├── NotRegistered       the engine answers but does not know the workflow
│   ├── InvocationLost      the engine no longer knows work that it had accepted
│   └── RequestRejected     the engine refuses this very request
└── SettingsError           wrong settings or a missing prerequisite at start
"""


class LandlordError(Exception):
    """The root of every error that landlord raises itself."""


class StepError(LandlordError):
    """A step failed for a known reason.

    `code` is CamelCase and from a small fixed set per backend (a metric label and
    `status.workflow.lastFailure.code`); `message` is for a person and names the next thing to do.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Terminal(StepError):
    """Hopeless until somebody changes something: not tried again."""


class Stuck(Terminal):
    """Hopeless until somebody changes something outside of the spec, such as an image in a registry.

    The workflow ends with it at once, and is started again every few minutes.
    """


class Retryable(StepError):
    """May pass by itself: tried again with backoff. Any unexpected exception is treated the same."""


class EngineError(LandlordError):
    """The workflow engine did not take the work or did not finish it. The message is for a person."""


class EngineUnreachable(EngineError):
    """Nothing is known about the work: it may or may not have been accepted. Safe to submit again."""


class NotRegistered(EngineError):
    """The engine answered that it does not know the workflow service."""


class InvocationLost(EngineError):
    """The engine had accepted the work and does not know it any more (its store was lost or purged)."""


class RequestRejected(EngineError):
    """The engine refuses the request itself; the same request would be refused again."""


class SettingsError(LandlordError):
    """The program can't start as it is configured; the message says which setting and what it should be."""
