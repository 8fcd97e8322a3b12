"""Variables from Secrets on a real control plane: what is copied, what is rolled out, and what is noticed."""

import base64
from typing import Any

import pytest
from tests.contract.harness import observe, run
from tests.integration.backends.namespaces import Namespaces, namespace_of
from tests.support.polling import eventually
from tests.support.secrets import Owner, referring

from dev.kubectl import Kubectl
from landlord.api.request import Desired
from landlord.api.workload import EnvVar
from landlord.errors import Retryable, Stuck, Terminal

VERSION = "landlord.dev/secrets-version"


@pytest.fixture
def owner(kubectl: Kubectl, namespace: str) -> Owner:
    """The owner of a Tenant's namespace, with a Secret in it that has more keys than a Tenant refers to."""
    owner = Owner(kubectl, namespace)
    owner.put(password="first", admin="not for tenants")
    return owner


def of(namespaces: Namespaces, owner: Owner, *variables: EnvVar, **fields: Any) -> Desired:
    """A tenant whose container has these variables; without any, its PASSWORD is a Secret's."""
    env = variables or (referring("PASSWORD"),)
    return namespaces.new(env=env, secrets_namespace=owner.namespace, **fields)


def copied(namespaces: Namespaces, desired: Desired) -> dict[str, str]:
    data = namespaces.get(desired, "secret").get("data") or {}
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def template(namespaces: Namespaces, desired: Desired) -> dict[str, Any]:
    found: dict[str, Any] = namespaces.get(desired, "deployment")["spec"]["template"]
    return found


async def test_just_the_keys_that_are_referred_to_are_copied_and_a_container_refers_to_the_copy(
    namespaces: Namespaces, owner: Owner
) -> None:
    owner.put("acme-mail", password="other")
    desired = of(
        namespaces,
        owner,
        EnvVar(name="LOG_LEVEL", value="info"),
        referring("PASSWORD"),
        referring("MAIL_PASSWORD", "acme-mail"),
    )
    assert [step.name for step in namespaces.backend.apply(desired)] == [
        "namespace", "limits", "network", "secrets", "workload", "ready",
    ]  # fmt: skip
    result = await namespaces.apply(desired)
    assert "Secret" in [made.kind for made in result.resources]
    assert copied(namespaces, desired) == {"web.PASSWORD": "first", "web.MAIL_PASSWORD": "other"}
    assert template(namespaces, desired)["spec"]["containers"][0]["env"] == [
        {"name": "LOG_LEVEL", "value": "info"},
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "tenant", "key": "web.PASSWORD"}}},
        {
            "name": "MAIL_PASSWORD",
            "valueFrom": {"secretKeyRef": {"name": "tenant", "key": "web.MAIL_PASSWORD"}},
        },
    ]


async def test_another_value_replaces_the_pods_and_the_same_value_again_does_not(
    namespaces: Namespaces, owner: Owner
) -> None:
    desired = of(namespaces, owner)
    await namespaces.apply(desired)
    before = template(namespaces, desired)

    owner.touch()
    await namespaces.apply(desired)
    assert template(namespaces, desired) == before
    await namespaces.apply(
        desired.model_copy(update={"workload": of(namespaces, owner, replicas=2).workload})
    )
    assert template(namespaces, desired) == before

    owner.put(password="second")
    await namespaces.apply(desired)
    assert copied(namespaces, desired) == {"web.PASSWORD": "second"}
    after = template(namespaces, desired)
    assert after["metadata"]["annotations"][VERSION] != before["metadata"]["annotations"][VERSION]
    assert after["spec"] == before["spec"]


async def test_the_survey_says_that_a_secret_has_changed_until_it_is_applied_again(
    namespaces: Namespaces, owner: Owner
) -> None:
    desired = of(namespaces, owner)
    await namespaces.apply(desired)

    async def outdated() -> str:
        seen = await observe(namespaces.backend, desired.tenant_id)
        assert seen is not None
        assert seen.healthy, seen
        assert seen.drift == "", seen
        return seen.outdated

    assert await outdated() == ""
    for touched in (False, True):
        owner.touch() if touched else owner.put(password="second")
        assert await outdated() == f"the Secret {owner.namespace}/acme-db has changed"
        await namespaces.apply(desired)
        assert await outdated() == ""
    owner.remove()
    assert await outdated() == "", "there is nothing that could be rolled out"
    owner.put(password="third")
    assert await outdated() == f"the Secret {owner.namespace}/acme-db has changed"


