"""The one error of the local environment."""


class LocalFailure(Exception):
    """A part of the local environment failed.

    The message says what failed and why, and `fix` what the user can do about it.
    """

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(f"{message}\nFix: {fix}" if fix else message)
        self.message = message
        self.fix = fix
