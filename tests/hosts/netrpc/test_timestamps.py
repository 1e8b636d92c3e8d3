"""Go's times as text and back."""

from __future__ import annotations

import pytest

from mmhooks.hosts.netrpc import contract
from mmhooks.hosts.netrpc.timestamps import read_time, write_time
from tests.host_driver import GoHost
from tests.hosts.netrpc.gobs import End

TIMES = {
    "0001-01-01T00:00:00Z": "010000000000000000 00000000 ffff",
    "2024-01-01T00:00:00Z": "01 0000000edd23f780 00000000 ffff",
    "1970-01-01T00:00:00.000000001Z": "01 0000000e7791f700 00000001 ffff",
    "1970-01-01T05:30:00.5+05:30": "01 0000000e7791f700 1dcd6500 014a",
    "1969-12-31T16:00:00-08:00": "01 0000000e7791f700 00000000 fe20",
    "9999-12-31T23:59:59.999999999Z": "01 000000497786387f 3b9ac9ff ffff",
}


@pytest.mark.parametrize(("text", "hex_"), TIMES.items())
def test_times_go_both_ways(text: str, hex_: str) -> None:
    data = bytes.fromhex(hex_)
    assert read_time(data) == text
    assert write_time(text) == data


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("", "0001-01-01T00:00:00Z"),
        ("2024-01-01t00:00:00z", "2024-01-01T00:00:00Z"),
        ("2024-01-01 00:00:00Z", "2024-01-01T00:00:00Z"),
        ("2024-01-01T00:00:00.120Z", "2024-01-01T00:00:00.12Z"),
        ("2024-01-01T00:00:00.1234567891Z", "2024-01-01T00:00:00.123456789Z"),
        ("2024-01-01T00:00:00+00:00", "2024-01-01T00:00:00Z"),
    ],
)
def test_what_means_the_same_is_read_as_the_same(text: str, same: str) -> None:
    assert read_time(write_time(text)) == same


@pytest.mark.parametrize(
    "text",
    [
        "now",
        "2024-01-01",
        "2024-01-01T00:00:00",
        "2024-13-01T00:00:00Z",
        "2024-01-01T25:00:00Z",
        "2024-1-1T0:0:0Z",
        "Z",
    ],
)
def test_text_that_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"time|month|hour"):
        write_time(text)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\1",
        bytes(15),
        bytes.fromhex("03 0000000edd23f780 00000000 ffff"),
        bytes.fromhex("01 0000000edd23f780 00000000 ffff 00"),
        bytes.fromhex("01 0000004977863880 00000000 ffff"),
        bytes.fromhex("01 ffffffffffffffff 00000000 ffff"),
        bytes.fromhex("01 0000000000000000 00000000 fffe"),
    ],
    ids=["empty", "short", "version 0", "version 3", "long", "the year 10000", "far off", "before the year 1"],
)
def test_bytes_that_are_no_time_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="time"):
        read_time(data)


@pytest.mark.parametrize("text", [text for text in TIMES if text < "9999"])
def test_go_has_the_same_time(gohost: GoHost, text: str) -> None:
    encoded = gohost.ask("gob_encode", type="Assertion", value={"IssueInstant": text})
    end = End()
    assertion = end.decode(encoded["hex"], contract.struct("types.Assertion"))
    assert (assertion.issue_instant or "0001-01-01T00:00:00Z") == text
    sent = end.encode(contract.struct("types.Assertion"), assertion)
    assert gohost.ask("gob_decode", type="Assertion", hex=sent.hex())["value"]["IssueInstant"] == text
