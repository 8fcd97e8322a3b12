"""How much the model tries: `pytest tests/model --hypothesis-profile=deep` for half an hour of it."""

from hypothesis import settings

settings.register_profile("deep", max_examples=20_000, stateful_step_count=60)
