"""The key with which a Restate server signs its requests, so that a worker accepts no other requests."""

import os
from pathlib import Path

from base58 import b58encode
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from dev.failure import LocalFailure


def ensure_key(private: Path) -> None:
    """Create a private key in the file, unless it exists."""
    if private.exists():
        return
    private.parent.mkdir(parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    descriptor = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)


def read_public_key(private: Path) -> str:
    """The public key for the private key in the file, in the format of LANDLORD_RESTATE_IDENTITY_KEYS.

    Raises LocalFailure if the file has no such key.
    """
    try:
        key = load_pem_private_key(private.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise LocalFailure(
            f"{private} contains no ed25519 key in PEM format", fix="delete the file, and start Restate again"
        )
    return f"publickeyv1_{b58encode(key.public_key().public_bytes_raw()).decode()}"
