"""The contract in `protos/` agrees with the facts about Mattermost, and what is generated from it is up to date."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto

from mmhooks.hooks import HOOKS
from mmhooks.hosts.grpc.messages import PACKAGE, api_methods, methods
from protos.generator.api_methods import parameter_name
from protos.generator.contract import ROOT, api_notes, descriptors, interface

FACTS = Path(__file__).parents[2] / "shared" / "contract"


@pytest.fixture(scope="session")
def facts() -> Path:
    """The folder of facts, which lies beside the project where it is developed."""
    if not FACTS.is_dir():
        pytest.skip("the facts about Mattermost (../shared/contract) lie beside the project only where it is developed")
    return FACTS


class Field(NamedTuple):
    name: str
    type: str
    label: str = ""


class Contract(NamedTuple):
    """Messages and enums by number, services by method: all that counts on the wire."""

    messages: dict[str, dict[int, Field]]
    enums: dict[str, dict[int, str]]
    services: dict[str, dict[str, tuple[str, ...]]]


def read_facts(folder: Path) -> Contract:
    """The facts as they are noted: a line a field, `1 name type label`; a line a method, `rpc Name Request Response …`."""
    found = Contract({}, {}, {})
    words: list[str]
    for words in (line.split() for path in sorted(folder.glob("*.txt")) for line in path.read_text().splitlines()):
        match words:
            case ["message", name]:
                fields = found.messages.setdefault(name, {})
                values = None
            case ["enum", name]:
                values = found.enums.setdefault(name, {})
            case ["service", name]:
                calls = found.services.setdefault(name, {})
            case ["rpc", name, *rest]:
                calls[name] = tuple(rest)
            case [number, *rest] if number.isdigit():
                if values is None:
                    fields[int(number)] = Field(*rest)
                else:
                    values[int(number)] = rest[0]
            case [] | ["file" | "package" | "import", *_]:
                pass
            case _:
                raise AssertionError(f"the facts have a line that this test cannot read: {words}")
    return found


def read_protos(package: str) -> Contract:
    """What the .proto files say."""
    found = Contract({}, {}, {})
    for file in files(package):
        for message in file.message_type:
            found.messages[message.name] = {field.number: read_field(message, field) for field in message.field}
        for enum in file.enum_type:
            found.enums[enum.name] = {value.number: value.name for value in enum.value}
        for service in file.service:
            found.services[service.name] = {
                call.name: (
                    short(call.input_type),
                    short(call.output_type),
                    *["client_stream"] * call.client_streaming,
                    *["server_stream"] * call.server_streaming,
                )
                for call in service.method
            }
    return found


def files(package: str) -> Iterator[FileDescriptorProto]:
    return (file for file in descriptors(comments=False).file if file.package == package)


def short(full_name: str) -> str:
    return full_name.removeprefix(f".{PACKAGE}").removeprefix(".")


def read_field(message: DescriptorProto, field: FieldDescriptorProto) -> Field:
    type_ = short(field.type_name) or FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
    for nested in message.nested_type:
        if nested.options.map_entry and field.type_name.endswith(f".{message.name}.{nested.name}"):
            key, value = (read_field(nested, part).type for part in nested.field)
            return Field(field.name, f"map<{key},{value}>")
    if field.label == FieldDescriptorProto.LABEL_REPEATED:
        return Field(field.name, type_, "repeated")
    return Field(field.name, type_, "optional" if field.proto3_optional else "")


# the wire


def test_messages_have_the_numbers_names_types_and_labels_of_the_facts(facts: Path) -> None:
    ours, theirs = read_protos(PACKAGE).messages, read_facts(facts / "grpc").messages
    assert len(ours) > 100
    assert ours == {name: theirs.get(name) for name in ours}


def test_enums_have_the_values_of_the_facts(facts: Path) -> None:
    ours, theirs = read_protos(PACKAGE).enums, read_facts(facts / "grpc").enums
    assert ours
    assert ours == {name: theirs.get(name) for name in ours}


def test_the_service_of_the_hooks_is_that_of_the_facts_streams_included(facts: Path) -> None:
    ours, theirs = read_protos(PACKAGE).services, read_facts(facts / "grpc").services
    assert ours["PluginHooks"] == theirs["PluginHooks"]
    assert len(ours["PluginHooks"]) == 42


def test_the_service_of_the_plugin_api_and_all_that_it_needs_is_that_of_the_facts(facts: Path) -> None:
    ours, theirs = read_protos(PACKAGE), read_facts(facts / "grpc")
    assert ours.services == theirs.services
    assert [*ours.services["PluginAPI"]] == [*theirs.services["PluginAPI"]]
    assert len(ours.services["PluginAPI"]) == 236
    assert theirs.messages.keys() - ours.messages.keys() == {"Empty", "FileUploadResponse", "StringMap"}  # never used


def test_the_messages_that_plugins_use_are_those_of_the_proto_files() -> None:
    for service, found in (("PluginHooks", methods()), ("PluginAPI", api_methods())):
        ours = read_protos(PACKAGE).services[service]
        assert [*found] == [*ours]
        assert {name: (call.input_type.name, call.output_type.name) for name, call in found.items()} == {
            name: call[:2] for name, call in ours.items()
        }


def test_five_hooks_are_not_on_the_wire() -> None:
    assert {*HOOKS} - {*methods()} == {
        "ChannelWillBeArchived",
        "ChannelMemberWillBeAdded",
        "TeamMemberWillBeAdded",
        "FileWillBeDownloaded",
        "ServeMetrics",
    }
    assert {*methods()} - {*HOOKS} == {"Implemented"}


def test_go_plugins_own_services_are_as_go_plugin_has_them() -> None:
    ours = read_protos("plugin")
    assert ours.services == {
        "GRPCController": {"Shutdown": ("plugin.Empty", "plugin.Empty")},
        "GRPCStdio": {"StreamStdio": ("google.protobuf.Empty", "plugin.StdioData", "server_stream")},
        "GRPCBroker": {"StartStream": ("plugin.ConnInfo", "plugin.ConnInfo", "client_stream", "server_stream")},
    }
    assert ours.messages == {
        "Empty": {},
        "StdioData": {1: Field("channel", "plugin.StdioData.Channel"), 2: Field("data", "bytes")},
        "ConnInfo": {
            1: Field("service_id", "uint32"),
            2: Field("network", "string"),
            3: Field("address", "string"),
            4: Field("knock", "plugin.ConnInfo.Knock"),
        },
    }
    [stdio] = [message for file in files("plugin") for message in file.message_type if message.name == "StdioData"]
    assert [(value.number, value.name) for value in stdio.enum_type[0].value] == [
        (0, "INVALID"),
        (1, "STDOUT"),
        (2, "STDERR"),
    ]


# the Go interface


def interfaces(facts: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Ours and theirs."""
    return json.loads((ROOT / "protos" / "interface.json").read_text()), json.loads(
        (facts / "interface.json").read_text()
    )


