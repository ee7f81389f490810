"""Events: what a user asks the probability of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from deterrence.games.errors import GameError, did_you_mean

Path: TypeAlias = tuple[str, ...]
Event: TypeAlias = str | Callable[[Path], bool]


def resolve_event(event: Event, known: Sequence[str]) -> Callable[[Path], bool]:
    """Return an event as a predicate over the path of labels from the root to an end.

    Parameters
    ----------
    event : str or callable
        A label (it happens if it stands on the path) or a predicate over the tuple of labels.
    known : sequence of str
        Every label of the game.

    Raises
    ------
    GameError
        If the label is not among the known ones.
    """
    if callable(event):
        return lambda path: bool(event(path))
    if event not in known:
        hint = did_you_mean(event, known)
        raise GameError(f"no event {event!r} in this game; its labels are {', '.join(map(repr, known))}{hint}")
    return lambda path: event in path