async def test_an_optional_variable_is_left_out_until_there_is_a_value(
    namespaces: Namespaces, owner: Owner
) -> None:
    desired = of(
        namespaces,
        owner,
        referring("PASSWORD"),
        referring("TOKEN", key="token", optional=True),
        referring("LICENCE", "licence", optional=True),
    )
    await namespaces.apply(desired)
    assert copied(namespaces, desired) == {"web.PASSWORD": "first"}
    owner.put("licence", password="L1")
    seen = await observe(namespaces.backend, desired.tenant_id)
    assert seen is not None
    assert seen.outdated == f"the Secret {owner.namespace}/licence has changed"
    before = template(namespaces, desired)
    await namespaces.apply(desired)
    assert copied(namespaces, desired) == {"web.PASSWORD": "first", "web.LICENCE": "L1"}
    assert template(namespaces, desired) != before


async def test_a_copy_that_nothing_refers_to_is_removed(namespaces: Namespaces, owner: Owner) -> None:
    desired = of(namespaces, owner)
    await namespaces.apply(desired)
    await namespaces.apply(namespaces.new(desired.tenant_id))
    assert namespaces.get(desired, "secret") == {}
    assert "annotations" not in template(namespaces, desired)["metadata"]


async def test_what_pods_of_the_version_before_refer_to_is_there_until_they_are_gone(
    namespaces: Namespaces, owner: Owner
) -> None:
    both = of(namespaces, owner, referring("PASSWORD"), referring("OLD", key="admin"))
    one = namespaces.new(both.tenant_id, env=(referring("PASSWORD"),), secrets_namespace=owner.namespace)
    none = namespaces.new(both.tenant_id)
    held = {"web.PASSWORD": "first", "web.OLD": "not for tenants"}
    await namespaces.apply(both)
    for desired in (one, none):
        before = copied(namespaces, both)
        await namespaces.make(desired)
        assert copied(namespaces, both) == before
        assert before == held
        await namespaces.apply(desired)
        held = {"web.PASSWORD": "first"}
        assert copied(namespaces, both) == (held if desired is one else {})


async def test_an_optional_value_that_is_gone_is_not_carried_over(
    namespaces: Namespaces, owner: Owner
) -> None:
    desired = of(namespaces, owner, referring("PASSWORD"), referring("OLD", key="admin", optional=True))
    await namespaces.apply(desired)
    owner.put(password="first")
    await namespaces.make(desired)
    assert copied(namespaces, desired) == {"web.PASSWORD": "first"}


async def test_a_secret_of_somebody_else_is_left_as_it_is(namespaces: Namespaces, owner: Owner) -> None:
    desired = of(namespaces, owner)
    await run(namespaces.backend.apply(desired)[:1])
    Owner(namespaces.kubectl, namespace_of(desired)).put("tenant", theirs="yes")
    failure = await namespaces.failure(desired)
    assert (type(failure), failure.code) == (Terminal, "Conflict")
    assert "a Secret named tenant exists" in failure.message
    assert copied(namespaces, desired) == {"theirs": "yes"}
    await namespaces.apply(namespaces.new(desired.tenant_id))
    assert copied(namespaces, desired) == {"theirs": "yes"}


async def test_what_was_changed_in_the_copy_is_found_named_without_its_value_and_put_back(
    namespaces: Namespaces, owner: Owner
) -> None:
    desired = of(namespaces, owner)
    await namespaces.apply(desired)
    assert await namespaces.backend.inspect(desired) == []
    namespaces.edit(desired, "secret", {"stringData": {"web.PASSWORD": "changed", "mine": "theirs"}})
    seen = await observe(namespaces.backend, desired.tenant_id)
    assert seen is not None
    assert seen.drift == "somebody else set fields of the Secret: data.mine, data[web.PASSWORD]"
    differences = await namespaces.backend.inspect(desired)
    assert differences == [
        "Secret tenant: mine is set, should not be",
        "Secret tenant: web.PASSWORD differs from its source",
    ]
    await namespaces.apply(desired)
    assert copied(namespaces, desired) == {"web.PASSWORD": "first"}
    assert await namespaces.backend.inspect(desired) == []


