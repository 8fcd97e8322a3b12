"""The key that a Restate server signs its requests with, by which a worker knows that they are its own."""

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
    """Have a private key in the file: the one that is there, or a new one."""
    if private.exists():
        return
    private.parent.mkdir(parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    descriptor = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)


def public_key(private: Path) -> str:
    """The public part of the key in the file, as LANDLORD_RESTATE_IDENTITY_KEYS takes it.

    Raises LocalFailure if there is no such key.
    """
    try:
        key = load_pem_private_key(private.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise LocalFailure(f"{private} holds no ed25519 key in PEM: remove it, and start Restate again")
    return f"publickeyv1_{b58encode(key.public_key().public_bytes_raw()).decode()}"
