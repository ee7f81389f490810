"""Games are values: made once, validated then, never changed."""

from __future__ import annotations

from functools import cached_property


class Immutable:
    """A base whose attributes cannot be set once ``_freeze`` has been called."""

    def _freeze(self) -> None:
        self.__dict__["_frozen"] = True

    def __setattr__(self, name: str, value: object) -> None:
        if "_frozen" in self.__dict__:
            kind = type(self).__name__
            raise AttributeError(f"a {kind} cannot be changed (tried to set {name!r}); make another one")
        super().__setattr__(name, value)

    def __getstate__(self) -> dict[str, object]:
        """Return what the object was made of; what it has computed since is computed again where it is needed."""
        cls = type(self)
        return {
            name: value
            for name, value in self.__dict__.items()
            if not isinstance(getattr(cls, name, None), cached_property)
        }

    def __setstate__(self, state: dict[str, object]) -> None:
        for value in state.values():
            if hasattr(value, "setflags"):  # pickle forgets that an array is read-only
                value.setflags(write=False)
        self.__dict__.update(state)