def test_hooks_are_those_of_the_facts_with_versions_parameters_and_results(facts: Path) -> None:
    ours, theirs = interfaces(facts)
    assert ours["hooks"] == [
        {
            "name": hook["name"],
            "since": hook["since"],
            "parameters": [[parameter["name"], parameter["type"]] for parameter in hook["params"]],
            "results": hook["returns"],
        }
        for hook in theirs["hooks"]
        if hook["name"] != "Implemented"
    ]


def test_api_methods_are_those_of_the_facts_with_versions_parameters_and_results(facts: Path) -> None:
    ours, theirs = interfaces(facts)
    assert len(ours["api"]) == 237
    assert [{part: value for part, value in method.items() if part != "wire"} for method in ours["api"]] == [
        {
            "name": method["name"],
            "since": method["since"],
            "parameters": [[parameter["name"], parameter["type"]] for parameter in method["params"]],
            "results": method["returns"],
        }
        for method in theirs["api"]
    ]


def test_what_net_rpc_carries_otherwise_than_the_signature_says_is_as_the_facts_have_it(facts: Path) -> None:
    ours, theirs = interfaces(facts)
    facts_of = {method["name"]: method for method in theirs["api"]}
    carried = {method["name"]: method["wire"] for method in ours["api"] if "wire" in method}
    assert carried.keys() == {"LoadPluginConfiguration", "PluginHTTP", "InstallPlugin", "UploadData"}
    assert carried.pop("LoadPluginConfiguration") == {"parameters": [], "results": ["[]uint8"]}
    for name, wire in carried.items():
        fact = facts_of.pop(name)
        assert wire["parameters"] == [[argument["go"], argument["type"]] for argument in fact["args"]]
        assert wire["results"] == [result["type"] for result in fact["returns_struct"]]
    del facts_of["LoadPluginConfiguration"]
    for name, fact in facts_of.items():
        assert [argument["type"] for argument in fact["args"]] == [part["type"] for part in fact["params"]], name
        assert [argument["go"] for argument in fact["args"]] == [*"ABCDEFGH"[: len(fact["params"])]], name
        assert [result["type"] for result in fact["returns_struct"]] == fact["returns"], name
    assert "`LoadPluginConfiguration -> {A []byte}`" in (facts / "netrpc.md").read_text()


