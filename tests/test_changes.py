"""What a handler changed, told by a part of the model: a server in Go that merges it ends with what the handler meant.

Every edit is carried out twice: in Python, and by Go's own decoder over the original value. What cannot be told must be
in the list of lost changes, and nothing else.
"""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable
from typing import Any

import pytest

from mmhooks import FileInfo, Post, User
from mmhooks.changes import MERGED, Changes, changes, merged
from mmhooks.hosts.netrpc import contract
from mmhooks.models import Model, PostImage, PostMetadata, PostPriority, Reaction
from tests.host_driver import GoHost
from tests.hosts.netrpc.gobs import End

POST: dict[str, Any] = {
    "id": "i",
    "message": "hello",
    "create_at": 5,
    "is_pinned": True,
    "file_ids": ["a", "b", "c"],
    "remote_id": "r",
    "is_following": True,
    "props": {"text": "x", "yes": True, "number": 1, "map": {"a": {"b": [1, {"c": "d"}]}}, "list": ["a", "b"]},
    "participants": [
        {"id": "u1", "username": "one", "props": {"k": "v"}, "remote_id": "ur", "email_verified": True},
        {"id": "u2", "username": "two", "failed_attempts": 3},
    ],
    "metadata": {
        "embeds": [{"type": "link", "url": "u", "data": {"k": 1}}, {"type": "image", "url": "v", "data": "text"}],
        "files": [
            {"id": "f", "size": 7, "mini_preview": "AAE=", "remote_id": "fr"},
            {"id": "g", "size": 8, "width": 9},
        ],
        "images": {"one": {"width": 1, "height": 2, "format": "png"}, "two": {"width": 3, "height": 4}},
        "reactions": [{"user_id": "u", "emoji_name": "e", "create_at": 4, "remote_id": "rr"}],
        "priority": {"priority": "urgent", "requested_ack": True, "PostId": "p"},
        "expire_at": 77,
        "recipients": ["x", "y"],
    },
}


class Merging:
    """Sends the changes of a model to Go, over the original."""

    def __init__(self, host: GoHost, hook: str = "MessageWillBePosted", **original: Any) -> None:
        self.host = host
        self.hook = hook
        args = host.ask("gob_encode", type=f"Z_{hook}Args", **original)
        self.original = args["value"]["B"]
        self.args = args["hex"]
        self.request, self.reply = contract.hook(hook)
        self.begin()

    def begin(self) -> None:
        """A stream of its own for each answer: the decoder in Go has one, too."""
        self.end = End()
        self.message = self.end.receive(self.args)

    def read(self) -> Any:
        return self.end.read(self.message, self.request)["B"]

    def told(self, after: Model) -> tuple[Changes, dict[str, Any]]:
        """What was told, and what Go has then."""
        told = changes(self.read(), after)
        sent = self.end.encode(self.reply, {"A": told})
        self.begin()
        into = {"A": self.original}
        answer = self.host.ask("gob_decode", type=f"Z_{self.hook}Returns", hex=sent.hex(), into=into)
        assert answer["left"] == 0
        return told, answer["value"]["A"]


def edit_metadata(name: str, value: Any) -> Callable[[Post], None]:
    def edit(post: Post) -> None:
        assert post.metadata
        setattr(post.metadata, name, value)

    return edit


def metadata(post: Post) -> PostMetadata:
    assert post.metadata
    return post.metadata


def no_priority_of_its_own(post: Post) -> None:
    priority = metadata(post).priority
    assert priority
    priority.priority = None


def much_at_once(post: Post) -> None:
    post.message, post.is_following = "", False
    post.props["text"] = {"deep": [None, ""]}
    metadata(post).files.pop()


