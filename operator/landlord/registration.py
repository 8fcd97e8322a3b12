"""`landlord registration`: whether the workflow is registered, if not why, and what landlord does about
it."""

from datetime import UTC, datetime

from landlord.engines.report import OperatorReport
from landlord.engines.restate.clients import Clients
from landlord.engines.restate.http import HttpClient
from landlord.engines.restate.inspection import RegistrationReport, Server, inspect
from landlord.errors import SettingsError
from landlord.settings import RestateSettings


async def observe(
    settings: RestateSettings, operator_url: str | None, *, register: bool
) -> RegistrationReport:
    """Observe the registration; with `register`, try once to register the worker first. Raises
    SettingsError."""
    if settings.engine == "local":
        raise SettingsError(
            "LANDLORD_ENGINE is local: the local engine registers nothing\n"
            "Fix: run this command with the settings of an operator that uses Restate."
        )
    clients = Clients.from_settings(settings)
    operator = HttpClient("the operator", operator_url or _local_operator_url(settings))
    try:
        return await inspect(clients, operator, settings.registration_policy, register=register)
    finally:
        await clients.close()
        await operator.close()


def render(report: RegistrationReport, now: datetime) -> str:
    """Render the report for a person: first the result, then each part that it depends on."""
    rows = [
        (
            "admin API",
            _render_server(report.admin, report.engine_version and f"is Restate {report.engine_version}"),
        ),
        ("ingress", _render_server(report.ingress)),
        (
            "worker",
            _render_server(
                report.worker, ", ".join(report.backends) and f"runs {', '.join(report.backends)}"
            ),
        ),
        (
            "deployment",
            f"{report.deployment_id} at {report.deployment_uri}" if report.deployment_id else "none",
        ),
        (
            "revision",
            f"expected {report.revision_wanted or 'unknown'}, registered {report.revision_seen or 'none'}",
        ),
        ("policy", report.policy),
        ("operator", _render_server(report.operator, "leads")),
    ]
    if report.attempt is not None:
        outcome = report.attempt.outcome
        failed = f"PROBLEM: {outcome.replace('_', ' ')}: {report.attempt.message}"
        rows.insert(0, ("attempt", outcome if outcome == "verified" else failed))
    operator = report.operator_says
    if operator is not None and operator.leading:
        rows.append(("reports", f"{operator.reason}: {operator.message}"))
        rows.append(("activity", operator.doing))
        rows.append(("last verified", _render_time(operator.last_verified, now)))
        rows.append(("last loss", _render_loss(operator, now)))
    if operator is not None and operator.worker_url != report.worker.url:
        note = f"the operator has LANDLORD_WORKER_URL={operator.worker_url}; give this command the same URL"
        rows.append(("NOTE", note))
    lines = [f"{report.service}: {report.reason}", report.message, ""]
    return "\n".join([*lines, *(_render_row(name, text) for name, text in rows)])


def _render_row(name: str, text: str) -> str:
    """Render a row. Further lines of its text are indented."""
    return f"{name:<14} " + text.replace("\n", "\n" + " " * 15)


def _render_server(server: Server, more: str | None = None) -> str:
    if server.problem:
        return f"PROBLEM: {server.problem}"
    return f"{server.url} answers" + (f", {more}" if more else "")


def _render_loss(operator: OperatorReport, now: datetime) -> str:
    loss = operator.last_loss
    if loss is None:
        return "none since this operator started"
    after = loss.repaired_after_seconds
    repaired = "not repaired yet" if after is None else f"repaired after {after:.2f} s"
    return f"{loss.cause}, {_render_time(loss.at, now)}, {repaired}"


def _render_time(when: datetime | None, now: datetime) -> str:
    if when is None:
        return "not since this operator started"
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} ({max(0, (now - when).total_seconds()):.0f} s ago)"


def _local_operator_url(settings: RestateSettings) -> str:
    return f"http://localhost:{settings.http_bind.rpartition(':')[2]}"
