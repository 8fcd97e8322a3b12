"""Settings of the programs: environment variables, and flags of the same name.

Precedence: flag, environment, default. Wrong values are refused at start with the variable's name.
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


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("should be a URL such as http://localhost:9070")
    try:
        _ = parts.port
    except ValueError as error:
        raise ValueError("should have a port from 0 to 65535, or none") from error
    if "@" in parts.netloc:
        raise ValueError("should hold no password, for messages show it; see LANDLORD_RESTATE_AUTH_HEADER")
    return value.rstrip("/")


def _bind(value: str) -> str:
    host, _, port = value.rpartition(":")
    try:
        ip_address(host.strip("[]"))
    except ValueError as error:
        raise ValueError("should be an IP address and a port, such as 0.0.0.0:8000 or [::]:8000") from error
    if not port.isdigit() or int(port) > 65535:
        raise ValueError("should end with a port from 0 to 65535, such as 0.0.0.0:8000")
    return value


def _words(value: object) -> object:
    return (
        tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value
    )


def _namespace(value: str) -> str:
    if value and not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", value):
        raise ValueError("should be the name of a namespace, such as restate")
    return value


HttpUrl = Annotated[str, AfterValidator(_http_url)]
Bind = Annotated[str, AfterValidator(_bind)]
NamespaceName = Annotated[str, AfterValidator(_namespace)]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]


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
    """What `landlord backends` reads, and the programs too."""

    backends: Words = ()
    """Names of the backends to enable, comma-separated; empty: all that are installed. The operator reads it
    with LANDLORD_ENGINE=local only, as backends live where the workflow runs."""


class _ProgramSettings(BackendsSettings):
    log_format: Literal["auto", "text", "json"] = "auto"
    """text, json, or auto: text on a terminal and json elsewhere."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severity that is logged."""


class RestateSettings(_Settings):
    """How landlord reaches Restate and the worker: `landlord registration` reads it, and the operator too."""

    engine: Literal["restate", "local"] = "restate"
    """restate: durable. local: the same steps in the operator's own process, without durability."""
    restate_admin_url: HttpUrl = "http://localhost:9070"
    """Restate's admin API."""
    restate_ingress_url: HttpUrl = "http://localhost:8080"
    """Restate's ingress."""
    restate_auth_header: SecretStr | None = None
    """Header that Restate's admin API and ingress ask for, such as "Authorization: Bearer …"."""
    restate_auth_header_file: Path | None = None
    """File that holds that header instead. It is read again when it changes."""
    restate_ca_file: Path | None = None
    """Certificates (PEM) of the authorities to trust, instead of the system's, where an URL of Restate or the
    worker begins with https."""
    worker_url: HttpUrl = "http://localhost:9080"
    """The worker as Restate and the operator reach it."""
    registration_policy: Literal["enforce", "observe"] = "enforce"
    """When another worker was registered for the workflow: enforce takes it back, observe leaves it and says
    so. Registers what is not registered at all, and a changed worker at its own URL, either way."""
    http_bind: Bind = "0.0.0.0:8000"
    """Address of the operator's /metrics, /healthz, /readyz and /registration."""


class OperatorSettings(_ProgramSettings, RestateSettings):
    """What `landlord operator` reads."""

    restate_namespace: NamespaceName = ""
    """Namespace of Restate's pods. With LANDLORD_RESTATE_POD_SELECTOR: a change of Restate's pods or
    EndpointSlices there has the registration looked at at once. Empty: every few seconds only."""
    restate_pod_selector: Annotated[str, AfterValidator(str.strip), Field(validate_default=True)] = ""
    """Label selector of Restate's pods and EndpointSlices, such as app=restate. EndpointSlices have the
    labels of their Service, so the Service must have them too."""
    default_backend: Annotated[str, Field(min_length=1, max_length=63)] = "kubernetes"
    """Backend of Tenants that name none."""
    watch_namespaces: Words = ()
    """Namespaces whose Tenants are watched, comma-separated; empty: all."""
    leader_election: bool = Field(default_factory=lambda: "KUBERNETES_SERVICE_HOST" in os.environ)
    """Whether replicas agree by a Lease which one of them acts. Default: true in a cluster."""
    namespace: Annotated[str, Field(min_length=1, max_length=63)] = "landlord-system"
    """Namespace of the Lease."""
    survey_seconds: Annotated[float, Field(gt=0, le=86400)] = 20
    """How often all tenants are looked at. What somebody has removed or changed is seen after that long; what
    is unhealthy, after twice as long."""
    mass_deletion_count: Annotated[int, Field(ge=0)] = 30
    """When more Tenants than this are deleted within LANDLORD_MASS_DELETION_SECONDS, none of them is
    deprovisioned until a person releases them; see docs/guides/mass-deletions.md. 0: never held."""
    mass_deletion_share: Annotated[float, Field(ge=0, le=100)] = 10
    """The same in percent of all Tenants; the lesser counts, but 10 are never too many by this one."""
    mass_deletion_seconds: Annotated[int, Field(gt=0, le=86400)] = 600
    """Time within which deletions are counted together."""

    @field_validator("restate_pod_selector")
    @classmethod
    def _pods_and_namespace(cls, selector: str, others: ValidationInfo) -> str:
        if bool(selector) != bool(others.data.get("restate_namespace", selector)):
            raise ValueError("should be set if LANDLORD_RESTATE_NAMESPACE is, and else not")
        return selector

    @property
    def watches_restate(self) -> bool:
        """Whether changes of Restate's pods are watched for."""
        return self.engine == "restate" and bool(self.restate_namespace)


class WorkerSettings(_ProgramSettings):
    """What `landlord worker` reads."""

    worker_bind: Bind = "0.0.0.0:9080"
    """Address that the worker listens on."""
    restate_identity_keys: Words = ()
    """Public keys (publickeyv1_…) of the Restate servers whose requests are accepted; empty: any."""


def is_secret(field: FieldInfo) -> bool:
    """Whether it may not be a flag: everybody on the machine can read the flags of a program that runs."""
    return SecretStr in (field.annotation, *get_args(field.annotation))


def default_of(field: FieldInfo) -> str:
    """Its default in words; empty if it has none, or one that depends."""
    return "" if field.default_factory or field.default in ((), "", None) else str(field.default)


AnySettings = TypeVar("AnySettings", bound=_Settings)


def load(kind: type[AnySettings], **flags: object) -> AnySettings:
    """Read settings from the environment, flags first. Raises SettingsError that names what is wrong."""
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return kind(**given)  # type: ignore[arg-type]  # pydantic checks what mypy can't
    except ValidationError as error:
        problems = [
            f"{PREFIX}{str(problem['loc'][0]).upper()}: {problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors()
        ]
        raise SettingsError("; ".join(problems)) from None
