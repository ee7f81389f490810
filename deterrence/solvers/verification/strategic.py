"""Certificates for strategic forms: what each player could gain by any other strategy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from deterrence.games.equilibrium import Certificate, Equilibrium
from deterrence.games.errors import GameError
from deterrence.games.quantities import Array, as_float
from deterrence.games.strategic import StrategicGame

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
        Gains up to ``tol`` times the span of the player's payoffs count as none; exact results are held to 0.

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
    spans = as_float(game.payoffs).reshape(-1, len(game.players))
    spans = np.maximum(spans.max(axis=0) - spans.min(axis=0), np.finfo(float).tiny)
    for profile in {id(p): p for p in profiles}.values():
        rationals = game.kind == "exact" and all(m.dtype == object for m in profile.mixed)
        held_to = 0.0 if rationals else tol
        precision = getattr(profile, "precision", None)
        for i, values in enumerate(_values_of_strategies(game, profile.mixed, rationals)):
            mix = profile.mixed[i]
            gain = values.max() - (mix * values).sum() if precision is None else _logit_gain(values, mix, precision[i])
            worst = max(worst, float(gain))
            rational = rational and bool(gain <= held_to * spans[i])
        exact = exact and rationals
    return Certificate(worst, 0.0, rational, exact)


def _values_of_strategies(game: StrategicGame, mixed: Sequence[Array], exact: bool) -> list[Array]:
    """Return the expected payoff of each strategy of each player against the others' mixtures."""
    tables = game.payoffs if exact else as_float(game.payoffs)
    if len(mixed) != len(game.players):
        raise GameError(f"a profile needs {len(game.players)} mixed strategies, got {len(mixed)}")
    for player, labels, mix in zip(game.players, game.strategies, mixed, strict=True):
        if mix.shape != (len(labels),) or bool((mix < 0).any()) or abs(float(mix.sum()) - 1) > _ROUNDING:
            raise GameError(
                f"the strategy of {player} must be a distribution over {len(labels)} strategies, got {list(mix)}"
            )
    result = []
    for i in range(len(mixed)):
        values = tables[..., i]
        for other in reversed(range(len(mixed))):
            if other != i:
                weights = mixed[other] if exact else np.asarray(mixed[other], dtype=np.float64)
                shape = [1] * values.ndim
                shape[other] = len(weights)
                values = (values * weights.reshape(shape)).sum(axis=other, keepdims=True)
        result.append(values.reshape(-1))
    return result


def _logit_gain(values: Array, mix: Array, precision: float) -> float:
    value, played = np.asarray(values, dtype=np.float64), np.asarray(mix, dtype=np.float64)
    if precision == 0:
        return float(np.abs(played - 1 / len(played)).max())
    top = value.max()
    best = top + np.log(np.exp(precision * (value - top)).sum()) / precision
    logs = np.log(np.where(played > 0, played, 1))
    return float(best - (played * (value - logs / precision)).sum())
