"""Reading the metrics of a program."""

import urllib.request

from prometheus_client.parser import text_string_to_metric_families


def total(url: str, name: str, **labels: str) -> float:
    """The sum of all samples of a metric that have these labels."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=5) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    return sum(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )
