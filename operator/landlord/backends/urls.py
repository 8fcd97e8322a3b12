"""The URL behind which a container's port is reached. No I/O."""

from landlord.api.workload import Port


def build_url(port: Port, host: str, number: int) -> str:
    """The URL of `port` where it is offered: at `number` of `host`."""
    scheme = "udp" if port.protocol == "UDP" else port.app_protocol
    return f"{scheme}://{format_host(host)}:{number}"


def format_host(host: str) -> str:
    """An address as a URL has it: version 6 in brackets."""
    return f"[{host}]" if ":" in host else host
