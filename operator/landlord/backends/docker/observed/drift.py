"""Compares a tenant's container with what landlord created, to find changes made by hand. No I/O.

Only the fields that landlord sets count, and no line contains a value that may be secret.
"""

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from landlord.api.request import Desired
from landlord.api.workload import EnvVar
from landlord.backends.docker.desired import ports
from landlord.backends.docker.desired.container import build_container_config
from landlord.backends.docker.observed.container import read_networks
from landlord.backends.drift import describe_difference

ContainerDescription = Mapping[str, Any]

NO_LIMIT = (0, -1, None)
"""What engines show for a limit that their host can't enforce, and that they therefore ignored."""


def compare_state(state: str, restart_policy: str, *, succeeded: bool) -> str:
    """Describe what somebody did to a container that does not run; empty if it may have ended by itself."""
    if state in ("paused", "dead", "removing"):
        return f"it is {state}"
    # With such a policy, the engine restarts a container that ended by itself.
    kept_up = restart_policy in ("always", "unless-stopped") or (
        restart_policy == "on-failure" and not succeeded
    )
    return "it was stopped" if state == "exited" and kept_up else ""


def compare_network(container: ContainerDescription, network: str) -> str:
    """Describe that somebody disconnected the container, listed or inspected, from its network."""
    networks = read_networks(container)
    if networks is None or network in networks:
        return ""
    return f"it is not on the network {network}"


def compare_fixed(found: ContainerDescription, desired: Desired) -> list[str]:
    """Find the fields that differ and can't be changed, so that the container must be replaced."""
    config, host = found["Config"], found["HostConfig"]
    bindings = host["PortBindings"] or {}
    wanted = build_container_config(
        desired, ports.allot(desired, ports.read_host_ports(bindings), frozenset())
    )
    wanted_host = wanted["HostConfig"]
    matches = {
        "Config.Image": config["Image"] == wanted["Image"],
        # If they are left out, the image's own apply.
        "Config.Entrypoint": wanted["Entrypoint"] in (None, config["Entrypoint"]),
        "Config.Cmd": wanted["Cmd"] in (None, config["Cmd"]),
        "HostConfig.NetworkMode": host["NetworkMode"] == wanted_host["NetworkMode"],
        "HostConfig.PortBindings": _normalize_bindings(bindings)
        == _normalize_bindings(wanted_host["PortBindings"]),
        "HostConfig.Mounts": _read_mounts(host) == _read_mounts(wanted_host),
        **{
            f"Config.Env {variable.name}": _is_set(variable, config["Env"] or ())
            for variable in desired.workload.containers[0].env
        },
    }
    return [f"{field} differs" for field, same in matches.items() if not same]


def compare_changeable(host: ContainerDescription, wanted: ContainerDescription) -> list[str]:
    """Find the fields of the HostConfig that differ and can be changed, see `build_changeable`."""
    policy, wanted_policy = (host.get("RestartPolicy") or {}).get("Name"), wanted["RestartPolicy"]["Name"]
    differing = [("RestartPolicy", policy, wanted_policy)] if policy not in (wanted_policy, None) else []
    differing += [
        (field, host[field], amount)
        for field, amount in wanted.items()
        if field != "RestartPolicy" and host.get(field) not in (amount, *NO_LIMIT)
    ]
    return [describe_difference(f"HostConfig.{field}", *values) for field, *values in differing]


def _is_set(variable: EnvVar, env: Sequence[str]) -> bool:
    if variable.secret is None:
        return f"{variable.name}={variable.value}" in env
    # This module does not know the value.
    return variable.secret.optional or any(each.startswith(f"{variable.name}=") for each in env)


def _normalize_bindings(bindings: Mapping[str, Any]) -> dict[str, list[tuple[str, str]]]:
    return {
        port: [(_normalize_address(host["HostIp"]), host["HostPort"]) for host in hosts or ()]
        for port, hosts in bindings.items()
    }


def _normalize_address(text: str) -> str:
    """Normalize an address, which the engine may write in another notation than the manifest."""
    return str(ip_address(text)) if text else ""


def _read_mounts(host: ContainerDescription) -> set[tuple[str, str, bool]]:
    return {
        (mount["Source"], mount["Target"], mount.get("ReadOnly", False)) for mount in host.get("Mounts") or ()
    }
