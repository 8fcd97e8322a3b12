"""The reference of conditions lists exactly what the control loop can report.

Each `Verdict(type, status, reason, …)` in the sources is read. What a variable may hold is stated here; a new
variable fails until it is, too.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from typing import get_args, get_type_hints

from dev.paths import CHECKOUT
from landlord.api import conditions
from landlord.api.condition_reference import QUESTIONS, ROWS
from landlord.controller.decide import status
from landlord.controller.decide.composing import ACTIVITIES
from landlord.controller.decide.health import UNWELL
from landlord.controller.decide.hold import Hold
from landlord.controller.decide.retry import REFUSED_BY_WORKER
from landlord.engines.contract import ENGINE_STUCK
from landlord.engines.restate import refusals, verdict

Triple = tuple[str, str, str]
REASON = re.compile(r"(?:[A-Z][a-z]+)+")
DECIDE = CHECKOUT / "operator" / "landlord" / "controller" / "decide"
CONDITIONS = {name: value for name, value in vars(conditions).items() if value in conditions.ORDER}


def literals(source: str, call: str) -> set[str]:
    """The first arguments of all such calls."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    named = (node for node in calls if isinstance(node.func, ast.Name) and node.func.id == call)
    return {str(node.args[0].value) for node in named if isinstance(node.args[0], ast.Constant)}


def reported_by_engines() -> set[tuple[str, str]]:
    """Status and reason of each registration."""
    reasons = {
        node.value
        for node in ast.walk(ast.parse(inspect.getsource(verdict)))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and REASON.fullmatch(node.value)
    } - {"True", "False", "Unknown"} | {ENGINE_STUCK}
    statuses = {"Registered": "True", "EngineUnreachable": "Unknown", ENGINE_STUCK: "Unknown"}
    return {(statuses.get(reason, "False"), reason) for reason in reasons | {*get_args(refusals.Reason)}}


def waits() -> set[tuple[str, str]]:
    """Status and reason of Ready while work waits, as the function that judges it returns them."""
    returned = ast.walk(ast.parse(inspect.getsource(status._judge_waiting)))
    pairs = (node.value for node in returned if isinstance(node, ast.Return))
    return {ast.literal_eval(pair) for pair in pairs if isinstance(pair, ast.Tuple)}


FAILED = {*REFUSED_BY_WORKER, "ProvisioningFailed", "Deleting"}
REFUSED = literals((DECIDE / "acceptance.py").read_text(), "NotAccepted")
UNDER_WAY: set[str] = {*ACTIVITIES.values()}
RESTING = {"Provisioned", "Suspended", "Archived"}
NEEDS_A_PERSON = {"RegistrationRejected", "Superseded", "NotPublic"}
"""Reasons of a registration that is hopeless."""
VARIABLES: dict[tuple[str, str], set[tuple[str, str]] | set[str]] = {
    ("compose_on_hold", "hold.reason"): {*get_args(get_type_hints(Hold)["reason"])},
    ("_compose_unchanged", "why.type"): {conditions.PAUSED, conditions.DELETION_HELD},
    ("_judge_health", "reason"): {"Missing", "Unhealthy"},
    ("_judge_ready", "health.reason"): {*UNWELL},
    ("_judge_ready", "reason"): RESTING,
    ("judge_registration", "registration.reason"): reported_by_engines(),
    ("_compose_not_accepted", "reason"): REFUSED,
    ("_compose_waiting", "reason"): waits(),
    ("_compose_waiting", "facts.registration.reason"): NEEDS_A_PERSON,
    ("_compose_under_way", "activity"): UNDER_WAY,
    ("_compose_under_way", "reason"): {"BackingOff", "Paused", "InProgress"},
    ("_compose_succeeded", "'Provisioned' if state == 'Active' else state"): RESTING,
    ("_compose_failed", "reason"): FAILED,
    ("_compose_failed", "failure.code"): {*REFUSED_BY_WORKER},
}


def verdicts() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted(DECIDE.glob("*.py")):
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.Call) and ast.unparse(node.func) == "Verdict":
                        yield function.name, node


def triples(function: str, call: ast.Call) -> Iterator[Triple]:
    kind, state, reason = call.args[:3]
    if not isinstance(kind, ast.Name):
        return  # a condition that is kept
    if isinstance(reason, ast.Constant):
        possible: set[tuple[str, str]] | set[str] = {str(reason.value)}
    else:
        possible = VARIABLES[function, ast.unparse(reason)]
    for each in possible:
        if isinstance(each, str):
            yield CONDITIONS[kind.id], ast.literal_eval(state), each
        else:
            fixed = state.value if isinstance(state, ast.Constant) else each[0]
            yield CONDITIONS[kind.id], str(fixed), each[1]


def test_the_reference_lists_what_can_be_reported_and_nothing_else() -> None:
    found = {triple for function, call in verdicts() for triple in triples(function, call)}
    assert len(found) > 50
    assert {(row.type, row.status, reason) for row in ROWS for reason in row.reasons} == found


def test_each_variable_is_in_use() -> None:
    used = {(function, ast.unparse(call.args[2])) for function, call in verdicts()}
    assert VARIABLES.keys() - used == set()


def test_no_reason_is_listed_twice_and_the_conditions_come_in_their_order() -> None:
    listed = [(row.type, row.status, reason) for row in ROWS for reason in row.reasons]
    assert len(listed) == len(set(listed))
    assert tuple(QUESTIONS) == tuple(dict.fromkeys(row.type for row in ROWS)) == conditions.ORDER
