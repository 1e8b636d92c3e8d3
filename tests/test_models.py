"""The models as records: Mattermost's JSON both ways, nothing lost, nothing secret shown."""

from __future__ import annotations

import copy
import functools
import json
import subprocess
import sys
import threading
import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pytest

from mmhooks import (
    AppError,
    AssertionInfo,
    Channel,
    CommandResponse,
    Config,
    Context,
    FileData,
    FileInfo,
    ModelError,
    PluginClusterEvent,
    Post,
    PushNotification,
    RemoteCluster,
    SyncMsg,
    User,
    WebSocketRequest,
    models,
)
from mmhooks.models import Model, PluginSettings, PostEmbed, PostMetadata, ServiceSettings, Session, SqlSettings

GO_TYPES = json.loads((Path(__file__).parents[1] / "protos" / "interface.json").read_text())["types"]

# Two Go packages have a struct of that name.
RENAMED = {"saml2.ProxyRestriction": "ProxyRestrictionInfo"}

GO_STRUCTS = {
    RENAMED.get(name, name.split(".")[1]): name
    for name, type_ in GO_TYPES.items()
    if "fields" in type_ and name not in ("model.AppError", "plugin.ErrorString")
}
"""The Go structs by the names of their models. (Errors are exceptions here.)"""

CLASSES: dict[str, type[Model]] = {
    name: getattr(models, name) for name in models.__all__ if getattr(models, name) is not Model
}

every_model = pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)


class GoField(NamedTuple):
    json_name: str
    omit_empty: bool
    type: str


def go_fields(go_struct: str) -> Iterator[GoField]:
    """The fields of a Go struct, those of embedded structs among them; "-" where JSON has none."""
    for name, type_, *rest in GO_TYPES[go_struct]["fields"]:
        if rest and isinstance(rest[0], dict):
            yield from go_fields(type_.lstrip("*"))
            continue
        json_name, _, options = (rest[0] if rest else "").partition(",")
        yield GoField(json_name or name, "omitempty" in options, type_)


@functools.cache
def fields_of(cls: type[Model]) -> list[tuple[str, Any, GoField]]:
    """The attributes of a model with their annotations and what Go says of them."""
    hints = typing.get_type_hints(cls, localns=dict(CLASSES))
    names = [name for name in cls.__struct_fields__ if name != "_unknown"]
    return [(name, hints[name], go) for name, go in zip(names, go_fields(GO_STRUCTS[cls.__name__]), strict=True)]


M = TypeVar("M", bound=Model)


def filled(cls: type[M], *around: type[Model]) -> M:
    """A model with something in each field that JSON has, and so in the models in it, but not endlessly."""
    around = (*around, cls)
    return cls(**{name: value_for(hint, name, *around) for name, hint, go in fields_of(cls) if go.json_name != "-"})


def value_for(hint: Any, name: str, *around: type[Model]) -> Any:
    if isinstance(hint, types.UnionType):
        return value_for(typing.get_args(hint)[0], name, *around)
    if typing.get_origin(hint) is list:
        return [value_for(typing.get_args(hint)[0], f"{name} {number}", *around) for number in (1, 2)]
    if typing.get_origin(hint) is dict:
        return {key: value_for(typing.get_args(hint)[1], f"{name} {key}", *around) for key in ("a", "b")}
    if isinstance(hint, type) and issubclass(hint, Model):
        return hint() if hint in around else filled(hint, *around)
    if hint is AppError:
        return AppError(f"{name} text", id="app.some.error", detailed_error="detail", status_code=404, request_id="r")
    some = {str: f"{name} text", int: 3 + len(name), float: 2.5, bool: True, bytes: b"\x00\xff" + name.encode()}
    return some.get(hint, {"text": name, "list": [1, 2.5, None, True, {}], "None": None})


def is_empty(json_value: Any) -> bool:
    return json_value in ("", 0, False, None, [], {})


# JSON both ways


def test_there_is_a_model_for_every_struct_of_the_interface() -> None:
    assert CLASSES.keys() == GO_STRUCTS.keys()
    assert len(CLASSES) == 192


