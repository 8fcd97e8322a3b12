"""A real Kubernetes control plane with a fake node, which kwokctl starts from pinned programs."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from dev.failure import LocalFailure
from dev.kubectl import Kubectl
from dev.net import LOOPBACK, free_ports
from dev.process import marked_environment, sweep
from dev.tools import KUBECTL, program

_NAME = "landlord"
_CREATE_SECONDS = 120.0
_READY_SECONDS = 60.0
_AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {
            "level": "None",
            "users": ["system:apiserver", "system:kube-controller-manager", "system:kube-scheduler"],
        },
        {"level": "None", "userGroups": ["system:masters"], "verbs": ["get", "list", "watch"]},
        {"level": "Metadata"},
    ],
}
"""Leaves out the control plane's own requests and the administrator's reads, which would fill the log."""


class ControlPlane:
    """etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok with one fake node.

    RBAC and the default admission plugins are enabled. With `audit`, the API server logs what service
    accounts read, and all writes except the control plane's own.
    """

    def __init__(self, folder: Path, *, mark: str, audit: bool = False) -> None:
        self._folder = folder
        self._mark = f"{mark}/control-plane"
        self._audit = audit
        self._cluster = folder / "clusters" / _NAME
        self.kubeconfig = self._cluster / "kubeconfig.yaml"
        self.audit_log = self._cluster / "logs" / "audit.log"
        self.kubectl = Kubectl(self.kubeconfig)

    def healthy(self) -> bool:
        """Whether the API server is running and ready, also from an earlier start."""
        return self.kubeconfig.is_file() and self.kubectl.answers()

    def start(self) -> None:
        """Replace the control plane, or what is left of one, by a new and empty one."""
        self.delete()
        self._folder.mkdir(parents=True)
        config = self._folder / "kwokctl.yaml"
        config.write_text(yaml.safe_dump(self._configuration()))
        self._kwokctl("create", "cluster", "--config", str(config), "--kubeconfig", "", "--wait", "60s")
        self._kwokctl("scale", "node", "--replicas", "1")
        self._wait_for_service_account()

    def delete(self) -> None:
        """Stop its processes and delete its data, including what a crash left behind."""
        sweep(self._mark, grace=0)
        shutil.rmtree(self._folder, ignore_errors=True)

    def audited(self, about: str = "") -> Iterator[dict[str, Any]]:
        """The audit events that contain the text `about`, oldest first."""
        # The log is rotated at 100 MB. The time in an old file's name sorts it before the current one.
        for path in sorted(self.audit_log.parent.glob(f"{self.audit_log.stem}*{self.audit_log.suffix}")):
            with path.open() as lines:
                yield from (json.loads(line) for line in lines if about in line)

    def kubeconfig_of(self, namespace: str, service_account: str) -> Path:
        """A kubeconfig with the identity, and so only the permissions, of a service account."""
        config: dict[str, Any] = yaml.safe_load(self.kubeconfig.read_text())
        token = self.kubectl("create", "token", service_account, "-n", namespace, "--duration=24h").strip()
        config["users"] = [{"name": user["name"], "user": {"token": token}} for user in config["users"]]
        path = self._folder / f"kubeconfig-{namespace}-{service_account}.yaml"
        path.write_text(yaml.safe_dump(config))
        return path

    def _configuration(self) -> dict[str, Any]:
        etcd, peer, apiserver, manager, scheduler, kwok = free_ports(6)
        options: dict[str, Any] = {
            "runtime": "binary",
            "bindAddress": LOOPBACK,
            # two concurrent kwokctl processes would choose the same free ports
            "etcdPort": etcd,
            "etcdPeerPort": peer,
            "kubeApiserverPort": apiserver,
            "kubeControllerManagerPort": manager,
            "kubeSchedulerPort": scheduler,
            "kwokControllerPort": kwok,
            "etcdBinary": str(program("etcd")),
            "kubeApiserverBinary": str(program("kube-apiserver")),
            "kubeControllerManagerBinary": str(program("kube-controller-manager")),
            "kubeSchedulerBinary": str(program("kube-scheduler")),
            "kwokControllerBinary": str(program("kwok")),
            "kubectlBinary": str(program(KUBECTL)),
        }
        if self._audit:
            policy = self._folder / "audit-policy.yaml"
            policy.write_text(yaml.safe_dump(_AUDIT_POLICY))
            options["kubeAuditPolicy"] = str(policy)
        kind = {"apiVersion": "config.kwok.x-k8s.io/v1alpha1", "kind": "KwokctlConfiguration"}
        # The default range has addresses for only 254 Services.
        addresses = [{"key": "service-cluster-ip-range", "value": "10.0.0.0/16"}]
        patches = [{"name": "kube-apiserver", "extraArgs": addresses}]
        return kind | {"options": options, "componentsPatches": patches}

    def _kwokctl(self, *args: str) -> None:
        environment = marked_environment(self._mark, {"KWOK_WORKDIR": str(self._folder)})
        environment["PATH"] = f"{program(KUBECTL).parent}:{environment.get('PATH', '')}"
        argv = [str(program("kwokctl")), "--name", _NAME, *args]
        log = self._folder / "kwokctl.log"
        with log.open("ab") as output:
            try:
                status = subprocess.run(  # noqa: S603
                    argv,
                    cwd=self._folder,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    timeout=_CREATE_SECONDS,
                    start_new_session=True,  # Ctrl-C must only reach this process, which cleans up
                    check=False,
                ).returncode
            except subprocess.TimeoutExpired as expired:
                raise LocalFailure(
                    f"kwokctl {args[0]} did not finish within {_CREATE_SECONDS:.0f} s", fix=f"see {log}"
                ) from expired
        if status != 0:
            raise LocalFailure(
                f"kwokctl {args[0]} {args[1]} failed:\n{log.read_text(errors='replace')[-4000:]}"
            )

    def _wait_for_service_account(self) -> None:
        # Pods need this account. A controller creates it some time after the API server is ready.
        deadline = time.monotonic() + _READY_SECONDS
        while self.kubectl.run("get", "serviceaccount", "default", "-n", "default").returncode != 0:
            if time.monotonic() > deadline:
                raise LocalFailure(
                    f"the control plane was not ready within {_READY_SECONDS:.0f} s",
                    fix=f"see {self._cluster}/logs",
                )
            time.sleep(0.1)
