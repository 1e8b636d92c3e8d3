"""Makes the hooks reference page from the table of hooks, the .proto files and the notes."""

from __future__ import annotations

from collections.abc import Iterator

from mmhooks.hooks import HOOKS, Hook

from .contract import descriptors, notes
from .models import MODULES, all_models, summary

_INTRODUCTION = """# Hooks

Every hook of Mattermost that a handler can take, in the order of Mattermost's own list. The *kind* says what a handler may do:

| kind | what a handler may do |
|---|---|
| notify | return nothing |
| fallible | return nothing, or raise: the server is told |
| filter | return `None`: unchanged; a model: replaced; `Reject("why")`: refused |
| gate | return `None`: allowed; `Reject("why")`: refused |
| value | return the value |
| fallible value | return the value, or raise: the server is told |
| stream | read a request and write a response |

An argument that the server leaves unset arrives as `None`. A filter or gate that raises or is late lets things pass, as
if the plugin were absent, unless `on_error=Reject("why")` says otherwise. "Since" is the first Mattermost version with
the hook. The gRPC host is Mattermost's own Python runtime. Released servers, which speak net/rpc, can call every hook here
that they have but the three that need streams: ServeHTTP, FileWillBeUploaded and ServeMetrics. Hooks that a host cannot
call may be registered all the same, and are left out there with a warning in the log. [Hosts](hosts.md) compares the two.
"""

_STREAMS = "not served by this version of mmhooks: it needs streams"


def generate() -> Iterator[tuple[str, str]]:
    """The page, with its path."""
    lines = [_INTRODUCTION, "| hook | kind | since | gRPC host |", "|---|---|---|---|"]
    lines += [f"| [{h.name}](#{h.name.lower()}) | {h.kind.value} | {h.since} | {_served(h)} |" for h in HOOKS.values()]
    lines += ["", *_versions()]
    for hook in HOOKS.values():
        note = notes()[hook.name]
        lines += [
            "",
            f"## {hook.name}",
            "",
            note["summary"],
            "",
            "```text",
            f"{hook.method}{hook.signature}{_arrow(hook)}",
            "```",
            "",
        ]
        lines += [f"*{hook.kind.value}, since {hook.since}; gRPC host: {_served(hook)}.*", ""]
        lines += ["**When.** " + note["when"].strip(), "", "**Answers.** " + note["answers"].strip()]
        if note["surprises"].strip():
            lines += ["", "**Surprises.**", "", note["surprises"].strip()]
    yield "docs/hooks.md", "\n".join(lines) + "\n"
    yield "docs/models.md", _models_page()


def _versions() -> Iterator[str]:
    """The hooks by the server version that has them first."""
    by_version: dict[str, list[str]] = {}
    for hook in HOOKS.values():
        by_version.setdefault(hook.since, []).append(f"[{hook.name}](#{hook.name.lower()})")
    yield "**By version.** A server of an older version never calls a hook that it does not have; nothing else happens."
    yield ""
    yield "| Mattermost | has also |"
    yield "|---|---|"
    for version in sorted(by_version, key=lambda version: tuple(map(int, version.split(".")))):
        yield f"| {version} | {', '.join(by_version[version])} |"


_MODELS = """# Models

What handlers get and return. All fields have Mattermost's JSON names and a default, so that a model can be made with just
what matters: `Post(message="hello")`. Times are milliseconds since 1970 (UTC), 0 for never. `to_dict`, `to_json`, `from_dict` and
`from_json` convert to Mattermost's JSON and back. `Config` and what belongs to it alone are spelt as in Mattermost's
config.json and are not listed here.
"""


def _models_page() -> str:
    lines = [_MODELS]
    for module, models in sorted(all_models().items()):
        for name, fields in models.items() if module in MODULES else ():
            lines += [
                f"## {name}",
                "",
                f"{summary(name)} (`mmhooks.models.{module}`)",
                "",
                "| field | type |",
                "|---|---|",
            ]
            lines += [f"| `{field.name}` | `{field.type}` |".replace(" | None", " or None") for field in fields]
            lines.append("")
    return "\n".join(lines)


def _arrow(hook: Hook) -> str:
    answers = [hook.result.replace(" | None", "")] if hook.result else []
    answers += ["Reject"] if hook.kind.may_reject else []
    answers += [] if hook.result and "None" not in hook.result else ["None"]
    return " -> " + " | ".join(answers)


def _served(hook: Hook) -> str:
    services = [s for f in descriptors(comments=False).file for s in f.service if s.name == "PluginHooks"]
    methods = {method.name for service in services for method in service.method}
    if hook.name not in methods:
        return "not on its wire"
    if hook.has_streams:
        return _STREAMS
    return "yes"
