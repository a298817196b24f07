"""Backends named in a setting, as Django's STORAGES names them: alias → {"BACKEND": dotted path, "OPTIONS": {…}}."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.utils.module_loading import import_string

from recommender import conf
from recommender.exceptions import ConfigurationError

B = TypeVar("B")


def make(setting: str, alias: str, base: type[B]) -> B:
    """Return a new backend of `alias`: an instance of a subclass of `base`, made as `cls(alias, options)`.

    Raises
    ------
    ConfigurationError
        The setting has no such alias, or its entry cannot be used; naming setting, alias and what is wrong.
    """
    name = f"RECOMMENDER_{setting}"
    entries: Mapping[str, Mapping[str, Any]] = conf.get(setting)
    if alias not in entries:
        raise ConfigurationError(f"{name} has no {alias!r}; it has: {', '.join(sorted(entries)) or 'nothing'}.")
    entry = entries[alias]
    path = entry.get("BACKEND")
    if set(entry) - {"BACKEND", "OPTIONS"} or not isinstance(path, str):
        raise ConfigurationError(
            f"{name}[{alias!r}] has the keys {sorted(entry)}; it needs BACKEND (a dotted path) and may have OPTIONS."
        )
    try:
        found = import_string(path)
    except ImportError as error:
        raise ConfigurationError(f"{name}[{alias!r}]: {error}") from error
    if not (isinstance(found, type) and issubclass(found, base)):
        raise ConfigurationError(f"{name}[{alias!r}]: {path} is not a subclass of {base.__name__}.")
    made: B = found(alias, entry.get("OPTIONS", {}))  # type: ignore[call-arg] # the constructor of our backends
    return made
