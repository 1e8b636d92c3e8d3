"""What the plugin writes into the server's logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mmhooks.models import AuditRecord, Level
from mmhooks.testing.mattermost.methods import answers
from mmhooks.testing.mattermost.records import LogLine

if TYPE_CHECKING:
    from mmhooks.testing.mattermost.server import Server


def _write(server: Server, level: str, message: str, pairs: list[Any]) -> None:
    """Names and values come in turn, and travel as text; one that is left over has no name."""
    texts = [value if isinstance(value, str) else str(value) for value in pairs]
    fields = dict(zip(texts[::2], texts[1::2], strict=False))
    if len(texts) % 2:
        fields["ignored"] = texts[-1]
    server.records.log.append(LogLine(level, message, dict(fields)))


@answers("LogDebug")
def _log_debug(server: Server, message: str, pairs: list[Any]) -> None:
    _write(server, "debug", message, pairs)


@answers("LogInfo")
def _log_info(server: Server, message: str, pairs: list[Any]) -> None:
    _write(server, "info", message, pairs)


@answers("LogWarn")
def _log_warn(server: Server, message: str, pairs: list[Any]) -> None:
    _write(server, "warn", message, pairs)


@answers("LogError")
def _log_error(server: Server, message: str, pairs: list[Any]) -> None:
    _write(server, "error", message, pairs)


@answers("LogAuditRec")
def _log_audit_rec(server: Server, record: AuditRecord | None) -> None:
    server.records.audits.append(record or AuditRecord())


@answers("LogAuditRecWithLevel")
def _log_audit_rec_with_level(server: Server, record: AuditRecord | None, level: Level) -> None:
    server.records.audits.append(record or AuditRecord())