@every_model
def test_a_filled_model_survives_json(cls: type[Model]) -> None:
    model = filled(cls)
    assert cls.from_json(model.to_json()) == model
    assert cls.from_json(model.to_json().encode()) == model
    assert cls.from_dict(model.to_dict()) == model


@every_model
def test_json_has_mattermosts_names_in_mattermosts_order(cls: type[Model]) -> None:
    expected = [go.json_name for go in go_fields(GO_STRUCTS[cls.__name__]) if go.json_name != "-"]
    assert [*filled(cls).to_dict()] == expected


@every_model
def test_json_is_what_the_standard_library_makes_of_the_dict(cls: type[Model]) -> None:
    model = filled(cls)
    assert json.loads(model.to_json()) == model.to_dict()


@every_model
def test_an_empty_model_leaves_out_what_mattermost_leaves_out(cls: type[Model]) -> None:
    expected = [go.json_name for go in go_fields(GO_STRUCTS[cls.__name__]) if go.json_name != "-" and not go.omit_empty]
    assert [*cls().to_dict()] == expected


@every_model
def test_missing_keys_and_nulls_give_the_defaults(cls: type[Model]) -> None:
    nothing = {go.json_name: None for go in go_fields(GO_STRUCTS[cls.__name__]) if go.json_name != "-"}
    assert cls.from_dict({}) == cls.from_dict(nothing) == cls.from_json("{}") == cls()


@every_model
def test_every_field_may_be_left_out_when_a_model_is_made(cls: type[Model]) -> None:
    for name, hint, _ in fields_of(cls):
        value = getattr(cls(), name)
        if isinstance(hint, type) and issubclass(hint, Model):
            assert value == hint()
        else:
            assert is_empty(value) or value == b""


@every_model
def test_what_json_never_has_is_neither_written_nor_read(cls: type[Model]) -> None:
    for name, hint, go in fields_of(cls):
        if go.json_name == "-":
            given = cls(**{name: value_for(hint, name)})
            assert given.to_dict() == cls().to_dict()
            read = cls.from_dict({name: "from JSON"})
            assert getattr(read, name) == getattr(cls(), name)


@pytest.mark.parametrize(
    ("model", "absent"),
    [
        (Post(filenames=["x"]), "filenames"),
        (FileInfo(path="p", content="c"), "path"),
        (WebSocketRequest(locale="en"), "locale"),
        (WebSocketRequest(session=Session(token="t")), "session"),
    ],
)
def test_fields_that_go_keeps_from_json_are_kept_from_it_here(model: Model, absent: str) -> None:
    assert absent not in model.to_dict()


@pytest.mark.parametrize(
    ("model", "key", "value"),
    [
        (Post(is_following=False), "is_following", False),
        (Post(remote_id=""), "remote_id", ""),
        (User(auth_data=""), "auth_data", ""),
    ],
)
def test_a_pointer_to_something_empty_is_written_and_comes_back(model: Model, key: str, value: Any) -> None:
    assert model.to_dict()[key] == value
    assert type(model).from_json(model.to_json()) == model


@pytest.mark.parametrize("key", ["is_following", "remote_id", "metadata", "has_reactions", "message_source"])
def test_what_is_unset_or_empty_is_left_out_where_go_does(key: str) -> None:
    assert key not in Post().to_dict()
    assert key in filled(Post).to_dict()


def test_names_that_differ_from_the_attributes() -> None:
    context = Context(session_id="s", ip_address="i")
    assert context.to_dict() == {
        "SessionId": "s", "RequestId": "", "IPAddress": "i", "AcceptLanguage": "", "UserAgent": "",
    }  # fmt: skip
    assert PostMetadata(embeds=[PostEmbed(type="link", url="u")]).to_dict()["embeds"] == [{"type": "link", "url": "u"}]


