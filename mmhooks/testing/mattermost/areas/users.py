"""Users: accounts, and what is asked about them."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from mmhooks.models import Context, Preference, User, UserAuth, UserGetOptions, UserSearch
from mmhooks.models.constants import ChannelSortByStatus, ChannelSortByUsername, SystemAdminRoleId, SystemUserRoleId
from mmhooks.testing.mattermost.areas.roles import ROLES
from mmhooks.testing.mattermost.copies import copied
from mmhooks.testing.mattermost.failures import bad_request, not_found
from mmhooks.testing.mattermost.ids import new_id
from mmhooks.testing.mattermost.methods import NOBODY, answers, refuse_fields
from mmhooks.testing.mattermost.state import page

if TYPE_CHECKING:
    from mmhooks.testing.mattermost.server import Server

_RESERVED = frozenset(("all", "channel", "matterbot", "system"))
_USERNAME = re.compile(r"[a-z0-9._-]{1,64}")
_EMAIL = re.compile(r"[^\s@<>,;()\[\]\\]+@[^\s@<>,;()\[\]\\]+")
_LIMIT_WITHOUT_LICENCE = 250

_NOTIFY_PROPS = {
    "desktop": "mention",
    "desktop_sound": "true",
    "desktop_threads": "all",
    "email_threads": "all",
    "push_threads": "all",
    "push": "mention",
    "push_status": "online",
    "comments": "never",
    "email": "true",
    "first_name": "false",
    "channel": "true",
    "mention_keys": "",
}
_TIMEZONE = {"automaticTimezone": "", "manualTimezone": "", "useAutomaticTimezone": "true"}


def find_user(server: Server, user_id: str) -> User:
    """The stored user. Raises `NotFound`."""
    user = server.state.users.get(user_id)
    if user is None:
        raise not_found("app.user.missing_account.const", "Unable to find the user.", f"resource: User id: {user_id}")
    return user


def valid_username(name: str) -> bool:
    """Whether a name is allowed, for users and bots (Mattermost's `model/user.go`)."""
    return _USERNAME.fullmatch(name) is not None and name not in _RESERVED


def _invalid(field: str, user: User) -> Exception:
    return bad_request(f"model.user.is_valid.{field}.app_error", f"Invalid {field}.", f"user_id={user.id}")


def _check(server: Server, user: User) -> None:
    """Raises `BadRequest` for a field that is not valid, or that another account has."""
    if not valid_username(user.username):
        raise _invalid("username", user)
    if not user.email or len(user.email) > 128 or not _EMAIL.fullmatch(user.email):
        raise _invalid("email", user)
    for field, name in (("nickname", "nickname"), ("first_name", "first_name"), ("last_name", "last_name")):
        if len(getattr(user, field)) > 64:
            raise _invalid(name, user)
    if len(user.position) > 128:
        raise _invalid("position", user)
    if server.state.usernames.get(user.username, user.id) != user.id:
        raise bad_request("app.user.save.username_exists.app_error", "An account with that username already exists.")
    if server.state.emails.get(user.email, user.id) != user.id:
        raise bad_request("app.user.save.email_exists.app_error", "An account with that email already exists.")


def _check_password(server: Server, user: User) -> None:
    rules = server.config.PasswordSettings
    wanted: list[tuple[str, bool]] = [
        ("min_length", len(user.password) >= (rules.MinimumLength or 0)),
        ("max_length", len(user.password.encode()) <= 72),
        ("lowercase", not rules.Lowercase or any(map(str.islower, user.password))),
        ("uppercase", not rules.Uppercase or any(map(str.isupper, user.password))),
        ("number", not rules.Number or any(map(str.isdigit, user.password))),
        ("symbol", not rules.Symbol or not user.password.isalnum()),
    ]
    failed = "".join(f"_{name}" for name, kept in wanted if not kept)
    if failed:
        raise bad_request(f"model.user.is_valid.pwd{failed}.app_error", "Your password does not meet the requirements.")


def _check_domain(server: Server, user: User) -> None:
    allowed = (server.config.TeamSettings.RestrictCreationToDomains or "").replace(",", " ").replace("@", " ").split()
    if allowed and user.email.rpartition("@")[2] not in (domain.lower() for domain in allowed):
        raise bad_request("api.user.create_user.accepted_domain.app_error", "The domain of the email is not accepted.")


def create_user(server: Server, user: User, context: Context) -> User:
    """Create an account as somebody who signs up does, with the hook."""
    with server.lock:
        stored = store_user(server, user)
        server.hooks.later("UserHasBeenCreated", context, sanitized(stored))
        return sanitized(stored)


def store_user(server: Server, user: User, *, bot: bool = False) -> User:
    """Check and store a new account; the lock is held. Result: the stored one."""
    state = server.state
    if user.id:
        raise bad_request("app.user.save.existing.app_error", "Must call update for existing user.")
    user = copied(user)
    user.username, user.email = user.username.lower(), user.email.lower()
    if not bot:
        _check_domain(server, user)
        if not user.auth_service:
            _check_password(server, user)
        people = sum(not other.delete_at and not other.is_bot for other in state.users.values())
        if people >= _LIMIT_WITHOUT_LICENCE and not server.replaces("GetLicense"):
            raise bad_request("api.user.create_user.user_limits.exceeded", "Can't create more users without a licence.")
    user.id = new_id()
    user.username = user.username or f"a{user.id}"
    user.is_bot = bot
    _check(server, user)
    user.create_at = user.update_at = server.clock.stamp()
    user.delete_at = 0
    user.roles = SystemUserRoleId
    if not bot and all(other.is_bot for other in state.users.values()):
        user.roles = f"{SystemAdminRoleId} {SystemUserRoleId}"
    if user.password:
        user.password = "$2a$10$" + hashlib.sha256(user.password.encode()).hexdigest()[:53]
        user.last_password_update = user.create_at
    user.locale = user.locale or server.config.LocalizationSettings.DefaultClientLocale or "en"
    user.notify_props = {**_NOTIFY_PROPS, **user.notify_props}
    user.timezone = user.timezone or dict(_TIMEZONE)
    state.users[user.id] = user
    state.usernames[user.username] = user.id
    state.emails[user.email] = user.id
    if not bot:
        for category, name, value in (
            ("recommended_next_steps", "hide", "false"),
            ("tutorial_step", user.id, "0"),
            ("system_notice", "GMasDM", "true"),
        ):
            state.preferences[user.id, category, name] = Preference(
                user_id=user.id, category=category, name=name, value=value
            )
    return user


def sanitized(user: User) -> User:
    """A copy without what opens the account."""
    user = copied(user)
    user.password = user.mfa_secret = ""
    user.auth_data = None
    user.mfa_used_timestamps = []
    return user


def _without_password(user: User) -> User:
    user = copied(user)
    user.password = user.mfa_secret = ""
    return user


@answers("CreateUser")
def _create_user(server: Server, user: User | None) -> User:
    return create_user(server, user or User(), NOBODY)


@answers("GetUser")
def _get_user(server: Server, user_id: str) -> User:
    return find_user(server, user_id)


@answers("GetUserByEmail")
def _get_user_by_email(server: Server, email: str) -> User:
    found = server.state.emails.get(email.lower())
    if found is None:
        raise not_found("app.user.missing_account.const", "Unable to find the user.", f"resource: User email={email}")
    return server.state.users[found]


@answers("GetUserByUsername")
def _get_user_by_username(server: Server, name: str) -> User:
    found = server.state.usernames.get(name.lower())
    if found is None:
        raise not_found(
            "app.user.get_by_username.app_error", "Unable to find an existing account matching your username."
        )
    return server.state.users[found]


@answers("GetUsersByIds")
def _get_users_by_ids(server: Server, user_ids: list[str]) -> list[User]:
    found = [server.state.users[user_id] for user_id in dict.fromkeys(user_ids) if user_id in server.state.users]
    return sorted(found, key=_by_name)


@answers("GetUsersByUsernames")
def _get_users_by_usernames(server: Server, usernames: list[str]) -> list[User]:
    names = {name.lower() for name in usernames}
    found = [user for user in server.state.users.values() if user.username in names]
    return [sanitized(user) for user in sorted(found, key=_by_name)]


_NOT_LOOKED_AT = ("in_group_id", "not_in_group_id", "group_constrained", "channel_roles", "team_roles")


@answers("GetUsers")
def _get_users(server: Server, options: UserGetOptions | None) -> list[User]:
    options = options or UserGetOptions()
    refuse_fields("GetUsers", options, *_NOT_LOOKED_AT, "sort", "view_restrictions", "updated_after")
    found = [user for user in server.state.users.values() if _wanted(server, user, options)]
    return _page_of_users(found, options.page, options.per_page)


def _wanted(server: Server, user: User, options: UserGetOptions) -> bool:
    state, roles = server.state, user.roles.split()
    return (
        (not options.active or not user.delete_at)
        and (not options.inactive or bool(user.delete_at))
        and (not options.role or options.role in roles)
        and (not options.roles or any(role in roles for role in options.roles))
        and (not options.in_team_id or _in_team(server, user.id, options.in_team_id))
        and (not options.not_in_team_id or not _in_team(server, user.id, options.not_in_team_id))
        and (not options.in_channel_id or user.id in state.channel_members[options.in_channel_id])
        and (not options.not_in_channel_id or user.id not in state.channel_members[options.not_in_channel_id])
        and (not options.without_team or not any(_in_team(server, user.id, team_id) for team_id in state.teams))
    )


def _in_team(server: Server, user_id: str, team_id: str) -> bool:
    member = server.state.team_members[team_id].get(user_id)
    return member is not None and not member.delete_at


def _by_name(user: User) -> str:
    return user.username


def _page_of_users(users: list[User], number: int, size: int) -> list[User]:
    return [_without_password(user) for user in page(sorted(users, key=_by_name), number, size)]


@answers("GetUsersInTeam")
def _get_users_in_team(server: Server, team_id: str, number: int, size: int) -> list[User]:
    found = [server.state.users[user_id] for user_id in server.state.team_members[team_id]]
    return _page_of_users([user for user in found if _in_team(server, user.id, team_id)], number, size)


@answers("GetUsersInChannel")
def _get_users_in_channel(server: Server, channel_id: str, sort_by: str, number: int, size: int) -> list[User]:
    found = [server.state.users[user_id] for user_id in server.state.channel_members[channel_id]]
    if sort_by == ChannelSortByUsername:
        return _page_of_users(found, number, size)
    if sort_by != ChannelSortByStatus:
        raise bad_request("plugin.api.get_users_in_channel", "Unable to get the users: the sort options are not known.")
    order = {"online": 0, "away": 1, "dnd": 2}

    def rank(user: User) -> tuple[int, str]:
        status = server.state.statuses.get(user.id)
        return order.get(status.status if status else "", 3), user.username

    return [_without_password(user) for user in page(sorted(found, key=rank), number, size)]


@answers("SearchUsers")
def _search_users(server: Server, search: UserSearch | None) -> list[User]:
    search = search or UserSearch()
    refuse_fields("SearchUsers", search, *_NOT_LOOKED_AT)
    options = UserGetOptions(
        in_team_id=search.team_id,
        not_in_team_id=search.not_in_team_id,
        in_channel_id=search.in_channel_id,
        not_in_channel_id=search.not_in_channel_id,
        without_team=search.without_team,
        role=search.role,
        roles=search.roles,
        active=not search.allow_inactive,
    )
    term = search.term.lower().strip().lstrip("@")
    found = [
        user
        for user in server.state.users.values()
        if _wanted(server, user, options)
        and any(
            text.lower().startswith(term)
            for text in (user.username, user.first_name, user.last_name, user.nickname, user.email)
        )
    ]
    return [sanitized(user) for user in sorted(found, key=_by_name)[: search.limit or 100]]


@answers("UpdateUser")
def _update_user(server: Server, user: User | None) -> User:
    user = user or User()
    stored = find_user(server, user.id)
    changed = copied(user)
    changed.username, changed.email = changed.username.lower(), changed.email.lower()
    for name in _KEPT:
        setattr(changed, name, copied(getattr(stored, name)))
    if server.config.EmailSettings.RequireEmailVerification:
        changed.email = stored.email
    _check(server, changed)
    changed.update_at = server.clock.stamp()
    del server.state.usernames[stored.username], server.state.emails[stored.email]
    server.state.users[user.id] = changed
    server.state.usernames[changed.username] = server.state.emails[changed.email] = changed.id
    return sanitized(changed)


_KEPT = (
    "password",
    "roles",
    "delete_at",
    "auth_data",
    "auth_service",
    "mfa_active",
    "mfa_secret",
    "create_at",
    "email_verified",
    "is_bot",
    "last_password_update",
    "last_picture_update",
    "failed_attempts",
)
"""What UpdateUser leaves as it is (Mattermost's `user_store.go`)."""


@answers("UpdateUserRoles")
def _update_user_roles(server: Server, user_id: str, new_roles: str) -> User:
    user = server.state.users.get(user_id)
    if user is None:
        raise bad_request("app.user.missing_account.const", "Unable to find the user.", f"user_id={user_id}")
    roles = new_roles.split()
    for role in roles:
        if role not in ROLES:
            raise bad_request("app.role.check_roles_exist.role_not_found", "The provided role does not exist.", role)
    if SystemAdminRoleId in user.roles.split() and SystemAdminRoleId not in roles:
        admins = sum(SystemAdminRoleId in other.roles.split() for other in server.state.users.values())
        if admins == 1:
            raise bad_request("app.user.update.lastAdmin.app_error", "The last administrator must stay one.")
    user.roles = " ".join(roles)
    user.update_at = server.clock.stamp()
    return sanitized(user)


@answers("UpdateUserAuth")
def _update_user_auth(server: Server, user_id: str, auth: UserAuth | None) -> UserAuth:
    user, auth = find_user(server, user_id), auth or UserAuth()
    user.auth_service, user.auth_data = auth.auth_service, auth.auth_data
    user.password = ""
    user.update_at = server.clock.stamp()
    return auth


def set_active(server: Server, user_id: str, active: bool, context: Context) -> User:
    """Activate or deactivate an account, with the hook. Raises `NotFound`."""
    with server.lock:
        user = find_user(server, user_id)
        user.update_at = server.clock.stamp()
        user.delete_at = 0 if active else user.update_at
        if not active:
            state = server.state
            state.sessions = {key: session for key, session in state.sessions.items() if session.user_id != user_id}
            server.hooks.later("UserHasBeenDeactivated", context, sanitized(user))
        return copied(user)


@answers("DeleteUser")
def _delete_user(server: Server, user_id: str) -> None:
    set_active(server, user_id, False, NOBODY)


@answers("UpdateUserActive")
def _update_user_active(server: Server, user_id: str, active: bool) -> None:
    set_active(server, user_id, active, NOBODY)


@answers("GetProfileImage")
def _get_profile_image(server: Server, user_id: str) -> bytes:
    return server.state.images.get(find_user(server, user_id).id, PICTURE)


@answers("SetProfileImage")
def _set_profile_image(server: Server, user_id: str, data: bytes) -> None:
    user = find_user(server, user_id)
    server.state.images[user.id] = data or b""
    user.last_picture_update = server.clock.stamp()


PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001"
    "a5f645400000000049454e44ae426082"
)
"""What is shown of those who have given no image: one transparent pixel, as PNG."""
