"""Calendar providers, one module each; they do not know each other.

A provider is a file in this folder, named as the provider is: it holds one class with the attributes and methods of
`CalendarProvider`, and a constructor whose parameters are among those of `ProviderParts`, by name.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, fields
from typing import Any

from app.ports.calendars import CalendarProvider
from app.ports.unit_of_work import UnitOfWork
from integrations.http import OutwardHttp
from integrations.oauth import OAuthClient


@dataclass(frozen=True, slots=True)
class ProviderParts:
    """What a provider may ask for. One whose own part is None is not there, and is not even loaded."""

    http: OutwardHttp
    unit_of_work: Callable[[], AbstractAsyncContextManager[UnitOfWork]]
    read: Callable[[], AbstractAsyncContextManager[UnitOfWork]]
    clock: Callable[[], int]
    google: OAuthClient | None = None
    microsoft: OAuthClient | None = None


class Providers(Mapping[str, CalendarProvider]):
    """One instance of every provider in this folder, by name, made when first asked for: their client libraries are
    large, and starting the program does not need them."""

    def __init__(self, parts: ProviderParts) -> None:
        self._parts = parts
        self._names = tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))
        self._made: dict[str, CalendarProvider] = {}

    def __getitem__(self, name: str) -> CalendarProvider:
        if name not in self:
            raise KeyError(name)
        if name not in self._made:
            self._made[name] = _make(name, self._parts)
        return self._made[name]

    async def aclose(self) -> None:
        """Close what the providers hold open."""
        for provider in self._made.values():
            await provider.aclose()

    def __contains__(self, name: object) -> bool:
        """Whether it is there, without loading it."""
        return name in self._names and getattr(self._parts, str(name), self._parts) is not None

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._names if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _make(name: str, parts: ProviderParts) -> CalendarProvider:
    module_name = f"{__name__}.{name}"
    module = importlib.import_module(module_name)
    classes: list[Any] = [
        each
        for _, each in inspect.getmembers(module, inspect.isclass)
        if each.__module__ == module_name and hasattr(each, "capabilities") and hasattr(each, "write_event")
    ]
    if len(classes) != 1 or classes[0].name != name:
        raise ImportError(f"{module_name} must hold one provider of that name.")
    wanted = inspect.signature(classes[0]).parameters
    given = {each.name: getattr(parts, each.name) for each in fields(parts) if each.name in wanted}
    provider: CalendarProvider = classes[0](**given)
    return provider
