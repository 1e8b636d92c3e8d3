"""Card numbers stay out of messages: new ones and edited ones keep the last four digits only."""

import re

from mmhooks import Blueprint, HookName, Post

rules = Blueprint()

CARD_NUMBER = re.compile(r"\b(?:\d{4}[ -]?){3}(\d{4})\b")


@rules.hook(HookName.MessageWillBePosted)
def mask_new(post: Post) -> Post | None:
    return masked(post)


@rules.hook(HookName.MessageWillBeUpdated)
def mask_edited(new_post: Post) -> Post | None:  # takes what it needs of (context, new_post, old_post)
    return masked(new_post)


def masked(post: Post) -> Post | None:
    post.message, found = CARD_NUMBER.subn(r"card …\1", post.message)
    return post if found else None
