"""`landlord registration`: is the workflow registered, and if not, why, and who does what about it."""

from datetime import UTC, datetime

from landlord.engines.report import OperatorReport
from landlord.engines.restate.clients import Clients
from landlord.engines.restate.http import HttpClient
from landlord.engines.restate.inspection import Inspection, Server, inspect
from landlord.errors import SettingsError
from landlord.settings import RestateSettings


async def look(settings: RestateSettings, operator_url: str | None, *, register: bool) -> Inspection:
    """Look at the registration; with `register`, make one attempt first. Raises SettingsError."""
    if settings.engine == "local":
        raise SettingsError("LANDLORD_ENGINE is local, which runs workflows itself and registers nothing")
    clients = Clients.of(settings)
    operator = HttpClient("the operator", operator_url or _own_operator(settings))
    try:
        return await inspect(clients, operator, settings.registration_policy, register=register)
    finally:
        await clients.close()
        await operator.close()


def as_text(found: Inspection, now: datetime) -> str:
    """For a person: what is so, and then everything that it depends on, a line each."""
    rows = [
        ("admin API", _server(found.admin, found.engine_version and f"is Restate {found.engine_version}")),
        ("ingress", _server(found.ingress)),
        ("worker", _server(found.worker, ", ".join(found.backends) and f"runs {', '.join(found.backends)}")),
        ("deployment", f"{found.deployment_id} at {found.deployment_uri}" if found.deployment_id else "none"),
        ("revision", f"wanted {found.revision_wanted or 'unknown'}, seen {found.revision_seen or 'none'}"),
        ("policy", found.policy),
        ("operator", _server(found.operator, "leads")),
    ]
    if found.attempt is not None:
        outcome = found.attempt.outcome
        failed = f"PROBLEM: {outcome.replace('_', ' ')}: {found.attempt.message}"
        rows.insert(0, ("attempt", outcome if outcome == "verified" else failed))
    word = found.operator_says
    if word is not None and word.leading:
        rows.append(("it says", f"{word.reason}: {word.message}"))
        rows.append(("it does", word.doing))
        rows.append(("last verified", _ago(word.last_verified, now)))
        rows.append(("last loss", _loss(word, now)))
    if word is not None and word.worker_url != found.worker.url:
        other = f"the operator has LANDLORD_WORKER_URL={word.worker_url}: give this command the same"
        rows.append(("NOTE", other))
    lines = [f"{found.service}: {found.reason}", found.message, ""]
    return "\n".join([*lines, *(f"{name:<14} {text}" for name, text in rows)])


def _server(server: Server, more: str | None = None) -> str:
    if server.problem:
        return f"PROBLEM: {server.problem}"
    return f"{server.url} answers" + (f", {more}" if more else "")


def _loss(word: OperatorReport, now: datetime) -> str:
    loss = word.last_loss
    if loss is None:
        return "none since this operator started"
    after = loss.repaired_after_seconds
    repaired = "not repaired yet" if after is None else f"repaired after {after:.2f} s"
    return f"{loss.cause}, {_ago(loss.at, now)}, {repaired}"


def _ago(when: datetime | None, now: datetime) -> str:
    if when is None:
        return "not since this operator started"
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} ({max(0, (now - when).total_seconds()):.0f} s ago)"


def _own_operator(settings: RestateSettings) -> str:
    return f"http://localhost:{settings.http_bind.rpartition(':')[2]}"