EDITS: dict[str, tuple[Callable[[Post], Any], tuple[str, ...]]] = {
    "nothing": (lambda post: None, ()),
    "text changed": (lambda post: setattr(post, "message", "bye"), ()),
    "text cleared": (lambda post: setattr(post, "message", ""), ()),
    "number changed": (lambda post: setattr(post, "create_at", -(1 << 63)), ()),
    "number cleared": (lambda post: setattr(post, "create_at", 0), ()),
    "boolean cleared": (lambda post: setattr(post, "is_pinned", False), ()),
    "list longer": (lambda post: post.file_ids.append("d"), ()),
    "list much longer": (lambda post: post.file_ids.extend("defghijkl"), ()),
    "list shorter": (lambda post: post.file_ids.pop(0), ()),
    "list with an empty text": (lambda post: setattr(post, "file_ids", ["", "b"]), ()),
    "list cleared": (lambda post: post.file_ids.clear(), ()),
    "pointer to another text": (lambda post: setattr(post, "remote_id", "s"), ()),
    "pointer to an empty text": (lambda post: setattr(post, "remote_id", ""), ()),
    "pointer to false": (lambda post: setattr(post, "is_following", False), ()),
    "pointer cleared": (lambda post: setattr(post, "remote_id", None), ("remote_id",)),
    "struct cleared": (lambda post: setattr(post, "metadata", None), ("metadata",)),
    "key added": (lambda post: post.props.update(new=[]), ()),
    "key changed": (lambda post: post.props.update(text="y"), ()),
    "key cleared": (lambda post: post.props.update(text=""), ()),
    "key is nothing": (lambda post: post.props.update(text=None), ()),
    "key removed": (lambda post: post.props.pop("text"), ("props['text']",)),
    "all keys removed": (
        lambda post: post.props.clear(),
        ("props['list']", "props['map']", "props['number']", "props['text']", "props['yes']"),
    ),
    "key of a map in a key removed": (lambda post: post.props["map"].pop("a"), ()),
    "deep edit in a key": (lambda post: post.props["map"]["a"]["b"][1].update(c=0), ()),
    "list in a key shorter": (lambda post: post.props["list"].pop(), ()),
    "a number in the place of a boolean": (lambda post: post.props.update(yes=1), ()),
    "a boolean in the place of a number": (lambda post: post.props.update(number=True), ()),
    "a boolean for a number, deep": (lambda post: post.props["map"]["a"].update(b=[True, {"c": "d"}]), ()),
    "struct in a struct edited": (lambda post: setattr(metadata(post), "expire_at", 0), ()),
    "struct in a struct in a struct edited": (
        lambda post: setattr(metadata(post).priority, "requested_ack", False),
        (),
    ),
    "pointer in a struct in a struct cleared": (no_priority_of_its_own, ("metadata.priority.priority",)),
    "struct in a struct cleared": (edit_metadata("priority", None), ("metadata.priority",)),
    "struct in the place of another": (
        edit_metadata("priority", PostPriority(priority="", requested_ack=False, channel_id="c")),
        (),
    ),
    "struct where parts are cleared": (
        edit_metadata("priority", PostPriority(channel_id="c")),
        ("metadata.priority.priority", "metadata.priority.requested_ack"),
    ),
    "list of structs, a part cleared": (lambda post: setattr(metadata(post).files[0], "size", 0), ()),
    "list of structs, a pointer cleared": (
        lambda post: setattr(metadata(post).files[0], "remote_id", None),
        ("metadata.files[0].remote_id",),
    ),
    "list of structs, bytes cleared": (
        lambda post: setattr(metadata(post).files[0], "mini_preview", None),
        ("metadata.files[0].mini_preview",),
    ),
    "list of structs, bytes empty": (lambda post: setattr(metadata(post).files[0], "mini_preview", b""), ()),
    "list of structs, all of one cleared but its pointers": (
        edit_metadata("files", [FileInfo(remote_id="", mini_preview=b""), FileInfo()]),
        (),
    ),
    "list of structs shorter by its first": (
        lambda post: metadata(post).files.pop(0),
        ("metadata.files[0].mini_preview", "metadata.files[0].remote_id"),
    ),
    "list of structs shorter by its last": (lambda post: metadata(post).files.pop(), ()),
    "list of structs longer": (lambda post: metadata(post).files.append(FileInfo(id="h")), ()),
    "list of structs in the other order": (
        lambda post: metadata(post).embeds.reverse(),
        (),
    ),
    "list of structs cleared": (lambda post: metadata(post).files.clear(), ()),
    "list of structs, anything cleared": (lambda post: setattr(metadata(post).embeds[0], "data", None), ()),
    "list of structs, a key of anything removed": (lambda post: metadata(post).embeds[0].data.pop("k"), ()),
    "list of structs, a key removed": (
        lambda post: post.participants[0].props.clear(),
        ("participants[0].props['k']",),
    ),
    "list of structs, made anew": (
        lambda post: setattr(post, "participants", [User(id="u3", props={"k": "", "l": "m"}, remote_id="")]),
        (),
    ),
    "map of structs, one edited to zeros": (
        lambda post: metadata(post).images.update(one=PostImage(height=9)),
        (),
    ),
    "map of structs, a part cleared": (lambda post: setattr(metadata(post).images["one"], "format", ""), ()),
    "map of structs, one removed": (lambda post: metadata(post).images.pop("one"), ("metadata.images['one']",)),
    "map of structs, one added": (lambda post: metadata(post).images.update(three=PostImage()), ()),
    "metadata made anew": (
        lambda post: setattr(post, "metadata", PostMetadata(reactions=[Reaction(user_id="v", remote_id="")])),
        ("metadata.images['one']", "metadata.images['two']", "metadata.priority"),
    ),
    "much at once": (much_at_once, ()),
}


