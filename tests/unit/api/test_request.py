import pytest
from tests.support.requests import request

from landlord.api.request import Desired, Request


def test_desired_state_belongs_to_apply_only() -> None:
    applied = request().model_dump()
    with pytest.raises(ValueError, match="desired must be set if and only if"):
        Request.model_validate(applied | {"operation": "delete"})
    with pytest.raises(ValueError, match="desired must be set if and only if"):
        Request.model_validate(applied | {"desired": None})


def test_desired_state_is_for_the_tenant_of_the_request() -> None:
    with pytest.raises(ValueError, match=r"desired\.tenant_id must equal"):
        Request.model_validate(request("acme").model_dump() | {"tenantID": "other"})


def test_a_namespace_of_secrets_belongs_to_a_workload_that_refers_to_them() -> None:
    plain = request("acme").desired
    assert plain is not None
    with pytest.raises(ValueError, match="secrets_namespace must be set if and only if"):
        Desired.model_validate(plain.model_dump() | {"secretsNamespace": "tenants"})
