"""A run's config: what was chosen before or while it ran, kept as params."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from runbench import values


class Config(Mapping[str, Any]):
    """Read it like a dict or by attribute; `config["lr"] = 0.1` and `update()` add params.

    A param keeps its first value: setting another raises ValueError, the same again does nothing.
    Nested mappings can be read as they were given; params have their keys joined by `/`.
    """

    def __init__(self, given: object, add: Callable[[dict[str, values.Scalar]], None]) -> None:
        self.__dict__["_given"] = {} if given is None else dict(values.as_mapping(given))
        self.__dict__["_params"] = {} if given is None else values.params(given)
        self.__dict__["_add"] = add

    def params(self) -> dict[str, values.Scalar]:
        """The params as they are recorded."""
        return dict(self.__dict__["_params"])

    def update(self, more: object = None, /, **named: Any) -> None:
        """Add params. Raises ValueError for a key that has another value already."""
        added: dict[Any, Any] = {**(values.as_mapping(more) if more is not None else {}), **named}
        known: dict[str, values.Scalar] = self.__dict__["_params"]
        fresh: dict[str, values.Scalar] = {}
        for key, value in values.params(added).items():
            if key not in known:
                fresh[key] = value
            elif known[key] != value:
                raise ValueError(
                    f"config[{key!r}] is {known[key]!r} already; a param keeps its first value. "
                    "Log what changes as a metric."
                )
        self.__dict__["_given"].update(added)
        known.update(fresh)
        if fresh:
            self.__dict__["_add"](fresh)

    def __getitem__(self, key: str) -> Any:
        given = self.__dict__["_given"]
        return given[key] if key in given else self.__dict__["_params"][key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def __iter__(self) -> Iterator[str]:
        return iter(cast("dict[str, Any]", self.__dict__["_given"]))

    def __len__(self) -> int:
        return len(self.__dict__["_given"])

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"config has no {name!r}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __repr__(self) -> str:
        return f"Config({self.__dict__['_given']!r})"
