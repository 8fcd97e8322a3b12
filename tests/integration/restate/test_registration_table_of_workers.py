"""What can happen to the worker: what landlord says, and what it does."""

from tests.integration.restate import world as w
from tests.integration.restate.table import FEW, Row, hold, table
from tests.integration.restate.world import World
from tests.support.polling import eventually_async

from landlord.engines.restate.admin import REGISTER_SECONDS

VERIFIED = {"verified": 1}
SOMEBODY_ELSES_KEY = "publickeyv1_2G8dCQhArfvGpzPw5Vx2ALciR4xCLHfS5YaT93XjNxX9"

CHANGES = {
    "the worker is away": Row(
        "WorkerUnreachable",
        happens=w.worker_is_killed,
        words="Fix: start the worker, or check LANDLORD_WORKER_URL.",
        until=w.worker_starts(),
        then="Registered",
    ),
    "the worker hangs": Row(
        "WorkerUnreachable",
        happens=w.worker_freezes,
        words="did not answer within 5 s",
        until=w.worker_thaws,
        then="Registered",
    ),
    "its revision has changed at the same URI": Row(
        "WorkerUnreachable → Superseded → Registered",
        happens=w.worker_becomes(backends="scripted,second"),
        attempts=VERIFIED,
    ),
    "observed: its revision has changed at the same URI": Row(
        "WorkerUnreachable → Superseded → Registered",
        happens=w.worker_becomes(backends="scripted,second"),
        attempts=VERIFIED,
        policy="observe",
    ),
    "it has a handler more": Row(
        "WorkerUnreachable → Superseded → Registered",
        happens=w.worker_becomes(kind="another-handler"),
        attempts=VERIFIED,
    ),
    "it has a handler less": Row(
        "WorkerUnreachable → Superseded → Registered",
        given=w.worker_becomes(kind="another-handler"),
        happens=w.worker_becomes(),
        attempts=VERIFIED,
    ),
    "it speaks only HTTP/1.1 now, and then it is as before": Row(
        "WorkerUnreachable → Superseded → RegistrationRejected",
        happens=w.worker_becomes(kind="http1"),
        until=w.worker_becomes(),
        then="WorkerUnreachable → Registered",
        attempts={"rejected": 1},
    ),
}

REFUSED = {
    "its service is of another type than the one that is registered": Row(
        "Superseded → RegistrationRejected",
        given=w.each(w.registered_by_hand(w.other), w.worker_becomes(kind="plain-service")),
        words="(META0006)\nFix: delete the deployment of the other service with this name",
        until=w.worker_becomes(),
        then="WorkerUnreachable → Superseded → Registered",
        attempts={"rejected": 1, "verified": 1},
    ),
    "its service is of another type now, and then it is as before": Row(
        "WorkerUnreachable → Superseded → RegistrationRejected",
        happens=w.worker_becomes(kind="plain-service"),
        words="offers TenantProvisioning as a Service instead of as a VirtualObject",
        until=w.worker_becomes(),
        then="WorkerUnreachable → Superseded → Registered",
        attempts={"rejected": 1, "verified": 1},
        lost={"superseded": 1},
    ),
    "it speaks only HTTP/1.1": Row(
        "NotRegistered → RegistrationRejected",
        given=w.worker_becomes(kind="http1"),
        words="(META0014)",
        until=w.worker_becomes(),
        then="WorkerUnreachable → NotRegistered → Registered",
        attempts={"rejected": 1, "verified": 1},
    ),
    "it answers with garbage": Row(
        "NotRegistered → RegistrationRejected",
        given=w.worker_becomes(kind="garbage"),
        words="not a landlord worker",
        until=w.worker_becomes(),
        then="WorkerUnreachable → NotRegistered → Registered",
        attempts={"rejected": 1, "verified": 1},
    ),
    "it answers with a web page": Row(
        "NotRegistered → RegistrationRejected",
        given=w.worker_becomes(kind="web-page"),
        words="(META0013)",
        until=w.worker_becomes(),
        then="WorkerUnreachable → NotRegistered → Registered",
        attempts={"rejected": 1, "verified": 1},
    ),
    "what was refused is tried again at once, and once, when the worker has restarted": Row(
        "NotRegistered → RegistrationRejected",
        given=w.worker_becomes(kind="web-page"),
        until=w.each(w.tried_again(w.worker_becomes(kind="web-page")), w.worker_becomes()),
        then="WorkerUnreachable → RegistrationRejected → WorkerUnreachable → NotRegistered → Registered",
        attempts={"rejected": 2, "verified": 1},
    ),
    "it offers another service": Row(
        "NotRegistered → RegistrationRejected",
        given=w.worker_becomes(kind="other-service"),
        until=w.worker_becomes(),
        then="WorkerUnreachable → NotRegistered → Registered",
        attempts={"rejected": 1, "verified": 1},
    ),
    "it answers 401, for it does not know who signs": Row(
        "NotRegistered → RegistrationRejected",
        given=w.worker_becomes(identity_key=SOMEBODY_ELSES_KEY),
        words="set the worker's LANDLORD_RESTATE_IDENTITY_KEYS",
        until=w.worker_becomes(),
        then="WorkerUnreachable → RegistrationRejected → Registered",
        attempts={"rejected": FEW, "verified": 1},
    ),
}

NOT_YET = {
    "it answers 404": Row(
        "NotRegistered → WorkerUnreachable",
        given=w.worker_becomes(kind="not-found"),
        words="(META0003)\nFix: check that the worker runs, that Restate can reach its URL",
        until=w.worker_becomes(),
        then="NotRegistered → Registered",
        attempts={"worker_unreachable": FEW, "verified": 1},
    ),
    "it answers 503": Row(
        "NotRegistered → WorkerUnreachable",
        given=w.worker_becomes(kind="failing"),
        words="(META0003)",
        until=w.each(w.worker_is_killed, w.restate_gives_up_on_it, w.worker_starts()),
        then="NotRegistered → Registered",
        attempts={"worker_unreachable": FEW, "verified": 1},
    ),
    "it lets Restate wait for ever": Row(
        "NotRegistered → WorkerUnreachable",
        given=w.each(w.worker_becomes(kind="hanging"), w.registrations_time_out_after(1.0)),
        words="keeps Restate waiting for its discovery answer",
        until=w.each(
            w.worker_is_killed,
            w.restate_gives_up_on_it,
            w.registrations_time_out_after(REGISTER_SECONDS),
            w.worker_starts(),
        ),
        then="NotRegistered → Registered",
        attempts={"worker_unreachable": FEW, "verified": 1},
    ),
}


@table(CHANGES | REFUSED | NOT_YET)
async def test_the_worker(row: Row, world: World, tenant: str) -> None:
    await hold(row, world, tenant)


async def test_a_worker_that_is_half_rolled_out_is_not_taken_for_the_new_one(world: World) -> None:
    await w.worker_becomes(kind="half-rolled-out")(world)
    async with world.operated() as engine:
        await eventually_async(world.registered, what="an attempt")
        await w.some_time_passes(world)
        await w.worker_becomes(kind="another-handler")(world)
        await engine.until("Registered")
        assert await world.handlers() == {"apply", "suspend", "archive", "delete", "describe"}
