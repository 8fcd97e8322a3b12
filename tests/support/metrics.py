"""Reading the metrics of a program."""

import urllib.request
from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


def scraped(url: str) -> str:
    """What Prometheus would read."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=5) as answer:
        text: str = answer.read().decode()
    return text


def samples(url: str) -> Iterator[Sample]:
    """All samples of a program."""
    for family in text_string_to_metric_families(scraped(url)):
        yield from family.samples


def total(url: str, name: str, **labels: str) -> float:
    """The sum of all samples of a metric that have these labels."""
    return sum(
        sample.value
        for sample in samples(url)
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def names(url: str) -> set[str]:
    """The names of all samples."""
    return {sample.name for sample in samples(url)}
