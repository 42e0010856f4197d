"""Takes the part of a configuration that describes an alias, gives it in Django's own words.

Knows keys, not values: what it refuses it names by key, and never quotes.
"""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from django.core.exceptions import ImproperlyConfigured

from ..._config.containers import plain
from ..._config.model_fields import field_values
from ...exceptions import ConfigError
from ...types import Problem

__all__ = ["known", "laid_over"]

_MAY_BE_NULL = frozenset({"CONN_MAX_AGE", "TIMEOUT"})  # for ever


def known(setting: str, parts: Iterable[str], aliases: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the aliases that are to follow; raise `ImproperlyConfigured` for one that is not."""
    for alias in set(parts) - aliases.keys():
        raise ImproperlyConfigured(
            f"RELOAD_CHECK[{setting!r}] names {alias!r}, which is not in {setting}: "
            f'add "{alias}": {{…}} there, or take it out of RELOAD_CHECK'
        )
    return tuple(parts)


def laid_over(base: Mapping[str, Any], part: object, keys: frozenset[str]) -> dict[str, Any]:
    """Lay a part over what the settings say: keys in either case, `OPTIONS` key by key.

    `part` is a mapping or a model; `keys` are those that it may have. A null changes nothing,
    save where it means something to Django. Raises `ConfigError`, naming the key.
    """
    result = {**base, "OPTIONS": dict(base.get("OPTIONS") or {})}
    for key, value in _items(part).items():
        name = key.upper()
        if name not in keys:
            raise ConfigError(Problem(f"is none of {', '.join(sorted(keys))}", key_path=(key,)))
        if value is None and name not in _MAY_BE_NULL:
            continue
        if name == "OPTIONS":
            result["OPTIONS"] |= {option: _opened(one) for option, one in _items(value).items()}
        else:
            result[name] = _opened(value)
    return result


def _items(part: object) -> dict[str, Any]:
    fields = field_values(part)
    if fields is not None:
        return fields
    if isinstance(part, Mapping):
        return {str(key): value for key, value in cast("Mapping[object, Any]", part).items()}
    raise ConfigError(Problem("must be a mapping or a model, with Django's keys"))


def _opened(value: Any) -> Any:
    """Return an ordinary value that drivers accept: no frozen container, no sealed secret."""
    secret = getattr(value, "get_secret_value", None)
    return plain(value if secret is None else secret())
