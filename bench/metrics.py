"""Read the metrics of a program."""

from prometheus_client.parser import text_string_to_metric_families

from dev.failure import LocalFailure
from dev.net import request


def read_metrics(url: str) -> dict[str, float]:
    """All samples of the program at `url`, with keys like `name{value of label,…}`."""
    answer = request(f"{url}/metrics")
    if answer is None or answer[0] != 200:
        raise LocalFailure(f"can't read the metrics at {url}/metrics: {answer}")
    return {
        f"{sample.name}{{{','.join(sample.labels.values())}}}": sample.value
        for family in text_string_to_metric_families(answer[1])
        for sample in family.samples
    }