def test_the_configuration_is_spelt_as_in_config_json() -> None:
    config = Config.from_json('{"ServiceSettings": {"SiteURL": "https://chat", "EnableTutorial": false}}')
    assert config.ServiceSettings.SiteURL == "https://chat"
    assert config.ServiceSettings.EnableTutorial is False
    assert config.ServiceSettings.ListenAddress is None
    assert config.to_dict()["ServiceSettings"]["SiteURL"] == "https://chat"


def test_a_saml_assertion_has_python_names_here_and_go_names_in_json() -> None:
    data = {
        "NameID": "n",
        "Values": {"mail": {"FriendlyName": "f", "Name": "mail", "Values": [{"Type": "t", "Value": "a@b"}]}},
        "WarningInfo": {"OneTimeUse": True, "ProxyRestriction": {"Count": 2, "Audience": ["x", "y"]}},
        "SessionIndex": "i",
        "AuthnInstant": "2026-01-02T03:04:05Z",
        "SessionNotOnOrAfter": None,
        "Assertions": [
            {
                "XMLName": {"Space": "s", "Local": "Assertion"},
                "ID": "1",
                "Subject": {"NameID": {"Value": "n"}},
                "Conditions": {"ProxyRestriction": {"Count": 1, "Audience": [{"Value": "z"}]}},
            }
        ],
        "ResponseSignatureValidated": True,
    }
    info = AssertionInfo.from_dict(data)
    assert (info.name_id, info.session_index, info.session_not_on_or_after) == ("n", "i", None)
    assert info.authn_instant == "2026-01-02T03:04:05Z"
    assert info.response_signature_validated is True
    assert info.values["mail"].values[0].value == "a@b"
    assert info.values["mail"].friendly_name == "f"
    assert info.warning_info is not None
    assert info.warning_info.proxy_restriction is not None
    assert info.warning_info.proxy_restriction.audience == ["x", "y"]
    [assertion] = info.assertions
    assert (assertion.id, assertion.xml_name.local) == ("1", "Assertion")
    assert assertion.subject is not None
    assert assertion.subject.name_id is not None
    assert assertion.subject.name_id.value == "n"
    assert assertion.conditions is not None
    assert assertion.conditions.proxy_restriction is not None
    assert assertion.conditions.proxy_restriction.audience[0].value == "z"
    written = info.to_dict()
    assert written["WarningInfo"]["ProxyRestriction"] == {"Count": 2, "Audience": ["x", "y"]}
    assert written["NameID"] == "n"


def test_bytes_are_base64_text() -> None:
    event = PluginClusterEvent.from_json('{"Id": "i", "Data": "AP8="}')
    assert event.data == b"\x00\xff"
    assert event.to_dict() == {"Id": "i", "Data": "AP8="}
    assert FileData(filename="f", body=b"hi").to_dict() == {"Filename": "f", "Body": "aGk="}


def test_numbers_beyond_64_bits_of_a_double_stay_exact() -> None:
    assert Post.from_json('{"create_at": 9007199254740993}').create_at == 2**53 + 1


def test_models_and_tuples_in_plain_dicts_are_written_as_json() -> None:
    post = Post(props={"by": User(username="u"), "pair": (1, (2, b"hi"))})
    written = post.to_dict()["props"]
    assert written["by"]["username"] == "u"
    assert written["pair"] == [1, [2, "aGk="]]


# what this version doesn't know


@every_model
def test_unknown_keys_come_back(cls: type[Model]) -> None:
    data = {**filled(cls).to_dict(), "x_new": {"deep": [1, None]}, "x_null": None}
    read = cls.from_dict(data)
    assert read.to_dict() == data
    assert cls.from_json(read.to_json()).to_dict() == data


def test_unknown_keys_come_back_from_models_within_models() -> None:
    data = {
        "id": "p",
        "participants": [{"id": "u", "new": 1}],
        "metadata": {"new": 2, "embeds": [{"type": "link", "new": 3}], "images": {"u": {"width": 1, "new": 4}}},
    }
    post = Post.from_dict(data)
    post.message = "edited"
    written = post.to_dict()
    assert written["message"] == "edited"
    assert written["participants"][0]["new"] == 1
    assert written["metadata"]["new"] == 2
    assert written["metadata"]["embeds"] == [{"type": "link", "new": 3}]
    assert written["metadata"]["images"]["u"]["new"] == 4