def put_back(after: Any, before: Any, path: str) -> None:
    """Undo a lost change: what a server keeps."""
    found = re.findall(r"\.?(\w+)|\[(\d+)\]|\['(.*?)'\]", path)
    steps: list[Any] = [int(index) if index else key or name for name, index, key in found]
    *parents, last = steps
    for step in parents:
        before, after = (getattr(x, step) if isinstance(x, Model) else x[step] for x in (before, after))
    if isinstance(after, Model):
        setattr(after, last, getattr(before, last))
    else:
        after[last] = before[last]


def check(merging: Merging, after: Model) -> Changes:
    """Go has what the handler meant, but for what is lost; and `merged` says the same."""
    told, in_go = merging.told(after)
    expected = copy.deepcopy(after)
    for path in told.lost:
        put_back(expected, merging.read(), path)
    assert without_empty(in_go) == without_empty(expected.to_dict())
    return told


def without_empty(value: Any) -> Any:
    """JSON in which an empty list or map is as good as none: Go has a nil slice here and an empty one there."""
    if isinstance(value, dict):
        return {key: without_empty(item) for key, item in value.items() if item not in (None, [], {})}
    if isinstance(value, list):
        return [None if item == [] else without_empty(item) for item in value]
    # Numbers in anything are doubles to Go's JSON, by which the original comes.
    return ("bool", value) if isinstance(value, bool) else float(value) if isinstance(value, int) else value


@pytest.fixture(scope="module")
def post_in_go(gohost: GoHost) -> Merging:
    return Merging(gohost, value={"B": POST})


@pytest.mark.parametrize("name", EDITS)
def test_go_ends_with_what_the_handler_meant(post_in_go: Merging, name: str) -> None:
    edit, lost = EDITS[name]
    after = copy.deepcopy(post_in_go.read())
    edit(after)
    told = check(post_in_go, after)
    assert tuple(sorted(told.lost)) == lost


def test_what_was_nil_can_be_set(gohost: GoHost) -> None:
    merging = Merging(gohost, value={"B": {"id": "i"}})
    after = merging.read()
    after.metadata = PostMetadata(
        files=[FileInfo()], images={"x": PostImage()}, priority=PostPriority(requested_ack=True)
    )
    after.remote_id, after.is_following = "", False
    after.props = {"a": 1}
    after.participants = [User(id="u", props={"a": ""})]
    told, in_go = merging.told(after)
    assert told.lost == ()
    # Pointers to what is empty are there: the zeros are written.
    assert (in_go["remote_id"], in_go["is_following"]) == ("", False)
    assert in_go["metadata"]["priority"]["requested_ack"] is True
    check(merging, after)


@pytest.mark.parametrize("hook", sorted(MERGED - {"FileWillBeUploaded"}))
@pytest.mark.parametrize("seed", range(12))
def test_any_edit_of_all_that_go_can_fill_is_told_or_lost(gohost: GoHost, hook: str, seed: int) -> None:
    merging = Merging(gohost, hook, seed=seed % 3)
    rng = random.Random(seed)
    after = copy.deepcopy(merging.read())
    scramble(after, rng)
    check(merging, after)


