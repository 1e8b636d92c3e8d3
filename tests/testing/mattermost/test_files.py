"""Files, against the facts about a real server."""

from __future__ import annotations

import struct
from typing import IO, Any

from mmhooks import App, Context, FileInfo, Reject
from mmhooks.api import PluginAPI
from mmhooks.models import GetFileInfosOptions
from mmhooks.testing import Clock, Mattermost
from tests.testing.mattermost.facts import NOWHERE, refused


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + b"rest"


def test_a_plugin_s_upload(api: PluginAPI, server: Mattermost) -> None:
    channel = server.channel("town-square").id
    info = api.upload_file(b"hello", channel, "folder/Notes.TXT")
    assert (info.name, info.extension, info.mime_type, info.size) == ("Notes.TXT", "txt", "text/plain", 5)
    assert (info.user_id, info.post_id, info.channel_id) == ("nouser", "", "")
    day, rest = info.path.split("/", 1)
    assert len(day) == 8
    assert rest == f"teams/noteam/channels/{channel}/users/nouser/{info.id}/Notes.TXT"
    assert api.get_file_info(info.id) == info
    assert api.get_file(info.id) == api.read_file(info.path) == b"hello"
    assert api.upload_file(b"", "", "x").channel_id == ""


def test_the_path_has_the_day() -> None:
    app = App()
    with Mattermost(app, clock=Clock(1_700_000_000_000)):
        assert app.api.upload_file(b"x", "", "x").path.startswith("20231114/")


def test_images(api: PluginAPI, server: Mattermost) -> None:
    info = api.upload_file(png(30, 20), "", "picture.png")
    assert (info.width, info.height, info.has_preview_image, info.mime_type) == (30, 20, True, "image/png")
    with refused(400, "api.file.upload_file.large_image.app_error"):
        api.upload_file(png(10000, 10000), "", "picture.png")
    assert api.upload_file(png(10000, 10000), "", "picture.txt").width == 0


def test_what_is_refused(api: PluginAPI, server: Mattermost) -> None:
    with refused(400, "api.file.upload_file.incorrect_channelId.app_error"):
        api.upload_file(b"x", NOWHERE, "x")
    for call in (api.get_file_info, api.get_file):
        with refused(404, "app.file_info.get.app_error"):
            call(NOWHERE)
    with refused(500, "api.file.read_file.app_error"):
        api.read_file("no/such/path")
    server.change_config(FileSettings={"MaxFileSize": 3})
    assert api.upload_file(b"large", "", "x").size == 5  # plugins may
    with refused(413, "api.file.upload_file.too_large_detailed.app_error"):
        server.upload("x", b"large")


def test_links(api: PluginAPI, server: Mattermost) -> None:
    info = server.upload("x.txt", b"x")
    with refused(501, "plugin_api.get_file_link.disabled.app_error"):
        api.get_file_link(info.id)
    server.change_config(FileSettings={"EnablePublicLink": True})
    with refused(400, "plugin_api.get_file_link.no_post.app_error"):
        api.get_file_link(info.id)
    server.post("town-square", "", files=[info])
    assert f"/files/{info.id}/public" in api.get_file_link(info.id)


def test_copies_lists_and_content(api: PluginAPI, server: Mattermost) -> None:
    bob = server.add_user("bob")
    first, second = server.upload("b.txt", b"bigger"), api.upload_file(b"x", "", "a.txt")
    server.post("town-square", "", files=[first])
    [copy] = api.copy_file_infos(bob.id, [first.id])
    copied = api.get_file_info(copy)
    assert copied.id != first.id
    assert (copied.path, copied.user_id, copied.post_id, copied.channel_id) == (first.path, bob.id, "", "")
    assert [info.id for info in api.get_file_infos()] == [first.id, second.id, copy]
    assert [info.id for info in api.get_file_infos(1, 2)] == [copy]
    by_size = api.get_file_infos(0, 10, GetFileInfosOptions(sort_by="Size", sort_descending=True))
    assert [info.size for info in by_size] == [6, 6, 1]
    assert [info.id for info in api.get_file_infos(0, 10, GetFileInfosOptions(user_ids=["nouser"]))] == [second.id]
    api.set_file_searchable_content(first.id, "words")
    assert api.get_file_info(first.id).content == "words"


def test_the_hook_of_uploads() -> None:
    app = App()

    @app.hook
    def file_will_be_uploaded(
        context: Context, info: FileInfo, file: IO[bytes], output: IO[bytes]
    ) -> FileInfo | Reject | None:
        data = file.read()
        if data == b"virus":
            return Reject("It is ill.")
        if data == b"plain":
            return None
        output.write(data.upper())
        info.name = "upper-" + info.name
        return info

    with Mattermost(app) as mattermost:
        info = mattermost.upload("a.txt", b"hello!")
        assert (info.name, info.size, app.api.get_file(info.id)) == ("upper-a.txt", 6, b"HELLO!")
        info = app.api.upload_file(b"plain", "", "a.txt")
        assert (info.name, app.api.get_file(info.id)) == ("a.txt", b"plain")
        with refused(400, "app.upload.run_plugins_hook.rejected"):
            mattermost.upload("a.txt", b"virus")
        with refused(400, "File rejected by plugin. It is ill."):
            app.api.upload_file(b"virus", "", "a.txt")
        assert len(app.api.get_file_infos()) == 2


def test_the_gate_of_downloads() -> None:
    app = App()
    seen: list[Any] = []

    @app.hook
    def file_will_be_downloaded(
        context: Context, file_info: FileInfo, user_id: str, download_type: str
    ) -> Reject | None:
        seen.append((file_info.name, download_type))
        return Reject("Secret.") if file_info.name == "secret.txt" else None

    with Mattermost(app) as mattermost:
        bob, outsider = mattermost.add_user("bob"), mattermost.add_user("outsider", teams=[])
        secret, plain = mattermost.upload("secret.txt", b"x"), mattermost.upload("plain.txt", b"y")
        with refused(404, "app.file_info.get.app_error"):
            mattermost.download(plain, user=bob)  # nobody has posted it
        mattermost.post("town-square", "", files=[secret, plain])
        assert mattermost.download(plain, user=bob) == b"y"
        with refused(403, "api.file.get_file.rejected_by_plugin"):
            mattermost.download(secret, user=bob)
        with refused(403, "api.context.permissions.app_error"):
            mattermost.download(plain, user=outsider)
        assert app.api.get_file(secret.id) == b"x"  # the plugin API asks nobody
        assert seen == [("plain.txt", "file"), ("secret.txt", "file")]
