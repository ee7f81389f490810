r"""Rules that choose among equilibria; none is a theorem, each has its argument.

payoff dominance
    Leave out an equilibrium if another one pays every player at least as much and somebody more [1]_.
risk dominance
    Of two strict equilibria of a 2 x 2 table, that with the larger product of what a deviation from it loses [1]_.
welfare
    The largest sum of payoffs, in the units that the payoffs are given in.
maximal entropy
    The largest Shannon entropy of play, summed over information sets (players of a table): what says least beyond being
    an equilibrium [2]_.
homotopy
    The limit of the principal branch of logit equilibria, from uniform play on [3]_.

References
----------
.. [1] J. Harsanyi and R. Selten, "A General Theory of Equilibrium Selection in Games", 1988, sections 3.6 and 3.9.
.. [2] L. Ortiz, R. Schapire and S. Kakade, "Maximum Entropy Correlated Equilibria", AISTATS 2007.
.. [3] R. McKelvey and T. Palfrey, "Quantal Response Equilibria for Normal Form Games", Games Econ. Behav. 10 (1995),
   6-38; "... for Extensive Form Games", Exp. Econ. 1 (1998), 9-41.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log, prod
from typing import Any, Literal, TypeAlias

from deterrence.games.errors import GameError, ParameterError, did_you_mean
from deterrence.games.services import service

Rule: TypeAlias = Literal["payoff dominance", "risk dominance", "welfare", "maximal entropy", "homotopy"]
_SAME = 1e-9  # shares of the largest number by which welfare or entropy of one selection may differ
_NEAR = 0.05  # largest difference of a probability between the last point of the branch and the equilibrium it tends to


def select(game: Any, equilibria: Sequence[Any], rule: str) -> list[Any]:
    """Return the equilibria that a rule chooses, several if it does not decide; see the module's docstring.

    Of a continuum the point in its middle is judged.

    Raises
    ------
    GameError
        If the rule is not defined for the game, or there is no equilibrium to choose from.
    ParameterError
        If there is no such rule.
    """
    if rule not in _RULES:
        known = list(_RULES)
        raise ParameterError(
            f"rule must be one of {', '.join(map(repr, known))}, got {rule!r}{did_you_mean(rule, known)}"
        )
    if not equilibria:
        raise GameError("the set of equilibria is empty, so that no rule selects one")
    return _RULES[rule](game, equilibria)


def _payoff_dominance(_: Any, equilibria: Sequence[Any]) -> list[Any]:
    payoffs = [tuple(e.payoffs.values()) for e in equilibria]

    def dominates(a: tuple[Any, ...], b: tuple[Any, ...]) -> bool:
        return a != b and all(x >= y for x, y in zip(a, b, strict=True))

    return [e for e, mine in zip(equilibria, payoffs, strict=True) if not any(dominates(p, mine) for p in payoffs)]


def _risk_dominance(game: Any, equilibria: Sequence[Any]) -> list[Any]:
    shape = getattr(game, "shape", None)
    if shape != (2, 2):
        raise GameError(f"risk dominance is defined for 2 x 2 tables, got {game!r}; choose by payoffs or by 'homotopy'")
    strict = []
    for e in equilibria:
        cell = [k for mix in e.profile.mixed for k, p in enumerate(mix) if p == 1]
        if len(cell) < 2 or not e.isolated:  # somebody mixes
            continue
        row, column = cell
        losses = (
            game.payoffs[row, column, 0] - game.payoffs[1 - row, column, 0],
            game.payoffs[row, column, 1] - game.payoffs[row, 1 - column, 1],
        )
        if all(x > 0 for x in losses):
            strict.append((prod(losses), e))
    if not strict:
        raise GameError("risk dominance compares strict equilibria, and there is none")
    best = max(p for p, _ in strict)
    return [e for p, e in strict if p == best]


def _welfare(_: Any, equilibria: Sequence[Any]) -> list[Any]:
    return _largest(equilibria, [sum(e.payoffs.values()) for e in equilibria])


def _maximal_entropy(_: Any, equilibria: Sequence[Any]) -> list[Any]:
    return _largest(equilibria, [_entropy(e) for e in equilibria])


def _entropy(equilibrium: Any) -> float:
    total = 0.0
    for sets in equilibrium.strategies.values():
        for play in sets.values():
            total -= sum(float(p) * log(float(p)) for p in play.values() if p > 0)
    return total


def _homotopy(game: Any, equilibria: Sequence[Any]) -> list[Any]:
    limit = service("logit branch")(game).limit.strategies(game)

    def distance(e: Any) -> float:
        return max(
            abs(float(p) - float(limit[player][name][action]))
            for player, sets in e.strategies.items()
            for name, play in sets.items()
            for action, p in play.items()
        )

    best = min(map(distance, equilibria))
    if best > _NEAR:
        raise GameError(
            f"the branch of logit equilibria tends to none of these equilibria (the nearest differs by {best:.3g}); it "
            "may lie within a continuum, or be missing from an incomplete set"
        )
    return [e for e in equilibria if distance(e) == best]


def _largest(equilibria: Sequence[Any], values: Sequence[Any]) -> list[Any]:
    best = max(values)
    slack = _SAME * max(abs(float(v)) for v in values)
    return [e for e, value in zip(equilibria, values, strict=True) if value >= best - slack]


_RULES: dict[str, Callable[[Any, Sequence[Any]], list[Any]]] = {
    "payoff dominance": _payoff_dominance,
    "risk dominance": _risk_dominance,
    "welfare": _welfare,
    "maximal entropy": _maximal_entropy,
    "homotopy": _homotopy,
}
