"""What can happen to Restate and to what is registered in it: what landlord says, and what it does."""

from tests.integration.restate import world as w
from tests.integration.restate.table import FEW, Row, hold, table
from tests.integration.restate.world import World
from tests.support.proxy import answers

VERIFIED = {"verified": 1}
STORE_LOST = {"store_lost": 1}

STARTS = {
    "first start": Row("NotRegistered → Registered", attempts=VERIFIED),
    "Restate is away at first": Row(
        "EngineUnreachable",
        given=w.restate_stops,
        words="can't be reached: connection refused",
        until=w.restate_starts,
        then="NotRegistered → Registered",
        attempts=VERIFIED,
    ),
    "the worker is away at first": Row(
        "WorkerUnreachable",
        given=w.worker_is_killed,
        until=w.worker_starts(),
        then="NotRegistered → Registered",
        attempts=VERIFIED,
    ),
    "the ingress is away at first": Row(
        "NotRegistered → EngineUnreachable",
        given=w.ingress_goes_away,
        words="Restate's ingress at ",
        until=w.ingress_comes_back,
        then="Registered",
        attempts=VERIFIED,
        behind_proxies=True,
    ),
    "another deployment is there already": Row(
        "Superseded → Registered", given=w.registered_by_hand(w.other), attempts=VERIFIED
    ),
}

STORES = {
    "Restate is stopped and started with its data": Row(
        "EngineUnreachable", happens=w.restate_stops, until=w.restate_starts, then="Registered"
    ),
    "Restate is killed and started with its data": Row(
        "EngineUnreachable",
        happens=w.restate_is_killed,
        words="Restate's admin API at ",
        until=w.restate_starts,
        then="Registered",
    ),
    "the directory is wiped": Row(
        "EngineUnreachable",
        happens=w.store_is_wiped,
        until=w.restate_starts,
        then="RegistrationLost → Registered",
        attempts=VERIFIED,
        lost=STORE_LOST,
    ),
    "the node has a new name on the old directory": Row(
        "EngineUnreachable",
        happens=w.node_is_renamed,
        until=w.restate_starts,
        then="RegistrationLost → Registered",
        attempts=VERIFIED,
        lost=STORE_LOST,
    ),
    "the directory is wiped, and the clock jumps a day ahead": Row(
        "EngineUnreachable",
        happens=w.each(w.store_is_wiped, w.clock_jumps(w.DAY)),
        until=w.restate_starts,
        then="RegistrationLost → Registered",
        attempts=VERIFIED,
        lost=STORE_LOST,
    ),
    "the directory is wiped, and the clock jumps a day back": Row(
        "EngineUnreachable",
        happens=w.each(w.store_is_wiped, w.clock_jumps(-w.DAY)),
        until=w.restate_starts,
        then="RegistrationLost → Registered",
        attempts=VERIFIED,
        lost=STORE_LOST,
    ),
    "the directory is wiped behind a gateway that stays": Row(
        "EngineUnreachable",
        happens=w.store_is_wiped,
        until=w.restate_starts,
        then="RegistrationLost → Registered",
        attempts=VERIFIED,
        lost=STORE_LOST,
        behind_proxies=True,
    ),
    "the directory is wiped while the worker is away": Row(
        "WorkerUnreachable → EngineUnreachable → WorkerUnreachable",
        happens=w.each(w.worker_is_killed, w.store_is_wiped, w.until("EngineUnreachable"), w.restate_starts),
        until=w.worker_starts(),
        then="RegistrationLost → Registered",
        attempts=VERIFIED,
        lost=STORE_LOST,
    ),
    "the deployment is deleted by hand": Row(
        "RegistrationLost → Registered",
        happens=w.deployment_is_deleted,
        attempts=VERIFIED,
        lost={"deployment_deleted": 1},
    ),
}

