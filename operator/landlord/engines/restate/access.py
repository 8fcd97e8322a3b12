"""How landlord authenticates to Restate: the header to send, and the authorities to trust for TLS."""

import asyncio
import json
import re
import ssl
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from landlord.errors import EngineUnreachable, SettingsError
from landlord.settings import RestateSettings

HEADER, HEADER_FILE, CA_FILE = (
    "LANDLORD_RESTATE_AUTH_HEADER",
    "LANDLORD_RESTATE_AUTH_HEADER_FILE",
    "LANDLORD_RESTATE_CA_FILE",
)
REREAD_SECONDS = 1.0
SHORTEST_SECRET = 6
"""Shorter words of a header are not redacted, because they may occur in any message."""

_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x21-\x7e][\x20-\x7e\t]*)")


@dataclass(frozen=True)
class Header:
    """A header whose value only Restate may see."""

    name: str
    value: str = field(repr=False)

    def redact(self, body: bytes) -> bytes:
        """Remove the secret, which a proxy may quote as text or in JSON, from a body."""
        for word in self.value.split():
            if len(word) >= SHORTEST_SECRET:
                quoted = json.dumps(word)[1:-1]
                for spelling in (word, quoted, quoted.replace("/", "\\/")):
                    body = body.replace(spelling.encode(), "…".encode())
        return body


class Auth:
    """The header for Restate: fixed, or from a file that may change at any time."""

    def __init__(self, header: Header, file: Path | None = None) -> None:
        self._header = header
        self._file = file
        self._read_at = time.monotonic()

    async def current_header(self) -> Header:
        """Return the header to send now. Raises EngineUnreachable if the file can no longer be read."""
        if self._file is not None and time.monotonic() - self._read_at > REREAD_SECONDS:
            try:
                self._header = await asyncio.to_thread(_read, self._file)
            except SettingsError as error:
                raise EngineUnreachable(str(error)) from error
            self._read_at = time.monotonic()
        return self._header


@dataclass(frozen=True)
class Access:
    """What a client needs in addition to a URL."""

    auth: Auth | None = None
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def without_header(self) -> "Access":
        """Return a copy for a server that must not see the header."""
        return replace(self, auth=None)


def load_access(settings: RestateSettings) -> Access:
    """Load the files that the settings name. Raises SettingsError."""
    return Access(_load_auth(settings), _load_tls(settings.restate_ca_file))


def _load_auth(settings: RestateSettings) -> Auth | None:
    given, file = settings.restate_auth_header, settings.restate_auth_header_file
    if given is not None and file is not None:
        raise SettingsError(f"{HEADER} and {HEADER_FILE} are both set\nFix: unset one of them.")
    if given is not None:
        return Auth(_parse(given.get_secret_value(), HEADER))
    return Auth(_read(file), file) if file is not None else None


def _read(file: Path) -> Header:
    try:
        text = file.read_bytes().decode("ascii", errors="replace")
    except OSError as error:
        raise SettingsError(
            f"{HEADER_FILE} is {file}, which can't be read: {error.strerror}\n"
            "Fix: set it to a file that contains the header for Restate."
        ) from error
    return _parse(text, f"{HEADER_FILE} is {file}, which")


def _parse(text: str, source: str) -> Header:
    match = _LINE.fullmatch(text.strip())
    if match is None:
        # The message omits the content, which may be the secret alone.
        raise SettingsError(
            f'{source} must contain one header on one line, such as "Authorization: Bearer …", in ASCII'
        )
    return Header(match[1], match[2])


def _load_tls(file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=file)
    except OSError as error:
        reason = "it contains no certificate in PEM" if isinstance(error, ssl.SSLError) else error.strerror
        raise SettingsError(
            f"{CA_FILE} is {file}, which can't be used: {reason}\n"
            "Fix: set it to a file with the certificates of the authorities to trust, each from -----BEGIN "
            "CERTIFICATE----- to -----END CERTIFICATE-----."
        ) from error
