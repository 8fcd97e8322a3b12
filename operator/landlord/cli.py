"""The command line: `landlord operator`, `landlord worker`, and the commands that inspect them."""

import asyncio
import json
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import click
import yaml
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from landlord import __version__, telemetry
from landlord.api.crd import tenant_crd
from landlord.errors import LandlordError, SettingsError
from landlord.settings import (
    PREFIX,
    BackendsSettings,
    OperatorSettings,
    RestateSettings,
    WorkerSettings,
    default_of,
    is_secret,
    load,
)

log = logging.getLogger(__name__)
F = TypeVar("F", bound=Callable[..., Any])


def add_flags(kind: type[BaseSettings]) -> Callable[[F], F]:
    """Add a flag for each setting except secrets: LANDLORD_WORKER_URL is --worker-url."""

    def add(command: F) -> F:
        for name, field in reversed(kind.model_fields.items()):
            if is_secret(field):
                continue
            option = click.option(
                f"--{name.replace('_', '-')}", name, help=_describe(name, field), metavar="VALUE"
            )
            command = option(command)
        return command

    return add


def _describe(name: str, field: FieldInfo) -> str:
    default = f" Default: {value}." if (value := default_of(field)) else ""
    return f"{' '.join((field.description or '').split())}{default} [{PREFIX}{name.upper()}]"


output_format = click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Output format.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__)
def main() -> None:
    """Provision the tenants of a SaaS platform from Tenant objects in Kubernetes."""


@main.command()
@add_flags(OperatorSettings)
def operator(**given: str | None) -> None:
    """Run the operator, which watches Tenants, keeps the workflow registered and starts workflows."""
    from landlord.controller import main as program

    def run() -> None:
        settings = load(OperatorSettings, **given)
        telemetry.configure(settings.log_format, settings.log_level)
        asyncio.run(program.main(settings, lambda: _build_engine(settings)))

    _run(run)


@main.command()
@add_flags(WorkerSettings)
def worker(**given: str | None) -> None:
    """Run the worker, which runs provisioning workflows for Restate on the installed backends."""
    from landlord.backends.loading import load_backends
    from landlord.worker import app

    def run() -> None:
        settings = load(WorkerSettings, **given)
        telemetry.configure(settings.log_format, settings.log_level)
        backends = load_backends(settings.backends or None)
        asyncio.run(app.serve(settings.worker_bind, backends, settings.restate_identity_keys))

    _run(run)


@main.command()
@add_flags(RestateSettings)
@click.option(
    "--operator-url", metavar="URL", help="URL of the operator. Default: localhost, port of --http-bind."
)
@click.option("--register", is_flag=True, help="First try once to register the worker, whatever the policy.")
@output_format
def registration(operator_url: str | None, register: bool, output: str, **given: str | None) -> None:
    """Show whether the workflow is registered, and if not, why.

    Exits with 0 if it is registered and everything works, otherwise with 1.
    """
    from landlord.registration import observe, render

    def run() -> None:
        settings = load(RestateSettings, **given)
        report = asyncio.run(observe(settings, operator_url, register=register))
        json_text = report.model_dump_json(indent=2)
        click.echo(json_text if output == "json" else render(report, datetime.now(UTC)))
        sys.exit(0 if report.well else 1)

    logging.disable()  # the output contains everything
    _run(run)


@main.command()
@add_flags(BackendsSettings)
@click.argument("name", required=False)
@output_format
def backends(name: str | None, output: str, **given: str | None) -> None:
    """Show the installed backends, and whether each is enabled, loads and answers.

    With NAME or as JSON, also show the JSON Schema of the backend's spec.compute.config.

    Run it in the worker's environment, with the worker's settings and rights. Exits with 0 if all enabled
    backends are healthy, otherwise with 1.
    """
    from landlord import inventory

    def run() -> None:
        found = inventory.check_backends(load(BackendsSettings, **given).backends or None)
        if name is not None:
            found = [inventory.find(found, name)]
        if output == "json":
            facts = [each.model_dump(mode="json") for each in found]
            click.echo(json.dumps(facts if name is None else facts[0], indent=2))
        else:
            click.echo(inventory.render(found) if name is None else inventory.render_one(found[0]))
        sys.exit(0 if all(each.well for each in found) else 1)

    logging.disable()  # the output contains everything
    _run(run)


@main.command()
@click.argument("tenant")
@click.option("-n", "--namespace", help="Namespace of the Tenant. Default: that of the kubeconfig's context.")
@click.option("--wait", is_flag=True, help="Wait for the end. Exits with 1 if the tenant is not Ready then.")
@click.option("--timeout", type=float, default=600.0, show_default=True, help="Seconds to wait at most.")
def retry(tenant: str, namespace: str | None, wait: bool, timeout: float) -> None:
    """Have landlord try again now to provision, repair or delete TENANT, instead of later or never.

    Needs the right to patch the Tenant. Sets the annotation landlord.dev/retry-requested-at to the present
    time.
    """
    from landlord.api.tenant import Key
    from landlord.kubernetes_api import ApiServer
    from landlord.kubernetes_config import find_namespace
    from landlord.retry import describe_request, request_retry, wait_for_end

    async def run() -> bool:
        api = ApiServer()
        try:
            await api.connect()
            key = Key(namespace or find_namespace(), tenant)
            requested = await request_retry(api, key, datetime.now(UTC))
            click.echo(describe_request(requested))
            if not wait:
                return True
            has_helped, state = await wait_for_end(api, requested, timeout)
            click.echo(state)
            return has_helped
        finally:
            await api.close()

    logging.disable()  # the output contains everything
    _run(lambda: sys.exit(0 if asyncio.run(run()) else 1))


@main.command()
def crd() -> None:
    """Print the CustomResourceDefinition, for `kubectl apply -f -`."""
    click.echo(yaml.safe_dump(tenant_crd(), sort_keys=False, width=110), nl=False)


def _build_engine(settings: OperatorSettings) -> Any:
    if settings.engine == "local":
        from landlord.backends.loading import load_backends
        from landlord.engines.local import LocalEngine

        return LocalEngine(load_backends(settings.backends or None))
    from landlord.engines.restate.clients import Clients
    from landlord.engines.restate.engine import RestateEngine

    return RestateEngine(Clients.from_settings(settings), settings.registration_policy)


def _run(program: Callable[[], None]) -> None:
    """Run a program. An expected error ends it with a message and exit code 2 (settings) or 1."""
    try:
        program()
    except BaseExceptionGroup as group:
        _fail(*_flatten(group))
    except LandlordError as error:
        _fail(error)
    except KeyboardInterrupt:
        sys.exit(130)


def _flatten(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    leaves: list[BaseException] = []
    for error in group.exceptions:
        leaves += _flatten(error) if isinstance(error, BaseExceptionGroup) else [error]
    return leaves


def _fail(*errors: BaseException) -> None:
    for error in errors:
        if isinstance(error, LandlordError):
            click.echo(f"landlord: {error}", err=True)
        else:
            log.error("the program failed", exc_info=error)
    sys.exit(2 if all(isinstance(error, SettingsError) for error in errors) else 1)
