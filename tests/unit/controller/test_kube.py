"""What ends a watch: each is an end, and none an error of the process."""

import asyncio
import json

import aiohttp
import pytest
from aiohttp.base_protocol import BaseProtocol

from landlord.controller.kube import _read_events

POD = {"type": "ADDED", "object": {"metadata": {"name": "restate-0"}}}
LINE = json.dumps(POD).encode() + b"\n"


class Connection(BaseProtocol):
    """Of no transport, which could not be paused."""

    def pause_reading(self) -> None:
        return

    def resume_reading(self, resume_parser: bool = True) -> None:
        return


@pytest.mark.parametrize(
    "then",
    [
        b"",
        b"<html>\n",
        b'{"type": "ERROR", "object": {"message": "too old"}}\n',
        b"x" * 5000 + b"\n",
        aiohttp.ClientPayloadError("broken"),
        TimeoutError(),
        ConnectionResetError(),
    ],
    ids=["the end", "no JSON", "an error", "too long", "broken", "silence", "reset"],
)
async def test_a_watch_ends(then: bytes | Exception) -> None:
    loop = asyncio.get_running_loop()
    lines = aiohttp.StreamReader(Connection(loop), 1000, loop=loop)
    lines.feed_data(LINE)
    events = _read_events(lines)
    assert await anext(events) == POD
    if isinstance(then, Exception):
        lines.set_exception(then)
    else:
        lines.feed_data(then)
        lines.feed_eof()
    assert [event async for event in events] == []
