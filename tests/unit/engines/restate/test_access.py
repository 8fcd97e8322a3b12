"""The header and the authorities for Restate: what is taken, what is refused, and that nothing tells it."""

import asyncio
from pathlib import Path

import pytest
import trustme
from click.testing import CliRunner

from landlord.cli import main
from landlord.engines.restate import access
from landlord.engines.restate.access import Access, Auth, Header, load_access
from landlord.errors import EngineUnreachable, SettingsError
from landlord.settings import RestateSettings, load

SECRET = "s3cr3t-t0ken"
VALID = f"Authorization: Bearer {SECRET}"
NO_HEADER = [
    "",
    SECRET,
    f"Authorization Bearer {SECRET}",
    f"{VALID}\nX-Other: 1",
    f"Ünicode: {SECRET}",
    "Name:",
]


def given(**settings: object) -> Access:
    return load_access(load(RestateSettings, **settings))


async def header(of: Access) -> tuple[str, str]:
    assert of.auth is not None
    found = await of.auth.current_header()
    return found.name, found.value


@pytest.mark.parametrize("text", [VALID, f"{VALID}\n", f"Authorization:\tBearer {SECRET}  "])
async def test_the_header_comes_from_the_environment_or_a_file(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "header"
    file.write_text(text)
    assert await header(given(restate_auth_header_file=file)) == ("Authorization", f"Bearer {SECRET}")
    monkeypatch.setenv("LANDLORD_RESTATE_AUTH_HEADER", text)
    assert await header(given()) == ("Authorization", f"Bearer {SECRET}")


def test_without_either_nothing_is_sent() -> None:
    assert given().auth is None


@pytest.mark.parametrize("text", NO_HEADER)
def test_what_is_no_header_is_refused_without_being_repeated(text: str, tmp_path: Path) -> None:
    file = tmp_path / "header"
    file.write_text(text)
    for settings in ({"restate_auth_header": text}, {"restate_auth_header_file": file}):
        with pytest.raises(SettingsError, match=r'one line, such as "Authorization: Bearer …"') as refused:
            given(**settings)
        assert next(iter(settings)).upper() in str(refused.value)
        assert SECRET not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        SettingsError, match=f"FILE is {tmp_path}/no, which can't be read: No such file or dir"
    ):
        given(restate_auth_header_file=tmp_path / "no")


def test_one_of_the_two_is_enough(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="HEADER and LANDLORD_RESTATE_AUTH_HEADER_FILE are both set"):
        given(restate_auth_header=VALID, restate_auth_header_file=tmp_path)


async def test_a_changed_file_takes_effect_and_a_lost_one_is_an_outage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "REREAD_SECONDS", 0.01)
    file = tmp_path / "header"
    file.write_text(VALID)
    auth = Auth(Header("Authorization", "old"), file)
    await asyncio.sleep(0.02)
    assert (await auth.current_header()).value == f"Bearer {SECRET}"
    for content, reason in ((SECRET, "must contain one header"), (None, "can't be read: No such file")):
        if content is None:
            file.unlink()
        else:
            file.write_text(content)
        await asyncio.sleep(0.02)
        with pytest.raises(EngineUnreachable, match=f"AUTH_HEADER_FILE is {file}, which {reason}") as refused:
            await auth.current_header()
        assert SECRET not in str(refused.value)
    file.write_text("X-Key: another-secret")
    assert await auth.current_header() == Header("X-Key", "another-secret")


def test_nothing_that_holds_the_secret_shows_it() -> None:
    settings = load(RestateSettings, restate_auth_header=VALID)
    assert SECRET not in f"{settings!r} {settings} {settings.model_dump_json()} {load_access(settings)!r}"
    assert SECRET not in repr(Header("Authorization", f"Bearer {SECRET}"))


@pytest.mark.parametrize(
    ("value", "text", "shown"),
    [
        (f"Bearer {SECRET}", f"token {SECRET} has expired", "token … has expired"),
        (f"Bearer {SECRET}", f"Authorization: Bearer {SECRET}", "Authorization: … …"),
        (SECRET, f"no such key: {SECRET}", "no such key: …"),
        (f"Bearer {SECRET}", "no", "no"),
    ],
)
def test_a_secret_that_an_answer_repeats_is_hidden(value: str, text: str, shown: str) -> None:
    assert Header("Authorization", value).redact(text.encode()).decode() == shown


def test_the_secret_is_no_flag_and_the_file_is_one() -> None:
    flags = CliRunner().invoke(main, ["operator", "--help"]).output.split()
    assert "--restate-auth-header" not in flags
    assert {"--restate-auth-header-file", "--restate-ca-file"} <= set(flags)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file or directory"),
        ("", "contains no certificate"),
        ("-----BEGIN CERTIFICATE-----\n", "contains"),
    ],
)
def test_a_ca_file_that_is_none_is_refused(content: str | None, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(
        SettingsError, match=f"LANDLORD_RESTATE_CA_FILE is {file}, which can't be used: .*{reason}"
    ):
        given(restate_ca_file=file)


def test_the_authorities_of_a_ca_file_are_trusted_and_no_others(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(b"".join(trustme.CA().cert_pem.bytes() for _ in range(2)))
    assert len(given(restate_ca_file=file).tls.get_ca_certs()) == 2
