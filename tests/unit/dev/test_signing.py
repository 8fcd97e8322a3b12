"""The key of a local Restate. That it is Restate's own idea of it too is in tests/integration/dev."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from dev.failure import LocalFailure
from dev.signing import ensure_key, read_public_key

OTHER_KIND = generate_private_key(SECP256R1()).private_bytes(
    Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
)


@pytest.fixture
def private(tmp_path: Path) -> Path:
    return tmp_path / "restate" / "identity.pem"


def test_a_new_key_is_for_its_owner_only_and_stays(private: Path) -> None:
    ensure_key(private)
    made = read_public_key(private)
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    ensure_key(private)
    assert read_public_key(private) == made
    private.unlink()
    ensure_key(private)
    assert read_public_key(private) != made


@pytest.mark.parametrize(
    "content", [None, b"", b"secret", OTHER_KIND], ids=["gone", "empty", "text", "other kind"]
)
def test_what_is_no_such_key_is_named_with_what_to_do(private: Path, content: bytes | None) -> None:
    if content is not None:
        private.parent.mkdir()
        private.write_bytes(content)
    with pytest.raises(
        LocalFailure, match=f"{private} contains no ed25519 key in PEM format\nFix: delete the file"
    ):
        read_public_key(private)
