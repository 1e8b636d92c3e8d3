"""Lists of posts, and searches."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from mmhooks.models import Post, PostList, PostSearchResults, SearchParameter, SearchParams
from mmhooks.testing.mattermost.areas.posts import find_post
from mmhooks.testing.mattermost.failures import bad_request, failure
from mmhooks.testing.mattermost.methods import answers, refuse_fields

if TYPE_CHECKING:
    from mmhooks.testing.mattermost.server import Server

MOST = 1000

_NOT_LOOKED_AT = (
    "after_date",
    "before_date",
    "on_date",
    "excluded_after_date",
    "excluded_before_date",
    "excluded_date",
    "extensions",
    "excluded_extensions",
)


def newest_first(server: Server, channel_id: str) -> Iterator[Post]:
    """The posts of a channel that are not deleted."""
    for _, _, post_id in reversed(server.state.timelines[channel_id]):
        if not (post := server.state.posts[post_id]).delete_at:
            yield post


def _listed(server: Server, found: Iterable[Post]) -> PostList:
    """A list of posts, with the rest of their threads beside it."""
    posts, order = {}, []
    for post in found:
        order.append(post.id)
        posts[post.id] = post
    for post_id in order:
        for other in _thread(server, posts[post_id]):
            posts.setdefault(other.id, other)
    return PostList(order=order, posts=posts)


def _thread(server: Server, post: Post) -> Iterator[Post]:
    root_id = post.root_id or post.id
    for post_id in (root_id, *server.state.threads.get(root_id, ())):
        other = server.state.posts.get(post_id)
        if other is not None and not other.delete_at:
            yield other


def _check_size(size: int) -> None:
    if size > MOST:
        raise bad_request("app.post.get_posts.app_error", f"Limit exceeded for paging: at most {MOST}.")


@answers("GetPostsForChannel")
def _get_posts_for_channel(server: Server, channel_id: str, number: int, size: int) -> PostList:
    _check_size(size)
    start = max(number, 0) * size
    return _listed(server, islice(newest_first(server, channel_id), start, start + max(size, 0)))


@answers("GetPostsSince")
def _get_posts_since(server: Server, channel_id: str, time: int) -> PostList:
    found = []
    for _, _, post_id in reversed(server.state.timelines[channel_id]):
        post = server.state.posts[post_id]
        if post.update_at > time:
            found.append(post)
            if len(found) == MOST:
                break
    posts = {post.id: post for post in found}
    for post in found:
        root = server.state.posts.get(post.root_id)
        if root is not None:
            posts.setdefault(root.id, root)
    return PostList(order=[post.id for post in found], posts=posts)


@answers("GetPostsBefore")
def _get_posts_before(server: Server, channel_id: str, post_id: str, number: int, size: int) -> PostList:
    _check_size(size)
    given = server.state.posts.get(post_id)
    if given is None:
        return PostList()
    found = (post for post in newest_first(server, channel_id) if post.create_at < given.create_at)
    start = max(number, 0) * size
    return _listed(server, islice(found, start, start + max(size, 0)))


@answers("GetPostsAfter")
def _get_posts_after(server: Server, channel_id: str, post_id: str, number: int, size: int) -> PostList:
    _check_size(size)
    given = server.state.posts.get(post_id)
    if given is None:
        return PostList()
    after = [post for post in newest_first(server, channel_id) if post.create_at > given.create_at]
    start = max(number, 0) * size
    nearest = after[::-1][start : start + max(size, 0)]
    return _listed(server, nearest[::-1])


@answers("GetPostThread")
def _get_post_thread(server: Server, post_id: str) -> PostList:
    post = find_post(server, post_id)
    posts = {post.id: post} | {other.id: other for other in _thread(server, post)}
    return PostList(order=[*posts], posts=posts)


@answers("SearchPostsInTeam")
def _search_posts_in_team(server: Server, team_id: str, searches: list[SearchParams | None]) -> list[Post]:
    _check_search(server)
    found: dict[str, Post] = {}
    for search in searches:
        search = search or SearchParams()
        refuse_fields("SearchPostsInTeam", search, *_NOT_LOOKED_AT)
        found |= {post.id: post for post in _search(server, team_id, search)}
    return sorted(found.values(), key=lambda post: post.create_at, reverse=True)


def _check_search(server: Server) -> None:
    if not server.config.ServiceSettings.EnablePostSearch:
        raise failure("store.sql_post.search.disabled", 501, "Searching has been disabled on this server.")


def _search(server: Server, team_id: str, search: SearchParams) -> Iterator[Post]:
    words, without = _words(search.terms), _words(search.excluded_terms)
    authors = {server.state.usernames.get(name.lower(), name) for name in search.from_users}
    not_by = {server.state.usernames.get(name.lower(), name) for name in search.excluded_users}
    for channel in server.state.channels.values():
        if channel.team_id not in (team_id, "") or (channel.delete_at and not search.include_deleted_channels):
            continue
        if search.in_channels and not {channel.id, channel.name} & {*search.in_channels}:
            continue
        if {channel.id, channel.name} & {*search.excluded_channels}:
            continue
        for post in newest_first(server, channel.id):
            if post.type.startswith("system_") or (authors and post.user_id not in authors) or post.user_id in not_by:
                continue
            text = (post.hashtags if search.ishashtag else post.message).lower()
            hits = [_holds(text, word) for word in words]
            if (any(hits) if search.or_terms else all(hits)) and not any(_holds(text, word) for word in without):
                yield post


def _words(terms: str) -> list[str]:
    return [phrase or word for phrase, word in re.findall(r'"([^"]+)"|(\S+)', terms.lower())]


def _holds(text: str, word: str) -> bool:
    """Whether a text has a word, or with an asterisk at its end one that begins so."""
    start = re.escape(word.rstrip("*"))
    return re.search(rf"(?<!\w){start}" + ("" if word.endswith("*") else r"(?!\w)"), text) is not None


@answers("SearchPostsInTeamForUser")
def _search_posts_in_team_for_user(
    server: Server, team_id: str, user_id: str, search: SearchParameter
) -> PostSearchResults:
    _check_search(server)
    words, names = [], {"from": [], "in": []}  # type: tuple[list[str], dict[str, list[str]]]
    for word in (search.terms or "").split():
        kind, _, name = word.partition(":")
        if kind in names and name:
            names[kind].append(name.lstrip("@~"))
        else:
            words.append(word)
    wanted = SearchParams(
        terms=" ".join(words),
        from_users=names["from"],
        in_channels=names["in"],
        or_terms=bool(search.is_or_search),
        include_deleted_channels=bool(search.include_deleted_channels),
    )
    mine = [
        post for post in _search(server, team_id, wanted) if user_id in server.state.channel_members[post.channel_id]
    ]
    size = 60 if search.per_page is None else search.per_page
    start = (search.page or 0) * size
    shown = sorted(mine, key=lambda post: post.create_at, reverse=True)[start : start + size]
    return PostSearchResults(order=[post.id for post in shown], posts={post.id: post for post in shown})
