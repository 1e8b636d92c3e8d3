"""Log lines as go-plugin's hosts read them: hclog's JSON, a line each, exactly in its form."""

from __future__ import annotations

import datetime
import json
import logging
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from mmhooks import log

LINE_LIMIT = 64 * 1024
"""Where go-plugin cuts a line in two (its `client.go`, the reader of stderr)."""


class Lines(list[bytes]):
    """What reached the host."""

    def last(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(self[-1])
        return data


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def logger(lines: Lines) -> logging.Logger:
    """A logger of nobody else, whose records go to a host."""
    made = logging.Logger("plugin.rules")
    made.addHandler(log.HclogHandler(lines.append))
    return made


def test_a_record_is_one_line_of_json_with_hclogs_keys(logger: logging.Logger, lines: Lines) -> None:
    logger.warning("low on %s: %d left", "tea", 3)
    assert len(lines) == 1
    assert lines[0].endswith(b"}\n")
    assert lines[0].count(b"\n") == 1
    entry = lines.last()
    del entry["@timestamp"]
    assert entry == {"@level": "warn", "@message": "low on tea: 3 left", "@module": "plugin.rules"}


def test_the_timestamp_has_gos_layout_and_the_records_time(logger: logging.Logger, lines: Lines) -> None:
    record = logger.makeRecord("n", logging.INFO, "f", 1, "hi", (), None)
    record.created = 1767323045.000007
    logger.handle(record)
    assert lines.last()["@timestamp"] == "2026-01-02T03:04:05.000007Z"
    record.created = 1767323045.0
    logger.handle(record)
    assert lines.last()["@timestamp"] == "2026-01-02T03:04:05.000000Z"


def test_the_timestamp_of_a_line_is_of_now_and_utc(logger: logging.Logger, lines: Lines) -> None:
    before = datetime.datetime.now(datetime.UTC)
    logger.info("hi")
    text = lines.last()["@timestamp"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text)
    told = datetime.datetime.fromisoformat(text)
    assert abs(told - before) < datetime.timedelta(minutes=1)


@pytest.mark.parametrize(
    ("level", "told"),
    [
        (5, "debug"),
        (logging.DEBUG, "debug"),
        (logging.INFO, "info"),
        (25, "info"),
        (logging.WARNING, "warn"),
        (logging.ERROR, "error"),
        (logging.CRITICAL, "error"),
        (60, "error"),
    ],
)
def test_levels_are_told_in_hclogs_words(logger: logging.Logger, lines: Lines, level: int, told: str) -> None:
    logger.log(level, "hi")
    assert lines.last()["@level"] == told


@pytest.mark.parametrize("message", [{"a": 1}, 5, None, ValueError("x"), b"bytes", ["x"]], ids=repr)
def test_a_message_that_is_no_text_becomes_text_since_hosts_panic_otherwise(
    logger: logging.Logger, lines: Lines, message: Any
) -> None:
    logger.info(message)
    assert lines.last()["@message"] == str(message)


def test_an_empty_message_stays_one(logger: logging.Logger, lines: Lines) -> None:
    logger.info("")
    assert lines.last()["@message"] == ""


def test_line_breaks_stay_within_the_line(logger: logging.Logger, lines: Lines) -> None:
    logger.info("one\ntwo\r\nthree\u2028four")
    assert lines[0].count(b"\n") == 1
    assert lines.last()["@message"] == "one\ntwo\r\nthree\u2028four"


@pytest.mark.parametrize("text", ["Grüße", "你好", "👍", "\x00\x1b[31m", "\ud800 alone", '"quoted" \\ {}'])
def test_any_text_arrives(logger: logging.Logger, lines: Lines, text: str) -> None:
    logger.info(text)
    assert lines[0].isascii()
    assert lines.last()["@message"] == text


def test_a_traceback_goes_with_the_record(logger: logging.Logger, lines: Lines) -> None:
    try:
        raise ValueError("broken\nin two")
    except ValueError:
        logger.exception("it failed")
    entry = lines.last()
    assert (entry["@level"], entry["@message"]) == ("error", "it failed")
    assert entry["traceback"].startswith("Traceback (most recent call last):\n")
    assert "test_log.py" in entry["traceback"]
    assert entry["traceback"].endswith("ValueError: broken\nin two")


def test_an_exception_given_as_such_is_told_too(logger: logging.Logger, lines: Lines) -> None:
    logger.error("it failed", exc_info=KeyError("k"))
    assert lines.last()["traceback"] == "KeyError: 'k'"


@pytest.mark.parametrize("exc_info", [None, True, (None, None, None)])
def test_no_exception_gives_no_traceback(logger: logging.Logger, lines: Lines, exc_info: Any) -> None:
    assert sys.exc_info() == (None, None, None)
    logger.error("it failed", exc_info=exc_info)
    assert "traceback" not in lines.last()


def test_a_stack_that_was_asked_for_is_told(logger: logging.Logger, lines: Lines) -> None:
    logger.info("here", stack_info=True)
    assert "test_a_stack_that_was_asked_for_is_told" in lines.last()["stack"]


def test_a_message_up_to_the_limit_arrives_whole(logger: logging.Logger, lines: Lines) -> None:
    text = "x" * (log.LONGEST - 2)  # the quotes
    logger.info(text)
    assert lines.last()["@message"] == text


@pytest.mark.parametrize("count", [9_000, 100_000])
@pytest.mark.parametrize("letter", ["x" * 5, "ü", "好", "👍", "\x00", '"' * 5, "\ud800"], ids=ascii)
def test_a_line_never_reaches_the_length_at_which_hosts_cut_it(
    logger: logging.Logger, lines: Lines, letter: str, count: int
) -> None:
    text = letter * count
    try:
        raise ValueError(text)
    except ValueError:
        logger.exception(text, stack_info=True)
    assert len(lines[0]) < LINE_LIMIT
    entry = lines.last()
    for value in (entry["@message"], entry["traceback"]):
        assert "characters left out" in value
        assert value.endswith(letter * 100)
    assert entry["@message"].startswith(letter * 100)
    assert entry["traceback"].startswith("Traceback")


def test_a_long_message_keeps_its_beginning_and_its_end_and_says_what_is_missing(
    logger: logging.Logger, lines: Lines
) -> None:
    logger.info("the beginning " + "x" * 50_000 + " the end")
    text = lines.last()["@message"]
    assert text.startswith("the beginning xxx")
    assert text.endswith("xxx the end")
    found = re.search(r"x … (\d+) characters left out … x", text)
    assert found
    assert len(text.replace(found[0], "xx")) + int(found[1]) == 14 + 50_000 + 8


def test_a_message_with_wrong_arguments_does_not_stop_the_plugin(
    logger: logging.Logger, lines: Lines, capsys: pytest.CaptureFixture[str]
) -> None:
    logger.info("%d", "no number")
    logger.info("still here")
    assert [json.loads(line)["@message"] for line in lines] == ["still here"]
    assert "Logging error" in capsys.readouterr().err


def test_a_host_that_is_gone_does_not_stop_the_plugin(capsys: pytest.CaptureFixture[str]) -> None:
    def write(data: bytes) -> None:
        raise BrokenPipeError

    handler = log.HclogHandler(write)
    handler.handle(logging.makeLogRecord({"msg": "hi"}))
    assert "Logging error" in capsys.readouterr().err


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, which is as before after the test."""
    logger = logging.getLogger()
    handlers, level = [*logger.handlers], logger.level
    yield logger
    logger.handlers[:], logger.level = handlers, level
    logger.setLevel(level)


def test_all_loggers_reach_the_host_from_info_on(root: logging.Logger, lines: Lines) -> None:
    log.install(lines.append)
    other = logging.getLogger("some.library")
    other.debug("not this")
    other.info("this")
    root.warning("and this")
    assert [(json.loads(line)["@module"], json.loads(line)["@message"]) for line in lines] == [
        ("some.library", "this"),
        ("root", "and this"),
    ]


def test_basic_config_of_a_plugin_changes_nothing_after_that(root: logging.Logger, lines: Lines) -> None:
    root.handlers.clear()
    log.install(lines.append)
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    logging.getLogger("plugin").info("this")
    assert len(root.handlers) == 1
    assert lines.last()["@message"] == "this"
