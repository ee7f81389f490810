"""Certificates for strategic forms: what each player could gain by any other strategy."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm, prod
from typing import Any

import numpy as np

from deterrence.games.equilibrium import Certificate, Equilibrium
from deterrence.games.errors import GameError
from deterrence.games.quantities import Array, as_exact, as_float
from deterrence.games.strategic import StrategicGame
from deterrence.solvers.predicates import UNIT

_ROUNDING = 1e-9  # beyond this a sum of probabilities is a mistake, not rounding


def verify_strategic(game: StrategicGame, equilibrium: Equilibrium | Any, tol: float = 1e-9) -> Certificate:
    r"""Certify an equilibrium of a strategic form, or a bare profile.

    Parameters
    ----------
    game : StrategicGame
        A game with numbers.
    equilibrium : Equilibrium or MixedProfile
        Of an Equilibrium every vertex is checked, and the worst counts.
    tol : float
        Gains up to ``tol`` times the spread of the payoffs that are compared count as none (how far apart those lie, by
        their probabilities, that a strategy meets; a constant added to all is not in it); exact results are held to 0.

    Returns
    -------
    Certificate
        The largest gain from a change of strategy; for a profile with a ``precision`` :math:`\lambda` (a logit
        equilibrium) the largest gain in expected payoff plus entropy over :math:`\lambda`.

    Raises
    ------
    GameError
        If the game has free parameters or a strategy is no distribution of the right length.
    """
    profiles = [*equilibrium.vertices, equilibrium.profile] if isinstance(equilibrium, Equilibrium) else [equilibrium]
    return certify(game, profiles, tol)


def certify(game: StrategicGame, profiles: Sequence[Any], tol: float) -> Certificate:
    """Certify profiles of one strategic form; the worst counts."""
    game.require_numbers()
    worst, rational, exact = 0.0, True, True
    for profile in {id(p): p for p in profiles}.values():
        _check(game, profile.mixed)
        rationals = game.kind == "exact" and all(m.dtype == object for m in profile.mixed)
        precision = getattr(profile, "precision", None)
        for i in range(len(game.players)):
            if precision is None:
                gain, good = _regret(game, profile.mixed, i, None if rationals else tol)
            else:
                values = _means(as_float(game.payoffs)[..., i], [as_float(m) for m in profile.mixed], i)
                gain = _logit_gain(values, profile.mixed[i], precision[i])
                size = 1.0 if precision[i] == 0 else np.abs(values).max() + 1 / precision[i]
                good = bool(gain <= tol * size)
            worst, rational = max(worst, float(gain)), rational and good
        exact = exact and rationals
    return Certificate(worst, 0.0, rational, exact)


def _regret(game: StrategicGame, mixed: Sequence[Array], player: int, tol: float | None) -> tuple[Any, bool]:
    """Return what a player gains by its best strategy, and whether it counts as none; in rationals where floats err.

    Without a tolerance all is rational. Else payoffs are the decimals that floats print as, and probabilities the
    floats themselves, of which the largest of each mixture makes up for what is missing to one.
    """
    table, part = _met(game.payoffs[..., player], mixed, player)
    if tol is None:
        payoffs, unit = _whole(table)
        mixes, sums = zip(*(_whole(m) for m in part), strict=True)
        values = _means(payoffs, mixes, player)  # times the unit and the sums of the others
        gain = max(values) * sums[player] - (mixes[player] * values).sum()
        return Fraction(gain, unit * prod(sums)), not gain
    near, floats = as_float(table), [np.asarray(m, dtype=np.float64) for m in part]
    values, mine = _means(near, floats, player), floats[player]
    got = (mine * values).sum()
    if all(((m == 0) | (m == 1)).all() for m in floats):
        rounding = np.zeros(len(mine))  # payoffs as given
    else:
        sizes = _means(np.abs(near), floats, player)
        rounding = (8 + 2 * sum(table.shape)) * UNIT * (sizes + (mine * sizes).sum())
    spreads = _means(np.abs(near - got), floats, player)
    spread = np.maximum(spreads, (mine * spreads).sum())
    gains = values - got
    small = (gains + rounding <= tol * np.maximum(spread - rounding, 0)) | ((mine == 1) & (np.count_nonzero(mine) == 1))
    large = gains - rounding > tol * (spread + rounding)
    if (small | large).all():
        return max(gains.max(), 0.0), bool(small.all())
    share = Fraction(repr(float(tol)))
    table, part = as_exact(table), [_completed(m) for m in floats]
    values = _means(table, part, player)
    got = (part[player] * values).sum()
    spreads = _means(np.abs(table - got), part, player)
    own = (part[player] * spreads).sum()
    return max(values) - got, all(v - got <= share * max(s, own) for v, s in zip(values, spreads, strict=True))


def _whole(rationals: Array) -> tuple[Array, int]:
    """Return rationals times a whole number that makes them whole, and this number."""
    flat = rationals.ravel().tolist()
    unit = lcm(*[x.denominator for x in flat])
    whole = np.empty(len(flat), dtype=object)
    whole[:] = [x.numerator * (unit // x.denominator) for x in flat]
    return whole.reshape(rationals.shape), unit


def _completed(mix: Array) -> Array:
    """Return a mixture of floats in rationals that sum to one."""
    result = np.array([Fraction(x) for x in mix.tolist()], dtype=object)
    result[int(np.argmax(mix))] += 1 - result.sum()
    return result


def _check(game: StrategicGame, mixed: Sequence[Array]) -> None:
    if len(mixed) != len(game.players):
        raise GameError(f"a profile needs {len(game.players)} mixed strategies, got {len(mixed)}")
    for player, labels, mix in zip(game.players, game.strategies, mixed, strict=True):
        numbers = mix.tolist()
        if mix.shape != (len(labels),) or min(numbers) < 0 or abs(float(sum(numbers)) - 1) > _ROUNDING:
            raise GameError(
                f"the strategy of {player} must be a distribution over {len(labels)} strategies, got {list(mix)}"
            )


def _met(table: Array, mixed: Sequence[Array], player: int) -> tuple[Array, list[Array]]:
    """Return the part of a table that a player meets by any of its strategies, and the mixtures over it."""
    used = [np.arange(len(m)) if j == player else np.flatnonzero(m) for j, m in enumerate(mixed)]
    return table[np.ix_(*used)], [m[u] for m, u in zip(mixed, used, strict=True)]


def _means(table: Array, mixed: Sequence[Array], player: int) -> Array:
    """Return the mean of a table for each strategy of a player against the others' mixtures."""
    values: Any = table
    for other in reversed(range(len(mixed))):
        if other != player:
            values = np.moveaxis(values, other, -1) @ mixed[other]
    return np.asarray(values).reshape(-1)


def _logit_gain(values: Array, mix: Array, precision: float) -> float:
    value, played = np.asarray(values, dtype=np.float64), np.asarray(mix, dtype=np.float64)
    if precision == 0:
        return float(np.abs(played - 1 / len(played)).max())
    top = value.max()
    best = top + np.log(np.exp(precision * (value - top)).sum()) / precision
    logs = np.log(np.where(played > 0, played, 1))
    return float(best - (played * (value - logs / precision)).sum())