OTHER_DEPLOYMENTS = {
    "superseded by another URI": Row(
        "Superseded → Registered",
        happens=w.registered_by_hand(w.other),
        attempts=VERIFIED,
        lost={"superseded": 1},
    ),
    "rolled back to an older deployment": Row(
        "Superseded → Registered",
        given=w.registered_by_hand(w.other),
        happens=w.registered_by_hand(w.other),
        attempts=VERIFIED,
        lost={"superseded": 1},
    ),
    "an older deployment is registered again without force, which changes nothing": Row(
        "",
        given=w.registered_by_hand(w.other),
        happens=w.each(w.registered_by_hand(w.other, force=False), w.is_looked_at),
    ),
    "our own URI is registered by hand, which is as good": Row(
        "",
        happens=w.each(w.registered_by_hand(w.ours), w.is_looked_at),
    ),
    "superseded by a service of another type": Row(
        "Superseded → Registered",
        given=w.other_worker_becomes(kind="plain-service"),
        happens=w.registered_by_hand(w.other),
        attempts=VERIFIED,
        lost={"superseded": 1},
    ),
    "a service of another type has our name at first, and is removed": Row(
        "Superseded → RegistrationRejected",
        given=w.each(w.other_worker_becomes(kind="plain-service"), w.registered_by_hand(w.other)),
        words="(META0006)\nFix: delete the deployment of the other service with this name",
        until=w.deployment_is_deleted,
        then="NotRegistered → Registered",
        attempts={"rejected": 1, "verified": 1},
    ),
    "what was refused is tried again at once, and once, when Restate has restarted": Row(
        "Superseded → RegistrationRejected",
        given=w.each(w.other_worker_becomes(kind="plain-service"), w.registered_by_hand(w.other)),
        until=w.each(
            w.tried_again(w.restate_stops, w.until("EngineUnreachable"), w.restate_starts),
            w.deployment_is_deleted,
        ),
        then="EngineUnreachable → RegistrationRejected → NotRegistered → Registered",
        attempts={"rejected": 2, "verified": 1},
    ),
    "what was refused is not due only because the clock jumps a day ahead": Row(
        "Superseded → RegistrationRejected",
        given=w.each(w.other_worker_becomes(kind="plain-service"), w.registered_by_hand(w.other)),
        until=w.each(w.clock_jumps(w.DAY), w.some_time_passes, w.deployment_is_deleted),
        then="NotRegistered → Registered",
        attempts={"rejected": 1, "verified": 1},
    ),
    "superseded again and again, which is put right ever more slowly, whatever the clock says": Row(
        "Superseded → Registered → Superseded → Registered → Superseded → Registered → Superseded",
        happens=w.each(
            *3 * [w.other_worker_takes_over_in_vain], w.clock_jumps(-w.DAY), w.registered_by_hand(w.other)
        ),
        words="repeatedly registers it; landlord waits longer each time",
        until=w.until("Registered"),
        then="Registered",
        attempts={"verified": 4},
        lost={"superseded": 4},
    ),
}

PRIVATE = {
    "the workflow is made private": Row(
        "NotPublic → Registered", happens=w.made_private("TenantProvisioning"), attempts=VERIFIED
    ),
    "the surveys are made private": Row(
        "NotPublic → Registered", happens=w.made_private("TenantSurvey"), attempts=VERIFIED
    ),
    "observed: the workflow is made private, until a person registers it": Row(
        "NotPublic",
        happens=w.made_private("TenantProvisioning"),
        words="Fix: run `landlord registration --register` to make it public again",
        until=w.registered_by_hand(w.ours),
        then="Registered",
        policy="observe",
    ),
}

OBSERVED = {
    "observed: first start": Row("NotRegistered → Registered", attempts=VERIFIED, policy="observe"),
    "observed: the directory is wiped": Row(
        "EngineUnreachable",
        happens=w.store_is_wiped,
        until=w.restate_starts,
        then="RegistrationLost → Registered",
        attempts=VERIFIED,
        lost=STORE_LOST,
        policy="observe",
    ),
    "observed: superseded by another URI, which a person takes back": Row(
        "Superseded",
        happens=w.registered_by_hand(w.other),
        words="run `landlord registration --register` to take the workflow back",
        until=w.registered_by_hand(w.ours),
        then="Registered",
        lost={"superseded": 1},
        repaired_by_person=True,
        policy="observe",
    ),
    "observed: superseded by another URI, which is removed": Row(
        "Superseded",
        happens=w.registered_by_hand(w.other),
        until=w.deployment_is_deleted,
        then="Registered",
        lost={"superseded": 1},
        repaired_by_person=True,
        policy="observe",
    ),
}

