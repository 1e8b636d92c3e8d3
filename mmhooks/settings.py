"""The author's own settings: a pydantic model, filled with what administrators set in the System Console.

Loaded only for apps that declare settings, whose authors have imported pydantic already.
"""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from mmhooks.errors import ConfigurationError, MmhooksError, NoPluginAPI, RegistrationError, UnsupportedByHost
from mmhooks.fields import is_secret, keys_of, same_but_for_case

if TYPE_CHECKING:
    from mmhooks.api import AsyncPluginAPI

logger = logging.getLogger("mmhooks")

M = TypeVar("M", bound=BaseModel)


class Settings(Generic[M]):
    """The settings in force, and how they are loaded.

    Arguments:
        model: the author's class.
        api: gives the plugin API; asked only when settings are loaded.

    Raises `RegistrationError` for what is no such class, and for keys that Mattermost cannot tell apart.
    """

    def __init__(self, model: type[M], api: Callable[[], AsyncPluginAPI]) -> None:
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            raise RegistrationError(
                f"App(settings=…) takes a class that inherits from pydantic's BaseModel, not {_describe(model)}: write "
                "App(settings=MySettings), after class MySettings(BaseModel)"
            )
        keys = keys_of(model)
        if clashes := same_but_for_case(keys.values()):
            raise RegistrationError("\n".join(f"App(settings={model.__name__}): {clash}" for clash in clashes))
        self._model = model
        self._api = api
        self._fields = {key: model.model_fields[name] for name, key in keys.items()}
        # The server gives all keys in lower case.
        self._keys = {name.lower(): key for name, key in keys.items()} | {key.lower(): key for key in self._fields}
        self._questions = itertools.count(1)
        self._answered = 0
        self._warned = False
        self._lack = ""
        self.state: tuple[M | None, dict[str, Any]] = None, {}
        """The settings in force, and the values that the server gave for them."""
        self._take({})

    @property
    def current(self) -> M:
        """The settings in force. Raises `ConfigurationError` when there are none, since one is required and not set."""
        settings, _ = self.state
        if settings is None:
            raise ConfigurationError(
                f"app.settings: {self._lack}. Settings are loaded when the plugin is activated; in a test, write "
                f"app.settings = {self._model.__name__}(…)"
            )
        return settings

    @current.setter
    def current(self, settings: M) -> None:
        if not isinstance(settings, self._model):
            raise TypeError(f"app.settings takes a {self._model.__name__}, not {_describe(settings)}")
        self.state = settings, {}

    @property
    def problem(self) -> str:
        """Why the plugin cannot be activated, for administrators; empty when it can."""
        if self.state[0] is not None:
            return ""
        return f"the plugin's settings are not complete: {self._lack}. Set them in the System Console"

    async def load(self, timeout: float) -> None:
        """Ask the server for what is set, and take what can be used of it. Failures are logged and change nothing."""
        question = next(self._questions)
        try:
            found = await self._api().load_plugin_configuration(timeout=timeout)
        except (NoPluginAPI, UnsupportedByHost) as error:
            if not self._warned:  # it will be so each time
                logger.warning("settings are not loaded, and stay as they are, at first the defaults: %s", error)
            self._warned = True
        except MmhooksError as error:
            logger.error("settings could not be loaded, and stay as they were: %s", error)
        else:
            if question > self._answered:  # else a later question has had its answer already
                self._answered = question
                self._take(found)

    def _take(self, found: dict[str, Any]) -> None:
        """Make the settings anew. A value that cannot be used gives way to its key's last one, and then to the default."""
        given = {
            self._keys[name.lower()]: value
            for name, value in found.items()
            if value is not None and name.lower() in self._keys
        }
        old, told = dict(self.state[1]), dict[str, str]()
        while isinstance(made := self._make(given), dict):
            if not made.keys() <= given.keys() | old.keys():
                break
            for key, problem in made.items():
                if given.pop(key, None) == "":
                    continue  # a field that was emptied: the System Console has no other way to say "not set"
                told.setdefault(key, problem)
                if key in old:
                    given[key] = old.pop(key)
        if isinstance(made, dict):
            told, stays = made | told, "all settings stay as they were"
            self._lack = "; ".join(told.values())
        else:
            self.state, stays = (made, given), "it stays as it was"
        if self.state[0] is not None:  # else nothing stays, and whoever asks for settings is told why
            for problem in told.values():
                logger.error("settings: %s; %s", problem, stays)

    def _make(self, given: dict[str, Any]) -> M | dict[str, str]:
        """The settings with these values; or what is wrong by key, by an empty one what is wrong with all together."""
        try:
            return self._model.model_validate_json(json.dumps(given))
        except ValidationError as error:
            wrong: dict[str, str] = {}
            for problem in error.errors(include_url=False, include_context=False):
                key = str(problem["loc"][0]) if problem["loc"] else ""
                key = key if key in self._fields else ""
                wrong.setdefault(key, self._complaint(key, problem["type"], problem["msg"], given))
            return wrong
        except Exception as error:  # of the author's own validator; its text may show anything
            return {"": f"the settings as a whole cannot be checked: {type(error).__name__}"}

    def _complaint(self, key: str, type_: str, text: str, given: dict[str, Any]) -> str:
        if type_ == "missing":
            return f"{key!r} is required, and not set"
        what = f"{repr(key) if key else 'the settings as a whole'} cannot be used"
        secrets = {key for key, field in self._fields.items() if is_secret(field)}
        if key in secrets or any(str(given[secret]) in text for secret in secrets if given.get(secret)):
            return f"{what} ({type_})"  # pydantic's word for the problem has nothing of the value
        return f"{what}: {text}"


def _describe(value: Any) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else f"an instance of {type(value).__name__}"