def scramble(model: Model, rng: random.Random) -> None:
    """Edit about half of a model's fields, at any depth."""
    empty = type(model)()
    for name in model.__struct_fields__:
        if name == "_unknown" or rng.random() < 0.5:
            continue
        value = getattr(model, name)
        if rng.random() < 0.3:
            setattr(model, name, getattr(empty, name))
        else:
            setattr(model, name, scrambled(value, rng))


def scrambled(value: Any, rng: random.Random) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return rng.choice([0, -1, value // 2])
        case float():
            return rng.choice([0.0, -value])
        case str():
            return rng.choice(["", value + "!", value])
        case bytes():
            return value[1:]
        case Model():
            scramble(value, rng)
            return value
        case dict():
            return {key: scrambled(item, rng) for key, item in sorted(value.items()) if rng.random() < 0.8}
        case list():
            kept = [scrambled(item, rng) for item in value if rng.random() < 0.8]
            rng.shuffle(kept)
            return kept
    return value


def test_only_what_changed_is_told() -> None:
    before, after = Post(message="a", id="i", props={"k": 1, "l": 2}), Post(message="", id="i", props={"k": 1, "l": 3})
    assert changes(before, after) == Changes({"message": "", "props": {"l": 3}})
    assert not changes(before, copy.deepcopy(before))


def test_an_edit_within_a_struct_is_told_as_that_edit_alone() -> None:
    before = Post(metadata=PostMetadata(expire_at=1, recipients=["a"]))
    after = copy.deepcopy(before)
    assert after.metadata
    after.metadata.recipients = []
    assert changes(before, after).attributes == {"metadata": Changes({"recipients": []})}


def test_nothing_is_read_for_what_nobody_has_read(gohost: GoHost) -> None:
    merging = Merging(gohost, value={"B": POST})
    before, after = merging.read(), merging.read()
    after.message = "edited"
    assert changes(before, after) == Changes({"message": "edited"})
    assert "props" in before.unread()
    assert "props" in after.unread()


def test_a_post_from_elsewhere_in_the_place_of_the_original_is_told_by_its_differences(gohost: GoHost) -> None:
    merging = Merging(gohost, value={"B": POST})
    after = Post.from_dict({**POST, "message": "other", "props": {**POST["props"], "text": "other"}})
    told = check(merging, after)
    assert told == Changes({"message": "other", "props": {"text": "other"}})


def test_merging_in_python_is_what_go_does(post_in_go: Merging) -> None:
    # The embedded host of the dev console merges as a server does.
    for name, (edit, _) in EDITS.items():
        after = copy.deepcopy(post_in_go.read())
        edit(after)
        told, in_go = post_in_go.told(after)
        result = merged(post_in_go.read(), as_read(told))
        assert without_empty(result.to_dict()) == without_empty(in_go), name


def as_read(told: Changes) -> dict[str, Any]:
    """Changes as the other side reads them."""
    return {name: as_read(value) if isinstance(value, Changes) else value for name, value in told.attributes.items()}


def test_a_file_that_is_uploaded_is_merged_as_well(gohost: GoHost) -> None:
    schema = contract.struct("model.FileInfo")
    encoded = gohost.ask("gob_encode", type="FileInfo", seed=0)
    end = End()
    message = end.receive(encoded["hex"])
    before, after = end.read(message, schema), end.read(message, schema)
    after.name, after.size, after.archived, after.mini_preview, after.remote_id = "", 0, False, b"", None
    told = changes(before, after)
    assert told == Changes({"name": "", "size": 0, "archived": False, "mini_preview": b""}, ("remote_id",))
    read = gohost.ask("gob_decode", type="FileInfo", hex=end.encode(schema, told).hex(), into=encoded["value"])["value"]
    after.remote_id = before.remote_id
    assert read == {**after.to_dict(), "mini_preview": None if read["mini_preview"] is None else ""}


def test_booleans_and_numbers_that_python_takes_for_equal_are_changes() -> None:
    before = Post(props={"a": True, "b": 0, "c": [1, {"d": 1.0}]})
    after = Post(props={"a": 1, "b": False, "c": [1, {"d": True}]})
    assert changes(before, after).attributes == {"props": after.props}
    assert not changes(before, Post(props={"a": True, "b": 0.0, "c": [1, {"d": 1}]}))
