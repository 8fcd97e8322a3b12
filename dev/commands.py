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
from dev.reference import write_generated
from dev.stack import OPERATOR, Stack
from dev.tools import KUBECTL, ensure_all, ensure_for_tests, program

_REGISTRATION_SETTINGS = (
    "LANDLORD_RESTATE_ADMIN_URL",
    "LANDLORD_RESTATE_INGRESS_URL",
    "LANDLORD_WORKER_URL",
    "LANDLORD_HTTP_BIND",
)


_FAKE_PODS = " The cluster has a fake node, so pods of the kubernetes backend do not really run."


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """Run landlord on this machine, with real parts around it."""


@main.command()
@click.option(
    "--kubeconfig",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Use this cluster instead of starting a control plane. `down` leaves its Tenants alone.",
)
def up(kubeconfig: Path | None) -> None:
    """Start a control plane, Restate, the worker and the operator, except those that are already running."""
    with _opening_stack() as stack:
        click.echo(_describe_usage(stack, stack.up(kubeconfig)))


@main.command()
def down() -> None:
    """Delete the Tenants, stop everything that `up` started, and delete its data."""
    with _opening_stack() as stack:
        click.echo("landlord is down" if stack.down() else "landlord was not up")


@main.command()
def demo() -> None:
    """Show how Tenants become Ready, even after Restate loses its store; then clean up."""
    with _opening_stack() as stack:
        demonstration.run(stack)


@main.command()
@click.option("--for-tests", is_flag=True, help="Only the programs that only the tests run.")
def tools(for_tests: bool) -> None:
    """Build or download the pinned programs that are missing."""
    with _explaining_failures():
        ensure_for_tests() if for_tests else ensure_all()


@main.command()
def reference() -> None:
    """Generate the CRD and docs/reference."""
    write_generated()


@contextmanager
def _opening_stack() -> Iterator[Stack]:
    with _explaining_failures():
        yield Stack(state_dir())


@contextmanager
def _explaining_failures() -> Iterator[None]:
    try:
        yield
    except LocalFailure as failure:
        raise click.ClickException(str(failure)) from failure


def _describe_usage(stack: Stack, record: Record) -> str:
    restate, operator = stack.restate(record), stack.program(record, OPERATOR)
    settings = " ".join(f"{name}={operator.settings[name]}" for name in _REGISTRATION_SETTINGS)
    return f"""
landlord is up. New Tenants run on the {record.backend} backend; spec.compute.provider can name another of
{operator.settings["LANDLORD_BACKENDS"]}.{_FAKE_PODS if record.own_cluster else ""}

  export KUBECONFIG={record.kubeconfig}
  {program(KUBECTL)} apply -f examples/web.yaml
  {program(KUBECTL)} get tenants

  Restate UI    {restate.admin_url}/ui
  metrics       {operator.url}/metrics
  readiness     {operator.url}/readyz
  registration  {settings} {Path(sys.executable).with_name("landlord")} registration
  logs          {stack.state}/*/*.log

Run the same command again to restart what has stopped or changed.
`make down` stops everything and deletes its data."""