async def test_a_copy_that_was_removed_is_made_again(namespaces: Namespaces, owner: Owner) -> None:
    desired = of(namespaces, owner)
    await namespaces.apply(desired)
    namespaces.kubectl("delete", "secret", "tenant", "-n", namespace_of(desired))
    seen = await observe(namespaces.backend, desired.tenant_id)
    assert seen is not None
    assert seen.drift == "the Secret is missing"
    assert "Secret tenant is missing" in await namespaces.backend.inspect(desired)
    workload = next(step for step in namespaces.backend.apply(desired) if step.name == "workload")
    await workload.run()
    assert copied(namespaces, desired) == {"web.PASSWORD": "first"}


async def test_an_archived_tenant_has_no_copy_and_gets_it_back(namespaces: Namespaces, owner: Owner) -> None:
    desired = of(namespaces, owner)
    await namespaces.apply(desired)
    await run(namespaces.backend.archive(desired.tenant_id))
    assert namespaces.get(desired, "secret") == {}
    await namespaces.apply(desired)
    assert copied(namespaces, desired) == {"web.PASSWORD": "first"}


@pytest.mark.parametrize(
    ("values", "kind", "code", "words"),
    [
        (
            None,
            Retryable,
            "SecretNotFound",
            "the Secret {}/acme-db does not exist; a variable refers to its key password",
        ),
        ({"user": "x"}, Retryable, "SecretKeyNotFound", "the Secret {}/acme-db has no key password"),
        ({"password": b"\xff\xfe"}, Stuck, "SecretNotText", "the key password of the Secret {}/acme-db"),
        ({"password": b"a\0b"}, Stuck, "SecretNotText", "is not text"),
    ],
    ids=["no Secret", "no key", "not UTF-8", "a zero byte"],
)
async def test_a_value_that_there_is_none_of_is_named_with_what_to_do(
    namespaces: Namespaces,
    owner: Owner,
    values: dict[str, str | bytes] | None,
    kind: type[Exception],
    code: str,
    words: str,
) -> None:
    owner.remove() if values is None else owner.put("acme-db", **values)
    failure = await namespaces.failure(of(namespaces, owner))
    assert isinstance(failure, kind)
    assert failure.code == code
    assert words.format(owner.namespace) in failure.message
    assert failure.fix


@pytest.mark.parametrize("gone", [False, True], ids=["its source is there", "its source is gone"])
@pytest.mark.parametrize("value", ["s3cret-of-mine", "s3cret" * 100], ids=["short", "long"])
async def test_what_a_container_says_last_does_not_carry_its_secret_into_a_message(
    namespaces: Namespaces, owner: Owner, value: str, gone: bool
) -> None:
    desired = of(namespaces, owner)
    owner.put(password=value)
    await namespaces.apply(desired)
    if gone:
        owner.remove()
    break_with(namespaces, desired, f"wrong password: {value}")
    ready = namespaces.backend.apply(desired)[-1]
    with pytest.raises(Retryable, match=r"wrong password: \*\*\*\n") as failure:
        await ready.run()
    assert failure.value.code == "CrashLooping"


async def test_a_secret_that_is_corrected_while_its_pods_fail_is_rolled_out_by_the_next_try(
    namespaces: Namespaces, owner: Owner
) -> None:
    desired = of(namespaces, owner)
    await namespaces.apply(desired)
    break_with(namespaces, desired, "wrong password")
    ready = namespaces.backend.apply(desired)[-1]
    owner.put(password="right")
    await ready.run()
    assert copied(namespaces, desired) == {"web.PASSWORD": "right"}


def break_with(namespaces: Namespaces, desired: Desired, last_words: str) -> None:
    """What the kubelet writes of a container that crashes."""
    ended = {"exitCode": 3, "reason": "Error", "message": f"starting\n{last_words}\n"}
    crashing = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": ended}}
    namespaces.break_pod(desired, **crashing, restartCount=4)
    eventually(lambda: "availableReplicas" not in namespaces.get(desired, "deployment")["status"])
