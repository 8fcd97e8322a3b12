"""The one error of the local environment."""


class LocalFailure(Exception):
    """Something of the local environment did not work; the message says what, and what to do about it."""
