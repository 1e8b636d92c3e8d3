"""What is a bundle, and what is refused before anything is sent."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from mmhooks.deploy.bundle import Bundle
from mmhooks.errors import DeployError
from tests.deploy.conftest import ID, MakeBundle, Run
from tests.deploy.rest_server import RestServer


@pytest.mark.parametrize("inside", ["plugin.json", "./plugin.json", f"{ID}/plugin.json", f"./{ID}/plugin.json"])
def test_manifest_is_at_the_top_or_in_a_folder_there(inside: str, make_bundle: MakeBundle) -> None:
    file = make_bundle("1.2.3", inside=inside)
    assert Bundle.read(file) == Bundle(file, ID, "1.2.3", file.stat().st_size)


def test_version_may_be_missing(make_bundle: MakeBundle) -> None:
    assert Bundle.read(make_bundle(manifest='{"id": "com.example.Hello"}')).version == ""


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        ("[]", 'no id in it: expected {"id": "com.example.hello", …}'),
        ('{"id": 5}', "no id in it"),
        ("{", "not JSON: "),
        ('{"id": "a/../b"}', "a/../b: not the id of a plugin"),
    ],
)
def test_manifest_that_does_not_do(manifest: str, expected: str, make_bundle: MakeBundle) -> None:
    with pytest.raises(DeployError) as failed:
        Bundle.read(make_bundle(manifest=manifest))
    assert expected in str(failed.value)


def test_archive_without_a_manifest(make_bundle: MakeBundle) -> None:
    with pytest.raises(
        DeployError, match=r"not a bundle: no plugin\.json in it, neither at the top nor in a folder there"
    ):
        Bundle.read(make_bundle(inside="com.example.hello/server/plugin.json"))


def broken(kind: str, good: Path) -> bytes:
    content = good.read_bytes()
    return {
        "empty": b"",
        "text": b"hello",
        "zip": b"PK\x03\x04",
        "tar without gzip": gzip.decompress(content),
        "cut off": content[: len(content) // 2],
        "no tar": gzip.compress(b"hello" * 1000),
        "garbled": content[:20] + b"\xff" * 40 + content[60:],
    }[kind]


@pytest.mark.parametrize("kind", ["empty", "text", "zip", "tar without gzip", "cut off", "no tar", "garbled"])
def test_what_is_no_bundle_is_not_sent(
    kind: str, rest: RestServer, run: Run, make_bundle: MakeBundle, tmp_path: Path
) -> None:
    (tmp_path / "other.tar.gz").write_bytes(broken(kind, make_bundle()))
    result = run("deploy", "other.tar.gz", rest=rest)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: other.tar.gz: not a bundle")
    assert rest.requests == []


def test_folder_is_no_bundle(rest: RestServer, run: Run, tmp_path: Path) -> None:
    (tmp_path / "hello").mkdir()
    assert "hello: there is no such file." in run("deploy", "hello", rest=rest).stderr
