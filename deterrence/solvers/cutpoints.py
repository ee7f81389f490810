"""Games with a continuum of types or actions, solved unknown by unknown; every root of an indifference is a branch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from deterrence.games.continuous import Acts, Best, ContinuousGame, Given, Indifferent, Known, Mean, Unknown
from deterrence.games.errors import SolverError
from deterrence.solvers.algebra.thresholds import expectation, maximum, probability, roots
from deterrence.solvers.arguments import require_form


def cutpoints(game: ContinuousGame) -> tuple[dict[str, Any], ...]:
    """Return all solutions of a continuous game, each the values of its unknowns by name.

    Parameters
    ----------
    game : ContinuousGame
        Unknowns are solved for in their order; where an indifference has several roots the solution branches.

    Returns
    -------
    tuple of dict
        Sorted by the first roots that differ. Empty if some indifference has no root on any branch.

    Raises
    ------
    SolverError
        If a condition cannot be evaluated; the message names the unknown.

    Examples
    --------
    >>> from deterrence.games.continuous import Acts, ContinuousGame, Indifferent, Uniform
    >>> attack = ContinuousGame(("A",), {
    ...     "cutoff": Indifferent(lambda gain, known: gain - 0.8, 0, 2),
    ...     "P_attack": Acts(lambda gain, known: gain - known["cutoff"], Uniform(0, 2))})
    >>> {name: round(float(value), 9) for name, value in cutpoints(attack)[0].items()}
    {'cutoff': 0.8, 'P_attack': 0.6}
    """
    require_form(game, "cutpoints", "ContinuousGame")
    branches: list[dict[str, Any]] = [{}]
    for name, unknown in game.unknowns.items():
        branches = [{**known, **more} for known in branches for more in _values(name, unknown, known)]
    return tuple(branches)


def _values(name: str, unknown: Unknown, known: Known) -> Iterator[dict[str, Any]]:
    try:
        match unknown:
            case Indifferent():
                yield from ({name: x} for x in _indifferent(unknown, known))
            case Acts(gain=gain, types=types):
                yield {name: probability(lambda t: gain(t, known), _types(types, known))}
            case Best(payoff=payoff):
                point, value = maximum(lambda x: payoff(x, known), _end(unknown.low, known), _end(unknown.high, known))
                yield {name: point, f"{name}:payoff": value}
            case Mean(function=function, types=types, low=low, high=high):
                start = None if low is None else float(low(known))
                stop = None if high is None else float(high(known))
                yield {name: expectation(lambda t: function(t, known), _types(types, known), low=start, high=stop)}
            case Given(value=value):
                yield {name: value(known)}
    except SolverError as error:
        raise SolverError(f"the unknown {name!r} cannot be settled: {error}") from None


def _indifferent(unknown: Indifferent, known: Known) -> list[float | None]:
    low, high = _end(unknown.low, known), _end(unknown.high, known)
    found = roots(lambda x: unknown.gain(x, known), low, high)
    if found.size or unknown.otherwise == "end":
        return [float(x) for x in found]
    if unknown.otherwise == "none":
        return [None]
    middle = np.asarray(unknown.gain(np.array([(low + high) / 2]), known)).ravel()[0]
    return [high if middle > 0 else low]


def _types(types: Any, known: Known) -> Any:
    return types if hasattr(types, "cdf") else types(known)


def _end(end: float | Callable[[Known], float], known: Known) -> float:
    return float(end(known)) if callable(end) else float(end)