HALF_AWAY = {
    "the admin API is away, the ingress is there": Row(
        "EngineUnreachable",
        happens=w.admin_goes_away,
        words="Restate's admin API at ",
        until=w.admin_comes_back,
        then="Registered",
        behind_proxies=True,
    ),
    "the admin API answers 500": Row(
        "EngineUnreachable",
        happens=w.admin(lambda _: answers(500, "no room left")),
        words="answered 500: no room left",
        until=w.admin(lambda proxy: proxy.passes_on),
        then="Registered",
        behind_proxies=True,
    ),
    "the admin API answers 401": Row(
        "EngineUnreachable",
        happens=w.admin(lambda _: answers(401, "who are you?")),
        words="LANDLORD_RESTATE_AUTH_HEADER",
        until=w.admin(lambda proxy: proxy.passes_on),
        then="Registered",
        behind_proxies=True,
    ),
    "a gateway in front of the admin API answers 404": Row(
        "EngineUnreachable",
        happens=w.admin(lambda _: answers(404, "default backend - 404")),
        words="answered 404: default backend",
        until=w.admin(lambda proxy: proxy.passes_on),
        then="Registered",
        behind_proxies=True,
    ),
    "the admin API answers after a second": Row(
        "",
        happens=w.each(w.admin(lambda proxy: proxy.late(1.0)), w.is_looked_at),
        behind_proxies=True,
    ),
    "the admin API answers too late": Row(
        "EngineUnreachable",
        happens=w.admin(lambda proxy: proxy.late(6.0)),
        words="did not answer within 5 s",
        until=w.admin(lambda proxy: proxy.passes_on),
        then="Registered",
        behind_proxies=True,
    ),
    "a gateway answers 404 to registrations": Row(
        "NotRegistered → EngineUnreachable",
        given=w.admin(lambda proxy: proxy.to("POST", answers(404, "default backend - 404"))),
        words="default backend - 404 (HTTP 404)\nFix: check LANDLORD_RESTATE_ADMIN_URL",
        until=w.admin(lambda proxy: proxy.passes_on),
        then="Registered",
        attempts={"engine_unreachable": FEW, "verified": 1},
        behind_proxies=True,
    ),
    "the admin API answers 500 to registrations": Row(
        "NotRegistered → EngineUnreachable",
        given=w.admin(lambda proxy: proxy.to("POST", answers(500))),
        until=w.admin(lambda proxy: proxy.passes_on),
        then="Registered",
        attempts={"engine_unreachable": FEW, "verified": 1},
        behind_proxies=True,
    ),
    "the ingress is away, the admin API is there": Row(
        "EngineUnreachable",
        happens=w.ingress_goes_away,
        words="Restate's ingress at ",
        until=w.ingress_comes_back,
        then="Registered",
        behind_proxies=True,
    ),
    "the ingress is that of another Restate": Row(
        "EngineUnreachable",
        happens=w.ingress(lambda proxy: proxy.to("GET", answers(200, '{"services": ["Greeter"]}'))),
        words="does not have TenantProvisioning, which is registered in Restate's admin API at ",
        until=w.ingress(lambda proxy: proxy.passes_on),
        then="Registered",
        behind_proxies=True,
    ),
    "the ingress answers 503": Row(
        "EngineUnreachable",
        happens=w.ingress(lambda _: answers(503)),
        words="answered 503",
        until=w.ingress(lambda proxy: proxy.passes_on),
        then="Registered",
        behind_proxies=True,
    ),
}


@table(STARTS | STORES | OTHER_DEPLOYMENTS | PRIVATE | OBSERVED | HALF_AWAY)
async def test_the_registration(row: Row, world: World, tenant: str) -> None:
    await hold(row, world, tenant)