def test_unknown_keys_are_not_shown() -> None:
    assert repr(Post.from_dict({"id": "p", "x_new": "y"})) == "Post(id='p')"


# what does not fit

WRONG: dict[Any, Any] = {str: 5, int: "5", float: "5", bool: 1, bytes: 5, list: {}, dict: []}


@every_model
def test_a_value_of_a_wrong_type_is_told_by_its_path(cls: type[Model]) -> None:
    for name, hint, go in fields_of(cls):
        plain = typing.get_args(hint)[0] if isinstance(hint, types.UnionType) else hint
        plain = typing.get_origin(plain) or plain
        if go.json_name == "-" or plain is Any:
            continue
        with pytest.raises(ModelError) as caught:
            cls.from_dict({go.json_name: WRONG.get(plain, "no object")})
        assert str(caught.value).startswith(f"{cls.__name__}.{name}: expected ")


@pytest.mark.parametrize(
    ("cls", "data", "text"),
    [
        (Post, {"create_at": True}, "Post.create_at: expected int, found bool"),
        (Post, {"create_at": 1.5}, "Post.create_at: expected int, found float"),
        (Post, {"is_pinned": 0}, "Post.is_pinned: expected bool, found int"),
        (Post, {"file_ids": ["a", 5]}, "Post.file_ids[1]: expected str, found int"),
        (Post, {"participants": [{}, 5]}, "Post.participants[1]: expected an object, found int"),
        (Post, {"metadata": {"embeds": [{}, {"url": 5}]}}, "Post.metadata.embeds[1].url: expected str, found int"),
        (
            Post,
            {"metadata": {"images": {"a.png": {"width": "5"}}}},
            "Post.metadata.images.a.png.width: expected int, found str",
        ),
        (User, {"props": {"a": 5}}, "User.props.a: expected str, found int"),
        (
            Config,
            {"ServiceSettings": {"SiteURL": ["x"]}},
            "Config.ServiceSettings.SiteURL: expected str, found list",
        ),
        (PluginClusterEvent, {"Data": "~"}, "PluginClusterEvent.data: expected base64 text: "),
    ],
)
def test_the_path_leads_through_lists_dicts_and_models(cls: type[Model], data: dict[str, Any], text: str) -> None:
    with pytest.raises(ModelError) as caught:
        cls.from_dict(data)
    assert str(caught.value).startswith(text)


def test_a_wrong_value_itself_is_not_told_since_it_may_be_secret() -> None:
    with pytest.raises(ModelError) as caught:
        User.from_dict({"password": ["s3cret"]})
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "nonsense", b"\xff\xfe", '{"id": "\\ud800'])
def test_text_that_is_no_json_is_told(text: str | bytes) -> None:
    with pytest.raises(ModelError, match=r"^Post: not JSON: "):
        Post.from_json(text)


@pytest.mark.parametrize(("text", "found"), [("[]", "list"), ("null", "NoneType"), ('"x"', "str"), ("5", "int")])
def test_json_that_is_no_object_is_told(text: str, found: str) -> None:
    with pytest.raises(ModelError, match=f"^Post: expected an object, found {found}$"):
        Post.from_json(text)


@pytest.mark.parametrize("value", [object(), "\ud800", {5: {object()}}], ids=["object", "surrogate", "set"])
def test_what_json_cannot_hold_is_told_with_the_models_name(value: Any) -> None:
    with pytest.raises(ModelError, match=r"^Post: cannot be written as JSON: "):
        Post(props={"a": value}).to_json()


def test_a_model_error_is_a_value_error() -> None:
    assert issubclass(ModelError, ValueError)


# as a record


@every_model
def test_models_compare_by_value(cls: type[Model]) -> None:
    assert filled(cls) == filled(cls)
    assert filled(cls) != cls()


