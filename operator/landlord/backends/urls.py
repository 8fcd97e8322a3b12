"""Builds the URL of a container's port. No I/O."""

from landlord.api.workload import Port


def build_url(port: Port, host: str, number: int) -> str:
    """Build the URL of a port that is reachable at `number` of `host`."""
    scheme = "udp" if port.protocol == "UDP" else port.app_protocol
    return f"{scheme}://{format_host(host)}:{number}"


def format_host(host: str) -> str:
    """Format an address for a URL: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host
