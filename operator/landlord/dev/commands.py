"""The commands of the local environment: `landlord up`, `down` and `demo`.

What they need is imported only when one of them runs: the production image has them but not the libraries.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from landlord.dev.failure import LocalFailure

if TYPE_CHECKING:
    from landlord.dev.record import Record
    from landlord.dev.stack import Stack


_ASKED_WITH = (
    "LANDLORD_RESTATE_ADMIN_URL",
    "LANDLORD_RESTATE_INGRESS_URL",
    "LANDLORD_WORKER_URL",
    "LANDLORD_HTTP_BIND",
)


@click.command()
@click.option(
    "--kubeconfig",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Use this cluster instead of starting a control plane. Its Tenants are never deleted by `down`.",
)
def up(kubeconfig: Path | None) -> None:
    """Start a control plane, Restate, the worker and the operator, or what of them does not run yet."""
    with _stack() as stack:
        click.echo(_how_to_use(stack, stack.up(kubeconfig)))


@click.command()
def down() -> None:
    """End what `up` started, delete its Tenants, and remove all its data."""
    with _stack() as stack:
        click.echo("landlord is down" if stack.down() else "nothing was up")


@click.command()
def demo() -> None:
    """Show Tenants becoming Ready, also after Restate has lost all it knew; then clean up."""
    with _stack() as stack:
        from landlord.dev.demo import run

        run(stack)


@contextmanager
def _stack() -> Iterator["Stack"]:
    try:
        from landlord.dev.paths import state_dir
        from landlord.dev.stack import Stack

        yield Stack(state_dir())
    except LocalFailure as failure:
        raise click.ClickException(str(failure)) from failure
    except ModuleNotFoundError as missing:
        raise click.ClickException(f"{missing}: the local environment needs `landlord[local]`") from missing


def _how_to_use(stack: "Stack", record: "Record") -> str:
    from landlord.dev.stack import OPERATOR
    from landlord.dev.tools import KUBECTL, program

    restate, operator = stack.restate(record), stack.program(record, OPERATOR)
    asks = " ".join(f"{name}={operator.settings[name]}" for name in _ASKED_WITH)
    return f"""
landlord is up. New Tenants run on the {record.backend} backend; with spec.compute.provider they run on
another: {operator.settings["LANDLORD_BACKENDS"]}. Pods on kubernetes are only pretended to run here.

  export KUBECONFIG={record.kubeconfig}
  {program(KUBECTL)} apply -f examples/web.yaml
  {program(KUBECTL)} get tenants

  Restate UI  {restate.admin_url}/ui
  metrics     {operator.url}/metrics
  readiness   {operator.url}/readyz
  registered? {asks} {Path(sys.executable).with_name("landlord")} registration
  logs        {stack.state}/*/*.log

`make up` again restarts what does not run or has changed; `make down` ends it and removes its data."""
