"""Finds changes of an object by its generation. No I/O.

The API server counts in metadata.generation how often anybody changed a spec. Each apply stores the resulting
number in a label, and a survey compares the two. It is a label, because a change of a Deployment's
annotations counts too. So does a field that somebody else sets for themselves, as `kubectl rollout restart`
does: landlord's fields are then unchanged, and the next inspection or apply corrects the label.
"""

from landlord.api import names
from landlord.api.schema import JsonObject
from landlord.backends.cluster import kinds
from landlord.backends.kubernetes import ownership

KINDS_WITH_GENERATION = (kinds.DEPLOYMENT, kinds.NETWORK_POLICY)
"""The kinds that have a generation."""


def is_changed(found: JsonObject) -> bool:
    """Whether somebody else changed the object; unknown, and so False, without the label."""
    label = ownership.read_labels(found).get(names.LABEL_GENERATION)
    return label is not None and label != str(found["metadata"]["generation"])


def predict_generation(manifest: JsonObject, found: JsonObject | None) -> int:
    """Predict the generation after an apply; if it turns out to be wrong, landlord applies again."""
    if found is None:
        return 1
    generation: int = found["metadata"]["generation"]
    applied = ownership.read_labels(found)
    same = applied.get(names.LABEL_SPEC_HASH) == ownership.read_labels(manifest)[names.LABEL_SPEC_HASH]
    labelled = applied.get(names.LABEL_GENERATION) == str(generation)
    return generation if same and labelled else generation + 1


def with_generation(manifest: JsonObject, generation: int) -> JsonObject:
    """Copy the manifest with the label."""
    metadata = manifest["metadata"]
    labels = metadata["labels"] | {names.LABEL_GENERATION: str(generation)}
    return manifest | {"metadata": metadata | {"labels": labels}}
