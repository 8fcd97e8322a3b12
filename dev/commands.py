"""The command line: `python -m dev up`, `down`, `demo`, `tools` and `reference`, as `make` starts them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from dev import demo as demonstration
from dev.failure import LocalFailure
from dev.paths import state_dir
from dev.record import Record
from dev.reference import write
from dev.stack import OPERATOR, Stack
from dev.tools import KUBECTL, ensure_all, ensure_for_tests, program

_ASKED_WITH = (
    "LANDLORD_RESTATE_ADMIN_URL",
    "LANDLORD_RESTATE_INGRESS_URL",
    "LANDLORD_WORKER_URL",
    "LANDLORD_HTTP_BIND",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """Run landlord on this machine, among real parts."""


@main.command()
@click.option(
    "--kubeconfig",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Use this cluster instead of starting a control plane. Its Tenants are never deleted by `down`.",
)
def up(kubeconfig: Path | None) -> None:
    """Start a control plane, Restate, the worker and the operator, or what of them does not run yet."""
    with _stack() as stack:
        click.echo(_how_to_use(stack, stack.up(kubeconfig)))


@main.command()
def down() -> None:
    """End what `up` started, delete its Tenants, and remove all its data."""
    with _stack() as stack:
        click.echo("landlord is down" if stack.down() else "nothing was up")


@main.command()
def demo() -> None:
    """Show Tenants becoming Ready, also after Restate has lost all it knew; then clean up."""
    with _stack() as stack:
        demonstration.run(stack)


@main.command()
@click.option("--for-tests", is_flag=True, help="Those that only tests run, instead.")
def tools(for_tests: bool) -> None:
    """Build or fetch the pinned programs that are not there yet."""
    with _explained():
        ensure_for_tests() if for_tests else ensure_all()


@main.command()
def reference() -> None:
    """Write the CRD and docs/reference anew."""
    write()


@contextmanager
def _stack() -> Iterator[Stack]:
    with _explained():
        yield Stack(state_dir())


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except LocalFailure as failure:
        raise click.ClickException(str(failure)) from failure


def _how_to_use(stack: Stack, record: Record) -> str:
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
