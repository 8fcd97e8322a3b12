import pytest
from tests.support.requests import request

from landlord.workflow.request import Request


def test_desired_state_belongs_to_apply_only() -> None:
    applied = request().model_dump()
    with pytest.raises(ValueError, match="desired belongs to apply and to nothing else"):
        Request.model_validate(applied | {"operation": "delete"})
    with pytest.raises(ValueError, match="desired belongs to apply and to nothing else"):
        Request.model_validate(applied | {"desired": None})


def test_desired_state_is_for_the_tenant_of_the_request() -> None:
    with pytest.raises(ValueError, match="desired is for another tenantID than the request"):
        Request.model_validate(request("acme").model_dump() | {"tenantID": "other"})
