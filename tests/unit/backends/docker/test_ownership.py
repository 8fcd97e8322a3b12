import pytest

from landlord.backends.docker import ownership


@pytest.mark.parametrize(
    ("labels", "mine"),
    [
        (None, False),
        ({}, False),
        ({"landlord.dev/managed-by": "landlord"}, False),
        ({"landlord.dev/tenant-id": "acme"}, False),
        ({"landlord.dev/tenant-id": "other", "landlord.dev/managed-by": "landlord"}, False),
        ({"landlord.dev/tenant-id": "acme", "landlord.dev/managed-by": "other"}, False),
        ({"landlord.dev/tenant-id": "acme", "landlord.dev/managed-by": "landlord", "x": "y"}, True),
    ],
)
def test_owned_is_what_carries_both_labels(labels: dict[str, str] | None, mine: bool) -> None:
    assert ownership.is_owned(labels, "acme") == mine
