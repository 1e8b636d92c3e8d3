"""Logins, and the tokens of programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmhooks.errors import AppError
from mmhooks.models import Context, Session, User, UserAccessToken
from mmhooks.testing.mattermost.areas.users import find_user
from mmhooks.testing.mattermost.copies import copied
from mmhooks.testing.mattermost.failures import bad_request, failure, not_found
from mmhooks.testing.mattermost.ids import new_id
from mmhooks.testing.mattermost.methods import answers

if TYPE_CHECKING:
    from mmhooks.testing.mattermost.server import Server

_MONTH = 30 * 24 * 3600 * 1000


def store_session(server: Server, session: Session) -> Session:
    """Store a session with a new id and token; the lock is held."""
    session = copied(session)
    session.id, session.token = new_id(), new_id()
    session.create_at = session.last_activity_at = server.clock.stamp()
    server.state.sessions[session.id] = session
    return session


def new_session(server: Server, user: User) -> Session:
    """What a login makes of itself, not stored yet."""
    end = server.clock.now + _MONTH
    return Session(user_id=user.id, roles=user.roles, expires_at=end, props={"csrf": new_id()})


def log_in(server: Server, user: User, context: Context) -> Session:
    """Log a user in who has given the right password, with the hooks.

    Raises an `AppError` with the status 401 when a plugin refuses; its `__cause__` has the reason, which people never see.
    """
    with server.lock:
        raw = copied(find_user(server, user.id))
        if raw.delete_at:
            raise failure("api.user.login.inactive.app_error", 401, "The account has been deactivated.")
    reason, _ = server.hooks.filter("UserWillLogIn", context, raw)
    if reason:
        text = f"Login rejected by plugin: {reason}"
        raise failure(
            "api.user.login.invalid_credentials_email_username", 401, "Enter a valid email or username and/or password."
        ) from bad_request(text, text)
    with server.lock:
        session = store_session(server, new_session(server, raw))
        server.hooks.later("UserHasLoggedIn", context, raw)
        return copied(session)


def _expired(server: Server, session: Session) -> bool:
    return bool(session.expires_at) and session.expires_at <= server.clock.now


def _find(server: Server, session_id: str) -> Session:
    session = server.state.sessions.get(session_id)
    if session is None or _expired(server, session):
        raise _missing()
    return session


def _missing() -> AppError:
    return bad_request("app.session.get.app_error", "We encountered an error finding the session.")


@answers("GetSession")
def _get_session(server: Server, session_id: str) -> Session:
    return _find(server, session_id)


@answers("CreateSession")
def _create_session(server: Server, session: Session | None) -> Session:
    session = session or Session()
    if session.id:
        raise bad_request("app.session.save.existing.app_error", "Unable to update an existing session.")
    return store_session(server, session)


@answers("ExtendSessionExpiry")
def _extend_session_expiry(server: Server, session_id: str, expiry: int) -> None:
    _find(server, session_id).expires_at = expiry


@answers("RevokeSession")
def _revoke_session(server: Server, session_id: str) -> None:
    del server.state.sessions[_find(server, session_id).id]


@answers("CreateUserAccessToken")
def _create_user_access_token(server: Server, token: UserAccessToken | None) -> UserAccessToken:
    token = copied(token or UserAccessToken())
    user = find_user(server, token.user_id)
    if not user.is_bot and not server.config.ServiceSettings.EnableUserAccessTokens:
        raise failure("app.user_access_token.disabled", 501, "Personal access tokens are disabled on this server.")
    token.id, token.token, token.is_active = new_id(), new_id(), True
    server.state.access_tokens[token.id] = token
    return token


@answers("RevokeUserAccessToken")
def _revoke_user_access_token(server: Server, token_id: str) -> None:
    if server.state.access_tokens.pop(token_id, None) is None:
        raise not_found("app.user_access_token.get_by_user.app_error", "Unable to get the personal access token.")