@every_model
def test_a_deep_copy_is_equal_and_shares_nothing(cls: type[Model]) -> None:
    model = cls.from_dict({**filled(cls).to_dict(), "x_new": {"a": [1]}})
    twin = copy.deepcopy(model)
    assert twin == model
    for name, hint, _ in fields_of(cls):
        mine, theirs = getattr(model, name), getattr(twin, name)
        if isinstance(mine, list | dict | Model):
            assert mine is not theirs, f"{name}: {hint}"
    assert twin.to_dict()["x_new"] is not model.to_dict()["x_new"]


def test_editing_a_copy_leaves_the_original_alone() -> None:
    post = Post(message="a", props={"k": ["v"]}, metadata=PostMetadata(embeds=[PostEmbed(url="u")]))
    twin = copy.deepcopy(post)
    twin.props["k"].append("w")
    assert twin.metadata is not None
    twin.metadata.embeds[0].url = "changed"
    assert (post.props, post.metadata) == ({"k": ["v"]}, PostMetadata(embeds=[PostEmbed(url="u")]))


def test_two_models_never_share_a_default() -> None:
    one, other = Post(), Post()
    one.props["a"] = 1
    one.file_ids.append("f")
    assert (other.props, other.file_ids) == ({}, [])
    one_request, other_request = WebSocketRequest(), WebSocketRequest()
    one_request.session.token = "t"
    assert other_request.session.token == ""


@every_model
def test_a_misspelt_attribute_raises(cls: type[Model]) -> None:
    make: Any = cls
    model = make()
    with pytest.raises(AttributeError):
        model.misspelt = 1
    with pytest.raises(AttributeError):
        _ = model.misspelt
    with pytest.raises(TypeError):
        make(misspelt=1)


def test_models_are_made_with_names_only() -> None:
    make: Any = Post
    with pytest.raises(TypeError):
        make("id")


def test_a_wrong_name_of_a_model_is_told() -> None:
    with pytest.raises(AttributeError, match=r"module 'mmhooks\.models' has no attribute 'Poste'"):
        _ = models.Poste


# what a person sees


def test_a_models_repr_shows_what_differs_from_the_default() -> None:
    assert repr(Post()) == "Post()"
    assert repr(Channel(name="town-square", total_msg_count=5)) == "Channel(name='town-square', total_msg_count=5)"
    assert repr(Post(metadata=PostMetadata(embeds=[PostEmbed(url="u")]))) == (
        "Post(metadata=PostMetadata(embeds=[PostEmbed(url='u')]))"
    )


SECRET = "hunter2"


