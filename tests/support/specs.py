"""Specs of Tenants for tests."""

from typing import Any

Spec = dict[str, Any]


def memory(*, ports: int = 0, **env: str) -> Spec:
    """A Tenant of the memory backend, whose behaviour the variables MEMORY_… rehearse."""
    container = {
        "name": "app",
        "image": "any",
        "env": [{"name": name, "value": value} for name, value in env.items()],
        "ports": [{"name": f"p{port}", "containerPort": 8000 + port} for port in range(ports)],
    }
    return {"compute": {"provider": "memory"}, "workload": {"containers": [container]}}


def web(image: str, *, docker: Spec | None = None, **env: str) -> Spec:
    """A Tenant of the Docker backend: the little web server, published on a free port of the host."""
    container = {
        "name": "web",
        "image": image,
        "env": [{"name": name, "value": value} for name, value in env.items()],
        "ports": [{"name": "http", "containerPort": 8080, "appProtocol": "http"}],
        "probe": {"httpGet": {"path": "/", "port": 8080}},
    }
    compute = {"provider": "docker", "docker": {"publish": [{"port": "http"}]} | (docker or {})}
    return {"compute": compute, "workload": {"containers": [container]}}