def test_names_under_which_values_travel_in_interfaces_are_those_of_the_facts(facts: Path) -> None:
    ours, _ = interfaces(facts)
    text = (facts / "netrpc.md").read_text().replace("\n", " ")
    assert [name for name in ours["registered"] if f"`{name}`" not in text] == []
    noted = re.search(r"Registered names for interface values: (.*?) Anything else", text)
    assert noted
    names = {
        name for name in re.findall(r"`([^`]+)`", noted[1]) if "model." in name or "plugin." in name or "pq." in name
    }
    assert {name for name in names if "PropertyOptions" not in name} <= {*ours["registered"]}


def test_types_that_encode_themselves_are_those_of_the_facts(facts: Path) -> None:
    ours, theirs = interfaces(facts)
    assert {name: type_["gob"] for name, type_ in ours["types"].items() if "gob" in type_} == {
        name: theirs["types"][name]["gob"] for name in ours["types"] if "gob" in theirs["types"].get(name, {})
    }
    assert ours["types"]["time.Time"]["gob"] == "GobEncoder"


def test_plain_errors_of_the_server_are_as_the_facts_have_them(facts: Path) -> None:
    ours, _ = interfaces(facts)
    assert ours["types"]["plugin.ErrorString"] == {"fields": [["Code", "int"], ["Err", "string"]]}
    assert "`*plugin.ErrorString{Code int, Err string}`" in (facts / "netrpc.md").read_text()


NOTED_ELSEWHERE = {"plugin.ErrorString"}


def test_go_types_have_the_fields_and_json_names_of_the_facts(facts: Path) -> None:
    ours, theirs = interfaces(facts)
    for name, type_ in ours["types"].items():
        if name in NOTED_ELSEWHERE:
            continue
        if "fields" in type_:
            assert type_["fields"] == [*map(as_we_write_it, theirs["types"][name]["fields"])], name
        else:
            assert type_ == {part: value for part, value in theirs["types"][name].items() if part in type_}, name
            assert type_["kind"] == theirs["types"][name]["kind"]


def as_we_write_it(field: dict[str, Any]) -> list[Any]:
    rest = [{"embedded": True}] if field.get("embedded") else [field["json"]] if "json" in field else []
    return [field["go"], field["type"], *rest]


STREAMS = {"http.Request", "http.Response", "http.ResponseWriter", "io.Reader", "io.Writer"}


