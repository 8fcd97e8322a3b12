"""How landlord gets at Restate: the header that says who is asking, and the authorities trusted for TLS."""

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
"""Shorter words of a header are as likely a part of what is said about it."""

_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x21-\x7e][\x20-\x7e\t]*)")


@dataclass(frozen=True)
class Header:
    """A header whose value nobody may see but Restate."""

    name: str
    value: str = field(repr=False)

    def hidden_in(self, body: bytes) -> bytes:
        """The body without the secret, which a proxy may have quoted in it, as text or in JSON."""
        for word in self.value.split():
            if len(word) >= SHORTEST_SECRET:
                quoted = json.dumps(word)[1:-1]
                for spelling in (word, quoted, quoted.replace("/", "\\/")):
                    body = body.replace(spelling.encode(), "…".encode())
        return body


class Auth:
    """The header for Restate: given once, or in a file that may change at any time."""

    def __init__(self, header: Header, file: Path | None = None) -> None:
        self._header = header
        self._file = file
        self._read_at = time.monotonic()

    async def header(self) -> Header:
        """What to send now. Raises EngineUnreachable if the file can't be read any more."""
        if self._file is not None and time.monotonic() - self._read_at > REREAD_SECONDS:
            try:
                self._header = await asyncio.to_thread(_read, self._file)
            except SettingsError as error:
                raise EngineUnreachable(str(error)) from error
            self._read_at = time.monotonic()
        return self._header


@dataclass(frozen=True)
class Access:
    """What a client needs besides a URL."""

    auth: Auth | None = None
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def anonymous(self) -> "Access":
        """The same for a server that must not see the header."""
        return replace(self, auth=None)


def access_of(settings: RestateSettings) -> Access:
    """What the settings say. Reads the files that they name; raises SettingsError."""
    return Access(_auth(settings), _tls(settings.restate_ca_file))


def _auth(settings: RestateSettings) -> Auth | None:
    given, file = settings.restate_auth_header, settings.restate_auth_header_file
    if given is not None and file is not None:
        raise SettingsError(f"{HEADER} and {HEADER_FILE} are both set: leave one of them out")
    if given is not None:
        return Auth(_parsed(given.get_secret_value(), HEADER))
    return Auth(_read(file), file) if file is not None else None


def _read(file: Path) -> Header:
    try:
        text = file.read_bytes().decode("ascii", errors="replace")
    except OSError as error:
        raise SettingsError(
            f"{HEADER_FILE} is {file}, which can't be read: {error.strerror}; it should be a file that "
            "holds the header for Restate"
        ) from error
    return _parsed(text, f"{HEADER_FILE} is {file}, which")


def _parsed(text: str, source: str) -> Header:
    match = _LINE.fullmatch(text.strip())
    if match is None:
        # Without what it is: it may well be the secret alone.
        raise SettingsError(
            f'{source} should hold one header on one line, such as "Authorization: Bearer …", in ASCII'
        )
    return Header(match[1], match[2])


def _tls(file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=file)
    except OSError as error:
        reason = "it holds no certificate in PEM" if isinstance(error, ssl.SSLError) else error.strerror
        raise SettingsError(
            f"{CA_FILE} is {file}, which can't be used: {reason}; it should hold the certificates of the "
            "authorities to trust, each from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----"
        ) from error
