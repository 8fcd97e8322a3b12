"""How a tenant's container differs from what was made: what somebody changed by hand. No I/O.

Only what landlord sets is compared, and values that may be secret are not told.
"""

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from landlord.api.request import Desired
from landlord.api.workload import EnvVar
from landlord.backends.docker.desired import ports
from landlord.backends.docker.desired.container import build_container_config

ContainerDescription = Mapping[str, Any]

NO_LIMIT = (0, -1)
"""What the engine shows of a limit that its host can't enforce, and that it therefore left out."""


def compare_state(state: str, restart_policy: str, *, succeeded: bool) -> str:
    """What was done to a container that does not run; empty if it may have ended by itself."""
    if state in ("paused", "dead", "removing"):
        return f"it is {state}"
    # What ends by itself under such a policy is started again by the engine.
    kept_up = restart_policy in ("always", "unless-stopped") or (
        restart_policy == "on-failure" and not succeeded
    )
    return "it was stopped" if state == "exited" and kept_up else ""


def compare_network(container: ContainerDescription, network: str) -> str:
    """What was done if the container, listed or inspected, was taken off its network."""
    if network in container["NetworkSettings"]["Networks"]:
        return ""
    return f"it is not on the network {network}"


def compare_fixed(found: ContainerDescription, desired: Desired) -> list[str]:
    """Fields that are not as desired and can't be changed on a container: another one has to be made."""
    config, host = found["Config"], found["HostConfig"]
    bindings = host["PortBindings"] or {}
    wanted = build_container_config(
        desired, ports.allot(desired, ports.read_host_ports(bindings), frozenset())
    )
    wanted_host = wanted["HostConfig"]
    as_made = {
        "Config.Image": config["Image"] == wanted["Image"],
        # Left out, they are the image's.
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
    return [f"{field} is not as it was made" for field, same in as_made.items() if not same]


def compare_changeable(host: ContainerDescription, wanted: ContainerDescription) -> list[str]:
    """Fields of the HostConfig that are not as `spec.changeable` wants them, and that can be changed."""
    has, should = host["RestartPolicy"]["Name"], wanted["RestartPolicy"]["Name"]
    differing = [("RestartPolicy", has, should)] if has != should else []
    differing += [
        (field, host[field], amount)
        for field, amount in wanted.items()
        if field != "RestartPolicy" and host[field] not in (amount, *NO_LIMIT)
    ]
    return [f"HostConfig.{field} is {has}, should be {should}" for field, has, should in differing]


def _is_set(variable: EnvVar, env: Sequence[str]) -> bool:
    if variable.secret is None:
        return f"{variable.name}={variable.value}" in env
    # Its value is not known here.
    return variable.secret.optional or any(each.startswith(f"{variable.name}=") for each in env)


def _normalize_bindings(bindings: Mapping[str, Any]) -> dict[str, list[tuple[str, str]]]:
    return {
        port: [(_normalize_address(host["HostIp"]), host["HostPort"]) for host in hosts or ()]
        for port, hosts in bindings.items()
    }


def _normalize_address(text: str) -> str:
    """One notation for an address: the engine's may be another than the manifest's."""
    return str(ip_address(text)) if text else ""


def _read_mounts(host: ContainerDescription) -> set[tuple[str, str, bool]]:
    return {
        (mount["Source"], mount["Target"], mount.get("ReadOnly", False)) for mount in host.get("Mounts") or ()
    }
