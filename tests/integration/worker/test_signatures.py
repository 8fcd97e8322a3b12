"""Which signatures a worker accepts: a clock that is off is as bad as another key."""

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from tests.support.session import Session

from dev.net import free_ports
from dev.programs import Program
from dev.programs import worker as worker_program
from dev.signing import ensure_key, read_public_key

MANIFEST = "application/vnd.restate.endpointmanifest.v4+json"
MINUTE, DAY = 60, 86_400


@pytest.fixture(scope="module")
def key(session: Session) -> Path:
    file = session.folder("key") / "identity.pem"
    ensure_key(file)
    return file


@pytest.fixture(scope="module")
def worker(session: Session, key: Path) -> Iterator[Program]:
    settings = {"LANDLORD_BACKENDS": "memory", "LANDLORD_RESTATE_IDENTITY_KEYS": read_public_key(key)}
    program = worker_program(
        session.folder("worker"), mark=session.mark, port=free_ports(1)[0], settings=settings
    )
    program.start()
    yield program
    program.stop()


def signed(key: Path, path: str, at: float) -> str:
    """The token that Restate sends with a request for a path at a time: valid a minute before and after."""
    private = load_pem_private_key(key.read_bytes(), password=None)
    assert isinstance(private, Ed25519PrivateKey)
    header = {"typ": "JWT", "alg": "EdDSA", "kid": read_public_key(key)}
    claims = {"aud": path, "iat": int(at), "nbf": int(at) - MINUTE, "exp": int(at) + MINUTE}
    text = b".".join(_base64(json.dumps(part).encode()) for part in (header, claims))
    return b".".join([text, _base64(private.sign(text))]).decode()


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def answer(worker: Program, token: str) -> int:
    """How the worker answers a discovery with this token."""
    headers = {"accept": MANIFEST, "x-restate-signature-scheme": "v1", "x-restate-jwt-v1": token}
    return httpx.get(f"{worker.url}/discover", headers=headers, timeout=30).status_code


@pytest.mark.parametrize(
    ("seconds", "status"),
    [(0, 200), (-MINUTE / 2, 200), (-DAY, 401), (DAY, 401)],
    ids=["now", "half a minute ago", "a day ago", "in a day"],
)
def test_what_was_signed(worker: Program, key: Path, seconds: float, status: int) -> None:
    assert answer(worker, signed(key, "/discover", time.time() + seconds)) == status


def test_what_was_signed_for_another_path(worker: Program, key: Path) -> None:
    assert answer(worker, signed(key, "/invoke", time.time())) == 401


def test_what_was_signed_with_another_key(worker: Program, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger.pem"
    ensure_key(stranger)
    assert answer(worker, signed(stranger, "/discover", time.time())) == 401
