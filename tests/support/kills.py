"""Ways in which the parts of a landlord die. They are started again at once."""

from collections.abc import Callable

from tests.support.system import System

Kill = Callable[[System], None]


def kill_operator(system: System) -> None:
    system.operator.kill()
    system.operator.start(wait=False)


def kill_worker(system: System) -> None:
    system.worker.kill()
    system.worker.start(wait=False)


def kill_restate(system: System) -> None:
    system.restate.kill()
    system.restate.start()


def lose_restate(system: System) -> None:
    system.restate.kill()
    system.restate.wipe()
    system.restate.start()


def kill_all(system: System) -> None:
    for part in (system.operator, system.worker, system.restate):
        part.kill()
    system.start()


KILLS: tuple[Kill, ...] = (kill_operator, kill_worker, kill_restate, lose_restate, kill_all)
