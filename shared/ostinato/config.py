"""Settings: frozen dataclasses that are read from TOML files and written back to them."""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
import types
import typing
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ostinato.errors import ConfigError
from ostinato.files import write_atomically

Config = TypeVar("Config")


def read_config(path: str | Path, kind: type[Config], given: Mapping[str, Any] | None = None) -> Config:
    """Reads a dataclass from a TOML file with one key for each field that differs from its default.

    Args:
      path: the file.
      kind: a dataclass whose fields are strings, numbers, booleans, paths, literals, tuples of them, or None.
      given: values that take the place of those in the file.

    Raises:
      ConfigError: the file is missing or no TOML, a key is no field, or a value has another type than its field.
    """
    values = read_settings(path)
    hints = typing.get_type_hints(kind)
    check_names(path, values, hints)
    read = {name: as_field(path, name, value, hints[name]) for name, value in values.items()}
    return kind(**(read | dict(given or {})))


def write_config(path: str | Path, config: Any) -> None:
    """Writes a dataclass as TOML, every field a line, in the order of the fields.

    TOML knows no None: such a field is left out and gets its default when it is read.
    """
    import tomli_w

    values = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    values = {name: _plain(value) for name, value in values.items() if value is not None}
    write_atomically(path, tomli_w.dumps(values))


def read_settings(path: str | Path) -> dict[str, Any]:
    """Reads the keys and values of a TOML file.

    Raises:
      ConfigError: the file is missing or no TOML, or it has tables: settings are one flat list.
    """
    try:
        values = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); name a TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is no TOML: {error}") from error
    for name, value in values.items():
        if isinstance(value, dict):
            raise ConfigError(f"{path}: [{name}] is a table; write the settings without tables")
    return values


def check_names(path: str | Path, names: Collection[str], known: Collection[str]) -> None:
    """Raises ConfigError for the first name that is not known, with the known name that comes closest."""
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name.replace("-", "_"), known, n=1)
            remedy = f'did you mean "{close[0]}"?' if close else f"known are {', '.join(sorted(known))}"
            raise ConfigError(f'{path}: unknown setting "{name}"; {remedy}')


def as_field(path: str | Path, name: str, value: Any, hint: Any) -> Any:
    """Returns a value of a TOML file as its field wants it: a float for an int, a tuple for a list, a path for a text.

    Raises:
      ConfigError: the value has another type than the field, whose type is `hint`.
    """
    kind, options = typing.get_origin(hint) or hint, typing.get_args(hint)
    if kind in (typing.Union, types.UnionType):
        (hint,) = (option for option in options if option is not types.NoneType)  # TOML knows no None
        return as_field(path, name, value, hint)
    if kind is typing.Literal:
        if value in options:
            return value
        raise ConfigError(f"{path}: {name} = {value!r} is none of {', '.join(map(repr, options))}")
    if kind is tuple and isinstance(value, list) and options[1:] in ((), (...,)):
        return tuple(as_field(path, name, item, options[0]) for item in value)
    if kind is Path and isinstance(value, str):
        return Path(value)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is kind:
        return value
    raise ConfigError(f"{path}: {name} = {value!r} is not of type {getattr(kind, '__name__', kind)}")


def check(condition: bool, fault: str) -> None:
    """Raises ConfigError where a setting is outside its range."""
    if not condition:
        raise ConfigError(fault)


Limits = Mapping[str, tuple[float, float]]  # the least and the greatest value of settings, by name


def check_limits(settings: Any, limits: Limits) -> None:
    """Checks the fields of a dataclass that are set by flags.

    Raises:
      ConfigError: a number is not within its limits.
    """
    for name, (least, most) in limits.items():
        value = getattr(settings, name)
        check(least <= value <= most, f"--{name.replace('_', '-')} {value} is not within {least} and {most}")


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