@pytest.mark.parametrize(
    "model",
    [
        User(password=SECRET),
        User(mfa_secret=SECRET),
        User(auth_data=SECRET),
        Session(token=SECRET),
        Session(props={"csrf": SECRET}),
        RemoteCluster(token=SECRET),
        RemoteCluster(remote_token=SECRET),
        PushNotification(signature=SECRET),
        WebSocketRequest(data={"token": SECRET}),
        WebSocketRequest(session=Session(token=SECRET)),
        Post(props={"api_key": SECRET}),
        Post(props={"apiKey": SECRET}),
        Post(props={"a": [{"Password": SECRET}]}),
        Post(props={"credentials": [SECRET]}),
        Post(props={"secret": {"deep": SECRET}}),
        Post(participants=[User(password=SECRET)]),
        SyncMsg(users={"u": User(password=SECRET)}),
        CommandResponse(props={"access_token": SECRET}),
        models.Command(token=SECRET),
        models.UserAccessToken(token=SECRET),
        models.UserAuth(auth_data=SECRET),
        models.OAuthApp(client_secret=SECRET),
        models.Team(invite_id=SECRET),
        models.License(signup_jwt=SECRET),
        Config(PluginSettings=PluginSettings(Plugins={"com.example": {"webhook": SECRET}})),
        Config(SqlSettings=SqlSettings(DataSource=f"postgres://u:{SECRET}@db")),
        SqlSettings(DataSourceReplicas=[SECRET]),
        SqlSettings(DataSourceSearchReplicas=[SECRET]),
        SqlSettings(AtRestEncryptKey=SECRET),
        models.ReplicaLagSettings(DataSource=SECRET),
        models.EmailSettings(SMTPPassword=SECRET),
        models.FileSettings(PublicLinkSalt=SECRET),
        models.FileSettings(AmazonS3SecretAccessKey=SECRET),
        models.FileSettings(ExportAmazonS3SecretAccessKey=SECRET),
        models.LdapSettings(BindPassword=SECRET),
        models.SSOSettings(Secret=SECRET),
        models.Office365Settings(Secret=SECRET),
        models.ElasticsearchSettings(Password=SECRET),
        models.CacheSettings(RedisPassword=SECRET),
        models.GlobalRelayMessageExportSettings(SMTPPassword=SECRET),
        models.ImageProxySettings(RemoteImageProxyOptions=SECRET),
        models.LibreTranslateProviderSettings(APIKey=SECRET),
        ServiceSettings(SplitKey=SECRET),
        ServiceSettings(GoogleDeveloperKey=SECRET),
        ServiceSettings(GiphySdkKey=SECRET),
    ],
    ids=lambda model: f"{type(model).__name__}({next(n for n in model.__struct_fields__ if getattr(model, n))})",
)
def test_a_secret_is_never_shown(model: Model) -> None:
    assert SECRET not in repr(model)
    assert SECRET not in str(model)
    assert SECRET not in f"{[model]} {{'a': {model!r}}}"
    assert "<hidden>" in repr(model)
    assert SECRET in model.to_json() or isinstance(model, WebSocketRequest)


def test_what_is_no_secret_is_shown_beside_one() -> None:
    text = repr(User(username="ada", password=SECRET, last_password_update=5))
    assert text == "User(username='ada', password=<hidden>, last_password_update=5)"


def test_flags_about_secrets_are_shown() -> None:
    assert repr(ServiceSettings(EnableUserAccessTokens=True)) == "ServiceSettings(EnableUserAccessTokens=True)"


def left_unread(make: Callable[[], dict[str, Any]]) -> Post:
    """A post whose props are made when somebody asks for them, as a host leaves them."""
    post = Post(message="m", _unknown={"unread": {"props": make}})
    del post.props
    return post


def test_a_field_that_nobody_has_read_is_made_once() -> None:
    made: list[dict[str, Any]] = []

    def make() -> dict[str, Any]:
        made.append({"n": 1})
        return made[-1]

    post = left_unread(make)
    assert (post.message, [*post.unread()], made) == ("m", ["props"], [])
    assert post.props is post.props is made[0]
    assert (post.unread(), post._unknown, len(made)) == ({}, None, 1)