def test_every_type_that_hooks_and_api_methods_reach_is_there_but_streams(facts: Path) -> None:
    ours, theirs = interfaces(facts)
    reached: set[str] = set()
    calls = [*ours["hooks"], *ours["api"]]
    waiting = [type_ for call in calls for _, type_ in call["parameters"]]
    waiting += [type_ for call in calls for type_ in call["results"]]
    waiting += ours["registered"]
    while waiting:
        for name in {*re.findall(r"[\w./]+", waiting.pop())} - reached - STREAMS:
            reached.add(name)
            known = theirs["types"].get(name, {})
            waiting += [field["type"] for field in known.get("fields", ())]
            waiting += [known[part] for part in ("key", "elem") if part in known]
    assert {name for name in reached if name in theirs["types"]} == ours["types"].keys() - NOTED_ELSEWHERE


# generated files


def check(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "protos.generator", "--check"], cwd=root, text=True, capture_output=True, check=False
    )


def test_generated_files_are_up_to_date() -> None:
    checked = check(ROOT)
    assert (checked.returncode, checked.stdout) == (0, ""), checked.stdout + checked.stderr


def test_a_generated_file_says_what_made_it() -> None:
    for path in (
        "mmhooks/models/posts.py",
        "mmhooks/decorators.py",
        "mmhooks/hosts/grpc/descriptors.py",
        "mmhooks/hosts/grpc/api_descriptors.py",
        "mmhooks/hosts/netrpc/structs.py",
    ):
        first = (ROOT / path).read_text().splitlines()[0]
        assert first.startswith("# Generated by protos/generator from protos/")
        assert first.endswith("run `make generate`, do not edit.")
    for folder, twin in (("api", "pages"), ("bots", "speaker"), ("kv", "store")):
        first = (ROOT / f"mmhooks/{folder}/{twin}.py").read_text().splitlines()[0]
        assert first.startswith(f"# Generated by protos/generator from mmhooks/{folder}/async_{twin}.py; run `make")


def test_files_that_are_stale_or_missing_are_noticed_and_not_written(tmp_path: Path) -> None:
    for folder in ("mmhooks", "protos", "docs", "tests/gohost/contract"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "mmhooks/models/teams.py").unlink()
    contract = tmp_path / "tests/gohost/contract/contract.go"
    contract.write_text(contract.read_text().replace("RootId ", "RootID ", 1))
    (tmp_path / "mmhooks/hosts/netrpc/structs.py").unlink()
    calls = tmp_path / "mmhooks/testing/calls.py"
    calls.write_text(calls.read_text() + "# edited by hand\n")
    source = tmp_path / "mmhooks/kv/async_store.py"
    source.write_text(source.read_text().replace("PAGE = 1000", "PAGE = 999"))
    post = tmp_path / "protos/post.proto"
    post.write_text(post.read_text().replace("string hashtags = ", "string hash_tags = "))
    checked = check(tmp_path)
    assert checked.returncode == 1
    assert checked.stdout == (
        "stale, run `make generate`: mmhooks/models/teams.py, tests/gohost/contract/contract.go, "
        "mmhooks/hosts/netrpc/structs.py, mmhooks/hosts/grpc/descriptors.py, mmhooks/testing/calls.py, "
        "mmhooks/kv/store.py\n"
    )
    assert not (tmp_path / "mmhooks/models/teams.py").exists()
    assert calls.read_text().endswith("# edited by hand\n")


def test_the_notes_on_the_plugin_api_are_about_its_methods_and_their_arguments() -> None:
    assert [*api_notes()] == [method["name"] for method in interface()["api"]]
    for method in interface()["api"]:
        note, names = api_notes()[method["name"]], [parameter_name(name) for name, _ in method["parameters"]]
        assert note["summary"].endswith(".")
        assert {*note.get("arguments", {})} | {*note.get("defaults", {})} <= {*names}
        # What has a default comes last.
        defaults = [name in note.get("defaults", {}) for name in names]
        assert defaults == sorted(defaults)
        results = [
            result[1] if isinstance(result, list) else result for result in method.get("wire", method)["results"]
        ]
        assert ("result" in note) == any(not result.endswith(("AppError", "error")) for result in results)
