"""What a program says of itself."""

from prometheus_client.parser import text_string_to_metric_families

from dev.failure import LocalFailure
from dev.net import request


def read_metrics(url: str) -> dict[str, float]:
    """All samples that the program at `url` serves, as `name{value of label,…}`."""
    answer = request(f"{url}/metrics")
    if answer is None or answer[0] != 200:
        raise LocalFailure(f"no metrics from {url}: {answer}")
    return {
        f"{sample.name}{{{','.join(sample.labels.values())}}}": sample.value
        for family in text_string_to_metric_families(answer[1])
        for sample in family.samples
    }
