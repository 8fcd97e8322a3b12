"""Settings of the programs: environment variables, and flags of the same name.

A flag overrides the environment, which overrides the default. The programs reject invalid values at start and
name the variable.
"""

import os
import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, TypeVar, get_args
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from landlord.errors import SettingsError

PREFIX = "LANDLORD_"


def _check_http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a URL such as http://localhost:9070")
    try:
        _ = parts.port
    except ValueError as error:
        raise ValueError("must have a port from 0 to 65535, or no port") from error
    if "@" in parts.netloc:
        raise ValueError(
            "must not contain a password, because messages show it; use LANDLORD_RESTATE_AUTH_HEADER"
        )
    return value.rstrip("/")


def _check_bind(value: str) -> str:
    host, _, port = value.rpartition(":")
    try:
        ip_address(host.strip("[]"))
    except ValueError as error:
        raise ValueError("must be an IP address and a port, such as 0.0.0.0:8000 or [::]:8000") from error
    if not port.isdigit() or int(port) > 65535:
        raise ValueError("must end with a port from 0 to 65535, such as 0.0.0.0:8000")
    return value


def _split_words(value: object) -> object:
    return (
        tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value
    )


def _check_namespace(value: str) -> str:
    if value and not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", value):
        raise ValueError("must be the name of a namespace, such as restate")
    return value


HttpUrl = Annotated[str, AfterValidator(_check_http_url)]
Bind = Annotated[str, AfterValidator(_check_bind)]
NamespaceName = Annotated[str, AfterValidator(_check_namespace)]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_words)]


class _Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )


class BackendsSettings(_Settings):
    """Settings of `landlord backends`, the operator and the worker."""

    backends: Words = ()
    """Names of the backends to enable, comma-separated. Defaults to all installed backends. The operator uses
    it only with LANDLORD_ENGINE=local, because backends run in the process that runs the workflow."""


class _ProgramSettings(BackendsSettings):
    log_format: Literal["auto", "text", "json"] = "auto"
    """Format of the logs: text, json, or auto, which is text on a terminal and json elsewhere."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Lowest severity to log."""


class RestateSettings(_Settings):
    """How landlord reaches Restate and the worker: settings of `landlord registration` and the operator."""

    engine: Literal["restate", "local"] = "restate"
    """Workflow engine. restate: durable workflows. local: the same steps in the operator's own process,
    without durability."""
    restate_admin_url: HttpUrl = "http://localhost:9070"
    """URL of Restate's admin API."""
    restate_ingress_url: HttpUrl = "http://localhost:8080"
    """URL of Restate's ingress."""
    restate_auth_header: SecretStr | None = None
    """Header that Restate's admin API and ingress require, such as "Authorization: Bearer …"."""
    restate_auth_header_file: Path | None = None
    """File with the header that Restate requires, instead of LANDLORD_RESTATE_AUTH_HEADER. landlord reads it
    again when it changes."""
    restate_ca_file: Path | None = None
    """File with the certificates (PEM) of the authorities to trust instead of the system's, for URLs of
    Restate and the worker that begin with https."""
    worker_url: HttpUrl = "http://localhost:9080"
    """URL at which Restate and the operator reach the worker."""
    registration_policy: Literal["enforce", "observe"] = "enforce"
    """What landlord does when someone registers another worker for the workflow. enforce: it takes the
    workflow back. observe: it leaves the other worker and reports it. In both cases it registers an
    unregistered workflow, and a changed worker at its own URL."""
    http_bind: Bind = "0.0.0.0:8000"
    """Address and port of the operator's /metrics, /healthz, /readyz and /registration."""


class OperatorSettings(_ProgramSettings, RestateSettings):
    """Settings of `landlord operator`."""

    restate_namespace: NamespaceName = ""
    """Namespace of Restate's pods. Together with LANDLORD_RESTATE_POD_SELECTOR, makes landlord check the
    registration as soon as Restate's pods or EndpointSlices there change. Without it, landlord checks every
    few seconds only."""
    restate_pod_selector: Annotated[str, AfterValidator(str.strip), Field(validate_default=True)] = ""
    """Label selector of Restate's pods and EndpointSlices, such as app=restate. EndpointSlices have the
    labels of their Service, so the Service must have these labels too."""
    default_backend: Annotated[str, Field(min_length=1, max_length=63)] = "kubernetes"
    """Backend of Tenants without spec.compute.provider."""
    watch_namespaces: Words = ()
    """Namespaces to watch for Tenants, comma-separated. Defaults to all namespaces."""
    leader_election: bool = Field(default_factory=lambda: "KUBERNETES_SERVICE_HOST" in os.environ)
    """Whether replicas elect the one that acts, by a Lease. Defaults to true in a cluster, false
    elsewhere."""
    namespace: Annotated[str, Field(min_length=1, max_length=63)] = "landlord-system"
    """Namespace of the Lease."""
    survey_seconds: Annotated[float, Field(gt=0, le=86400)] = 20
    """Seconds between two surveys of all tenants. landlord notices a deleted or changed object within this
    time, and an unhealthy tenant within twice this time."""
    mass_deletion_count: Annotated[int, Field(ge=0)] = 30
    """If more Tenants than this are deleted within LANDLORD_MASS_DELETION_SECONDS, landlord deprovisions none
    of them until a person releases them; see docs/guides/mass-deletions.md. 0 disables the check."""
    mass_deletion_share: Annotated[float, Field(ge=0, le=100)] = 10
    """The same limit as a percentage of all Tenants, but at least 10 Tenants. The lower of both limits
    applies."""
    mass_deletion_seconds: Annotated[int, Field(gt=0, le=86400)] = 600
    """Seconds within which deletions are counted together."""

    @field_validator("restate_pod_selector")
    @classmethod
    def _check_selector(cls, selector: str, others: ValidationInfo) -> str:
        if bool(selector) != bool(others.data.get("restate_namespace", selector)):
            raise ValueError("must be set if and only if LANDLORD_RESTATE_NAMESPACE is set")
        return selector

    @property
    def watches_restate(self) -> bool:
        """Whether the operator watches Restate's pods."""
        return self.engine == "restate" and bool(self.restate_namespace)


class WorkerSettings(_ProgramSettings):
    """Settings of `landlord worker`."""

    worker_bind: Bind = "0.0.0.0:9080"
    """Address and port on which the worker listens."""
    restate_identity_keys: Words = ()
    """Public keys (publickeyv1_…) of the Restate servers whose requests the worker accepts, comma-separated.
    Without keys, it accepts requests from anyone."""


def is_secret(field: FieldInfo) -> bool:
    """Whether the setting is a secret, and so not a flag: everyone on a machine can read a program's
    flags."""
    return SecretStr in (field.annotation, *get_args(field.annotation))


def default_of(field: FieldInfo) -> str:
    """Return the default as text; empty if there is none or it depends on the environment."""
    return "" if field.default_factory or field.default in ((), "", None) else str(field.default)


AnySettings = TypeVar("AnySettings", bound=_Settings)


def load(kind: type[AnySettings], **flags: object) -> AnySettings:
    """Read settings from flags and the environment. Raises SettingsError that names each invalid one."""
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return kind(**given)  # type: ignore[arg-type]  # pydantic checks the types
    except ValidationError as error:
        problems = [
            f"{PREFIX}{str(problem['loc'][0]).upper()}: {problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors()
        ]
        raise SettingsError("; ".join(problems)) from None
