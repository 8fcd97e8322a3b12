"""Whether somebody has changed an object since it was applied, told by its generation. No I/O.

The API server counts in metadata.generation how often a spec was changed, by whomever. Each apply leaves the
number that it led to in a label, and a survey compares the two. It is a label, as a change of a Deployment's
annotations counts as well. So does a field that somebody else sets for themselves, as `kubectl rollout
restart` does: then all is still as it was made, and the next look in depth or apply corrects the label.
"""

from landlord.api import names
from landlord.api.schema import JsonObject
from landlord.backends.cluster import kinds
from landlord.backends.kubernetes import ownership

KINDS_WITH_GENERATION = (kinds.DEPLOYMENT, kinds.NETWORK_POLICY)
"""The kinds that have a generation."""


def is_changed(found: JsonObject) -> bool:
    """Whether it was changed by somebody else. One without the label was made by a landlord before it."""
    label = ownership.read_labels(found).get(names.LABEL_GENERATION)
    return label is not None and label != str(found["metadata"]["generation"])


def predict_generation(manifest: JsonObject, found: JsonObject | None) -> int:
    """The generation that applying the manifest most likely leads to: if it does not, it is applied again."""
    if found is None:
        return 1
    generation: int = found["metadata"]["generation"]
    applied = ownership.read_labels(found)
    same = applied.get(names.LABEL_SPEC_HASH) == ownership.read_labels(manifest)[names.LABEL_SPEC_HASH]
    stamped = applied.get(names.LABEL_GENERATION) == str(generation)
    return generation if same and stamped else generation + 1


def with_generation(manifest: JsonObject, generation: int) -> JsonObject:
    """The manifest with the label."""
    metadata = manifest["metadata"]
    labels = metadata["labels"] | {names.LABEL_GENERATION: str(generation)}
    return manifest | {"metadata": metadata | {"labels": labels}}
