"""Games are values: made once, validated then, never changed."""

from __future__ import annotations


class Immutable:
    """A base whose attributes cannot be set once ``_freeze`` has been called."""

    def _freeze(self) -> None:
        self.__dict__["_frozen"] = True

    def __setattr__(self, name: str, value: object) -> None:
        if "_frozen" in self.__dict__:
            kind = type(self).__name__
            raise AttributeError(f"a {kind} cannot be changed (tried to set {name!r}); make another one")
        super().__setattr__(name, value)
