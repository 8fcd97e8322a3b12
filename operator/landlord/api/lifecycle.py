"""The states that a tenant can be wanted in."""

from typing import Literal

State = Literal["Active", "Suspended", "Archived"]
"""Active: it runs. Suspended: nothing of it runs, and all of it is kept, to go on as it was. Archived: nothing
is kept but what holds its data."""