def test_two_threads_that_read_a_field_at_once_make_it_once() -> None:
    entered: list[int] = []
    second = threading.Event()

    def make() -> dict[str, Any]:
        entered.append(1)
        # Were there no lock, the other thread would come here as well, and let this one go on.
        second.set() if len(entered) > 1 else second.wait(0.2)
        return {}

    post = left_unread(make)
    got: list[dict[str, Any]] = []
    threads = [threading.Thread(target=lambda: got.append(post.props)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(entered) == 1
    assert got[0] is got[1]


def test_a_field_that_is_set_is_never_made() -> None:
    post = left_unread(lambda: pytest.fail("nobody asked for it"))
    post.props = {"mine": 1}
    assert (post.unread(), post._unknown) == ({}, None)
    assert post == Post(message="m", props={"mine": 1})


def test_a_field_that_is_set_while_it_is_being_read_stays_as_it_was_set() -> None:
    begun, done = threading.Event(), threading.Event()

    def make() -> dict[str, Any]:
        begun.set()
        done.wait(0.2)  # the other thread sets the field now, or waits until this one has made it
        return {"made": 1}

    post = left_unread(make)
    reader = threading.Thread(target=lambda: post.props)
    reader.start()
    assert begun.wait(10)
    post.props = {"set": 1}
    done.set()
    reader.join()
    assert post.props == {"set": 1}


def test_a_field_that_cannot_be_made_stays_unread() -> None:
    def make() -> dict[str, Any]:
        raise ModelError("corrupt")

    post = left_unread(make)
    for _ in range(2):
        with pytest.raises(ModelError, match="corrupt"):
            post.props  # noqa: B018
    assert post.message == "m"


def test_what_is_no_field_is_told_as_ever_and_reads_nothing() -> None:
    post = left_unread(lambda: pytest.fail("nobody asked for it"))
    with pytest.raises(AttributeError, match="nothing"):
        post.nothing  # type: ignore[attr-defined]  # noqa: B018
    assert post != 1
    assert post is not None
    assert [*post.unread()] == ["props"]


def test_comparing_with_another_kind_of_thing_reads_nothing() -> None:
    post = left_unread(lambda: pytest.fail("nobody asked for it"))
    assert (post == None, post == "x", post == User(), User() == post) == (False,) * 4  # noqa: E711


# an error within a model


def test_an_error_in_a_model_is_the_exception_that_it_would_be() -> None:
    data = {
        "user_id": "u",
        "member": None,
        "error": {"id": "i", "message": "m", "detailed_error": "", "status_code": 404},
    }
    refused = models.TeamMemberWithError.from_dict(data)
    assert isinstance(refused.error, AppError)
    assert (refused.error.id, refused.error.message, refused.error.status_code) == ("i", "m", 404)
    assert refused.to_dict() == data
    assert refused == models.TeamMemberWithError.from_json(refused.to_json())
    assert refused != models.TeamMemberWithError(user_id="u", error=AppError("m", id="other", status_code=404))


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("lost", "TeamMemberWithError.error: expected an object, found str"),
        ({"status_code": "404"}, "TeamMemberWithError.error.status_code: expected int, found str"),
        ({"message": 5}, "TeamMemberWithError.error.message: expected str, found int"),
    ],
)
def test_an_error_in_a_model_that_is_none_is_told_by_its_path(error: Any, text: str) -> None:
    with pytest.raises(ModelError) as caught:
        models.TeamMemberWithError.from_dict({"error": error})
    assert str(caught.value) == text


# Mattermost's words


def test_constants_are_plain_values_under_mattermosts_names() -> None:
    from mmhooks.models import constants

    values = {name: value for name, value in vars(constants).items() if name[0].isupper() and name != "Final"}
    assert len(values) > 200
    assert {type(value) for value in values.values()} == {str, int}
    assert constants.PermissionManageSystem == "manage_system"
    assert constants.PostTypeJoinChannel == "system_join_channel"
    assert constants.ChannelTypeDirect == "D"
    assert constants.PluginStateRunning == 2
    for name, value in values.items():
        if name.startswith("Permission") or name.endswith("RoleId"):
            words = name.removeprefix("Permission").removesuffix("RoleId").replace("OAuth", "Oauth")
            assert value == "".join("_" * (at > 0) + c.lower() if c.isupper() else c for at, c in enumerate(words))


def test_constants_are_loaded_without_any_model() -> None:
    code = "import sys; import mmhooks.models.constants; print([*filter(lambda m: 'msgspec' in m, sys.modules)])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


@pytest.mark.parametrize(
    ("props", "from_plugin", "from_bot"),
    [
        ({}, False, False),
        ({"from_plugin": "true"}, True, False),
        ({"from_bot": "true"}, False, True),
        ({"from_webhook": True}, False, True),
        ({"from_plugin": "false", "from_bot": ""}, False, False),
    ],
)
def test_a_post_says_whether_a_plugin_or_a_bot_made_it(
    props: dict[str, Any], from_plugin: bool, from_bot: bool
) -> None:
    post = models.Post(props=props)
    assert (post.from_plugin, post.from_bot) == (from_plugin, from_bot)
    assert "from_plugin" not in post.to_dict()
