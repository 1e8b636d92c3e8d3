"""Files: their records and their bytes."""

from __future__ import annotations

import datetime
import io
import mimetypes
import posixpath
import struct
from typing import TYPE_CHECKING

from mmhooks.errors import AppError
from mmhooks.models import Context, FileInfo, GetFileInfosOptions
from mmhooks.testing.mattermost.copies import copied
from mmhooks.testing.mattermost.failures import bad_request, failure, not_found
from mmhooks.testing.mattermost.ids import new_id
from mmhooks.testing.mattermost.methods import NOBODY, answers
from mmhooks.testing.mattermost.state import page

if TYPE_CHECKING:
    from mmhooks.testing.mattermost.server import Server

_IMAGES = ("png", "jpg", "jpeg", "gif", "bmp", "tiff", "webp")


def find_file(server: Server, file_id: str) -> FileInfo:
    """The stored record. Raises `NotFound`."""
    info = server.state.files.get(file_id)
    if info is None or info.delete_at:
        raise not_found("app.file_info.get.app_error", "Unable to get file info.", f"file_id={file_id}")
    return info


def upload(
    server: Server, data: bytes, channel_id: str, filename: str, user_id: str, context: Context, *, by_plugin: bool
) -> FileInfo:
    """Store a file, with the hook that may change or refuse it."""
    with server.lock:
        if by_plugin and channel_id and channel_id not in server.state.channels:
            raise bad_request("api.file.upload_file.incorrect_channelId.app_error", "Unable to upload the file.")
        info = _described(server, data, channel_id, filename, user_id)
    limit = server.config.FileSettings.MaxImageResolution or 0
    if info.width * info.height > limit:
        raise bad_request("api.file.upload_file.large_image.app_error", "The image has too many pixels.")
    output = io.BytesIO()
    reason, replaced = server.hooks.filter("FileWillBeUploaded", context, copied(info), io.BytesIO(data), output)
    if reason:
        raise _refusal(reason, info.name, by_plugin)
    if replaced is not None:
        info = copied(replaced)
    if written := output.getvalue():
        data, info.size = written, len(written)
    with server.lock:
        server.state.files[info.id] = info
        server.state.contents[info.path] = bytes(data)
        return copied(info)


def _refusal(reason: str, name: str, by_plugin: bool) -> AppError:
    if by_plugin:
        return bad_request(f"File rejected by plugin. {reason}", f"File rejected by plugin. {reason}")
    return bad_request("app.upload.run_plugins_hook.rejected", f"Unable to upload file {name}. {reason}", reason)


def _described(server: Server, data: bytes, channel_id: str, filename: str, user_id: str) -> FileInfo:
    name, file_id, now = posixpath.basename(filename.replace("\\", "/")), new_id(), server.clock.stamp()
    extension = posixpath.splitext(name)[1].lower().lstrip(".")
    day = datetime.datetime.fromtimestamp(now / 1000, datetime.UTC).strftime("%Y%m%d")
    width, height = _size_of_image(data) if extension in _IMAGES else (0, 0)
    return FileInfo(
        id=file_id,
        user_id=user_id,
        create_at=now,
        update_at=now,
        name=name,
        extension=extension,
        size=len(data),
        mime_type=mimetypes.guess_type(f"x.{extension}")[0] or "",
        width=width,
        height=height,
        has_preview_image=bool(width),
        path=f"{day}/teams/noteam/channels/{channel_id}/users/{user_id}/{file_id}/{name}",
    )


def _size_of_image(data: bytes) -> tuple[int, int]:
    """Width and height, as the first bytes of the common formats tell them; nothing for the others."""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return width, height
    if data[:6] in (b"GIF87a", b"GIF89a") and len(data) >= 10:
        width, height = struct.unpack("<HH", data[6:10])
        return width, height
    return 0, 0


@answers("UploadFile", fires=True)
def _upload_file(server: Server, data: bytes | None, channel_id: str, filename: str) -> FileInfo:
    return upload(server, data or b"", channel_id, filename, "nouser", NOBODY, by_plugin=True)


@answers("GetFileInfo")
def _get_file_info(server: Server, file_id: str) -> FileInfo:
    return find_file(server, file_id)


@answers("GetFile")
def _get_file(server: Server, file_id: str) -> bytes:
    return _read(server, find_file(server, file_id).path)


def _read(server: Server, path: str) -> bytes:
    if path not in server.state.contents:
        raise failure("api.file.read_file.app_error", 500, "Unable to read the file.", path)
    return server.state.contents[path]


@answers("ReadFile")
def _read_file(server: Server, path: str) -> bytes:
    return _read(server, path)


@answers("GetFileInfos")
def _get_file_infos(server: Server, number: int, size: int, options: GetFileInfosOptions | None) -> list[FileInfo]:
    options = options or GetFileInfosOptions()
    found = [
        info
        for info in server.state.files.values()
        if (not options.user_ids or info.user_id in options.user_ids)
        and (not options.channel_ids or info.channel_id in options.channel_ids)
        and info.create_at >= options.since
        and (options.include_deleted or not info.delete_at)
    ]
    key = "size" if options.sort_by == "Size" else "create_at"
    found.sort(key=lambda info: (getattr(info, key), info.id), reverse=options.sort_descending)
    return page(found, number, size)


@answers("CopyFileInfos")
def _copy_file_infos(server: Server, user_id: str, file_ids: list[str]) -> list[str]:
    made = []
    for file_id in file_ids:
        info = copied(find_file(server, file_id))
        info.id, info.user_id, info.post_id, info.channel_id = new_id(), user_id, "", ""
        info.create_at = info.update_at = server.clock.stamp()
        server.state.files[info.id] = info
        made.append(info.id)
    return made


@answers("SetFileSearchableContent")
def _set_file_searchable_content(server: Server, file_id: str, content: str) -> None:
    find_file(server, file_id).content = content


@answers("GetFileLink")
def _get_file_link(server: Server, file_id: str) -> str:
    if not server.config.FileSettings.EnablePublicLink:
        raise failure("plugin_api.get_file_link.disabled.app_error", 501, "Public links have been disabled.")
    info = find_file(server, file_id)
    if not info.post_id:
        raise bad_request("plugin_api.get_file_link.no_post.app_error", "The file is attached to no post.")
    return f"{server.config.ServiceSettings.SiteURL}/files/{file_id}/public?h={new_id()}"
