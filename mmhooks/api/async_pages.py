"""What methods of the plugin API give a page at a time, one by one, for async code."""

# Its twin for sync code, pages.py, is generated from it.

from __future__ import annotations

import copy
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from mmhooks.errors import ModelError

PER_PAGE = 200
"""How many are asked for at once, unless it is said."""


def pages(
    ask: Callable[[int], Awaitable[Any]], per_page: int, *, backwards: bool = False, first: int = 0
) -> AsyncIterator[Any]:
    """What is on all pages.

    Arguments:
        ask: gives a page by its number: a list, or a list of posts.
        per_page: how many a page has, but for the last.
        backwards: give each page from its end.
        first: the page to begin with.
    """
    if not (isinstance(per_page, int) and per_page > 0):
        raise ModelError(f"per_page={per_page!r}: a page has at least one")
    return _pages(ask, per_page, backwards, first)


async def _pages(
    ask: Callable[[int], Awaitable[Any]], per_page: int, backwards: bool, first: int
) -> AsyncIterator[Any]:
    for number in itertools.count(first):
        page = await ask(number)
        found = _items(page)
        for item in reversed(found) if backwards else found:
            yield item
        if len(found) < (per_page if found is page else 1):
            return


def _items(page: Any) -> list[Any]:
    # Servers take posts from a page that may not be seen any more, so that a short one need not be the last.
    return page if isinstance(page, list) else [page.posts[post_id] for post_id in page.order]


def option_pages(ask: Callable[[Any], Awaitable[Any]], options: Any) -> AsyncIterator[Any]:
    """What is on all pages, which are asked for by options with `page` and `per_page`."""
    options = copy.copy(options)
    per_page = options.per_page or PER_PAGE

    def at(page: int) -> Awaitable[Any]:
        asked = copy.copy(options)
        asked.page, asked.per_page = page, per_page
        return ask(asked)

    return pages(at, per_page, first=options.page or 0)


def cursor_pages(ask: Callable[[Any], Awaitable[Any]], options: Any) -> AsyncIterator[Any]:
    """What is on all pages, which are asked for by options with `per_page` and a `cursor`, the last one before the page."""
    asked = copy.copy(options)
    asked.per_page = options.per_page or PER_PAGE

    async def following(_: int) -> Any:
        page = await ask(copy.copy(asked))
        if page:
            asked.cursor = copy.copy(asked.cursor)
            [last_id] = [name for name in type(asked.cursor).__struct_fields__ if name.endswith("_id")]
            setattr(asked.cursor, last_id, page[-1].id)
            asked.cursor.create_at = page[-1].create_at
        return page

    return pages(following, asked.per_page)
