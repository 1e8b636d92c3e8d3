"""The runtime configuration: what a host and an administrator say by environment variables.

Loaded only when a variable is set that has to be checked, or when somebody reads `app.config`: pydantic takes longer
to import than everything else here together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from mmhooks.errors import ConfigurationError
from mmhooks.limits import LONGEST_TIMEOUT, MOST_THREADS, VARIABLES, Limits

_DEFAULT = Limits()

PLAIN_VARIABLES: dict[str, tuple[str, ...]] = {
    "api_target": ("MATTERMOST_PLUGIN_API_TARGET",),
    "plugin_id": ("MATTERMOST_PLUGIN_ID",),
    "plugin_path": ("MATTERMOST_PLUGIN_PATH",),
}
"""The variables that are plain text."""

_LEVELS = {"TRACE": "DEBUG", "WARN": "WARNING", "FATAL": "CRITICAL", "PANIC": "CRITICAL"}


def _level(text: Any) -> Any:
    name = text.strip().upper() if isinstance(text, str) else text
    return _LEVELS.get(name, name)


class RuntimeConfig(BaseModel):
    """What the environment says; never changed while the plugin runs."""

    model_config = ConfigDict(frozen=True)

    api_target: str | None = Field(None, description="address of the plugin API's gRPC server, host:port")
    plugin_id: str | None = Field(None, description="the plugin's id, where the host tells it")
    plugin_path: str | None = Field(None, description="the plugin's folder, where the host tells it")
    hook_timeout: float = Field(
        _DEFAULT.hook_timeout,
        gt=0,
        le=LONGEST_TIMEOUT,
        allow_inf_nan=False,
        description=f"seconds for one call of a hook, more than 0 and at most {LONGEST_TIMEOUT:g}, fractions allowed: 2.5",
    )
    threads: int = Field(
        _DEFAULT.threads,
        ge=1,
        le=MOST_THREADS,
        description=f"a whole number from 1 to {MOST_THREADS}, of sync handlers that may run at once",
    )
    max_message_size: int | None = Field(
        _DEFAULT.max_message_size,
        ge=1024,
        le=2**31 - 1,
        description="bytes of one message, from 1024 to 2147483647",
    )
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(_level)] = Field(
        "INFO", description="one of DEBUG, INFO, WARN, ERROR"
    )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], defaults: Limits = _DEFAULT) -> RuntimeConfig:
        """Read the variables of `environ`; an empty one counts as not set.

        Raises `ConfigurationError` with a line for every bad value: the variable, the text found, the form wanted.
        """
        found: dict[str, Any] = defaults._asdict()
        source: dict[str, str] = {}
        for name, variables in (VARIABLES | PLAIN_VARIABLES).items():
            for variable in variables:
                if environ.get(variable):
                    found[name], source[name] = environ[variable], variable
                    break
        try:
            return cls(**found)
        except ValidationError as error:
            bad = dict.fromkeys(str(problem["loc"][0]) for problem in error.errors())
            raise ConfigurationError("\n".join(_complaint(cls, name, found, source) for name in bad)) from None

    @property
    def limits(self) -> Limits:
        """The part that the core needs."""
        return Limits(self.hook_timeout, self.threads, self.max_message_size, self.log_level)


def _complaint(cls: type[BaseModel], name: str, found: dict[str, Any], source: dict[str, str]) -> str:
    setting = source.get(name, f"App({name.removeprefix('hook_')}=…)")
    return f"{setting}: found {found[name]!r}, expected {cls.model_fields[name].description}"
