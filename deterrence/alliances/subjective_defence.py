"""Misperception in a collective-defence game: what the aggressor and the members expect, and what an attack would meet.

The game (see ``deterrence.alliances``) computes with overlays itself; here its numbers are put beside each other in
the same terms as those of any other game whose players are mistaken.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from deterrence.games.errors import ParameterError
from deterrence.games.quantities import Array
from deterrence.perception.belief_hierarchy import belief_hierarchy, check_overlay_players
from deterrence.perception.grids import SubjectiveGrid
from deterrence.perception.outcome import Play, SubjectiveOutcome
from deterrence.perception.trees import Ends

REFRAIN, YIELDS, HOLDS, FAILS = "refrain", "target yields", "defence holds", "defence fails"
_EQUILIBRIA = ("lowest", "highest")  # which equilibrium of the response
_NODES = 24  # values of the prize between two at which what is best changes, for a noisy aggressor


def subjective_defence(
    source: Any,
    *,
    truth: Mapping[str, Any],
    beliefs: Mapping[str, Mapping[str, Any]],
    stated_chance: float = 0.05,
    concept: Any = None,
) -> SubjectiveOutcome | SubjectiveGrid:
    """Return what happens in a scenario or a collective-defence game whose players hold wrong values.

    The aggressor chooses for each value of the prize at its own values; members who are mistaken respond by their
    part of the equilibrium of their own game. Where beliefs about beliefs are stated, a player foresees of each
    member so named what this member would do in the nested view, of the rest their part in an equilibrium of its own
    game, and replies to that: a member by its best cutpoint (there is one), the aggressor by its best choice at each
    value of the prize. What a target thinks it would see decides, in the aggressor's eyes, whether it resists; if
    nothing is said of that, the aggressor knows the values of the target.

    Ranges are over the lowest and the highest equilibrium of the response, in what the aggressor expects and in what
    happens; a player who thinks of several games thinks of the same end of the range in each. An attack that is
    resisted counts as war, and an attack as unwanted where its payoff at the true values is below that of refraining.

    Parameters
    ----------
    source : Scenario or CollectiveDefence
    truth, beliefs : mapping
        Values by path (of a scenario also by parameter name); overlays as in ``subjective``, nested to any depth.
    stated_chance : float
        See ``subjective``.
    concept : str, optional
        ``"qre 10"``: the aggressor chooses by noisy best reply, with that precision per unit of the prize (members'
        private costs make their choices noisy already). The answer is then a ``SubjectiveGrid``, of one point if
        there are no arrays.

    Raises
    ------
    ParameterError
        If a player or path is unknown, a chain of beliefs is circular, or one contradicts itself; if the concept is
        another one.
    """
    plain = source.game() if hasattr(source, "at_values") else source
    check_overlay_players(beliefs, plain.players, "beliefs")
    stated = getattr(source, "table", source).perception  # as a scenario's file, or the game itself, has it
    told = {p: {**stated.get(p, {}), **beliefs.get(p, {})} for p in plain.players if p in stated or p in beliefs}
    hierarchy = belief_hierarchy(truth, told, plain.players, None, relative=True)
    game = _with_overlays(source, truth, beliefs)
    precision = _precision(concept)
    if precision is not None or any(np.ndim(x) for x in _numbers([truth, *beliefs.values()])):
        return _grid(game, precision)
    kinds = [attack.name for attack in game.attacks]
    paths = [(REFRAIN,), *((kind, how) for kind in kinds for how in (YIELDS, HOLDS, FAILS))]
    attacked = np.array([float(len(path) > 1) for path in paths])
    fought = np.array([float(path[-1] in (HOLDS, FAILS)) for path in paths])
    ends = Ends(paths, paths, {"attack": attacked, "war": fought})
    several = game.perceived_response().several or game.response().several
    picks = range(2) if several else range(1)
    plays = tuple(_play(game, _EQUILIBRIA[i], _EQUILIBRIA[k]) for i, k in itertools.product(picks, picks))
    informed = dataclasses.replace(game, perception={})
    return SubjectiveOutcome(
        plays=plays,
        hierarchy=hierarchy,
        truth=truth,
        ends=ends,
        aggressor=game.aggressor.name,
        attack="attack",
        war="war",
        stated_chance=stated_chance,
        solve_informed=lambda: informed.response().equilibria[kinds[-1]],
    )


def _with_overlays(source: Any, truth: Mapping[str, Any], beliefs: Mapping[str, Mapping[str, Any]]) -> Any:
    if hasattr(source, "at_values"):
        seen = {
            f"perception.{player}.{path}": value
            for player, overlay in beliefs.items()
            for path, value in overlay.items()
        }
        return source.at_values({**truth, **seen})
    overlays = {player: dict(overlay) for player, overlay in source.perception.items()}
    for player, overlay in beliefs.items():
        overlays.setdefault(player, {}).update(overlay)
    return dataclasses.replace(source.at(**truth), perception=overlays)


def _numbers(values: Any) -> Iterator[Any]:
    """Yield the numbers and arrays in overlays, nested ones and changes like {"add": x} among them."""
    if isinstance(values, Mapping):
        values = list(values.values())
    if isinstance(values, list):
        for value in values:
            yield from _numbers(value)
    else:
        yield values


def _precision(concept: Any) -> float | None:
    """Return the precision of a noisy aggressor; None for one that replies best."""
    if concept is None:
        return None
    words = str(concept).lower().split()
    try:
        number = float(words[1]) if len(words) == 2 and words[0] == "qre" else -1.0
    except ValueError:
        number = -1.0
    if not (0 <= number < np.inf):
        raise ParameterError(
            f"a collective-defence game is solved for its equilibria, or with concept='qre PRECISION', got {concept!r}"
        )
    return number


def _grid(game: Any, precision: float | None) -> SubjectiveGrid:
    prize, kinds = game.aggressor.prize, [attack.name for attack in game.attacks]
    tables, wars, regretted, unwanted = [], [], [], []
    for equilibrium in _EQUILIBRIA:
        resists = game.resistance(equilibrium)
        if precision is None:
            measure = game.aggressor_choice(equilibrium).measure(prize)
            regret = _regretted(game, equilibrium, equilibrium)
        else:
            chosen = game.aggressor_choice(equilibrium)
            truth = game.aggressor_choice(equilibrium, at_true_values=True)
            measure, regret = _noisy(chosen, truth, prize, precision)
        tables.append(measure)
        wars.append((measure[..., 1:] * resists).sum(axis=-1))
        regretted.append(regret.sum(axis=-1))
        unwanted.append((regret * resists).sum(axis=-1))
    by_kind = {label: tuple(t[..., k] for t in tables) for k, label in enumerate((REFRAIN, *kinds))}
    pairs: dict[str, Any] = {"attack": tuple(1 - t[..., 0] for t in tables), "war": wars, **by_kind}
    if precision is None:  # each kind of attack may be met by either equilibrium
        found = game.attack_probabilities()
        pairs |= {"attack": found.likelihood, **found.by_kind}
    mistaken = {"attack": regretted, "war": unwanted}
    shape = np.broadcast_shapes(*(np.shape(x) for pair in (*pairs.values(), regretted, unwanted) for x in pair))

    def answer(event: Any, table: Mapping[str, Any]) -> tuple[Array, Array]:
        if event not in table:
            raise ParameterError(f"no event {event!r} over a grid; there are {', '.join(map(repr, table))}")
        low, high = (np.broadcast_to(np.asarray(x, dtype=np.float64), shape) for x in table[event])
        return np.minimum(low, high), np.maximum(low, high)

    return SubjectiveGrid(
        shape=shape, ask=lambda event: answer(event, pairs), unwanted=lambda event: answer(event, mistaken)
    )


def _noisy(chosen: Any, truth: Any, prize: Any, precision: float) -> tuple[Array, Array]:
    r"""Return the chances of refraining and of each attack by logit choice, and of regretted attacks.

    With value v of the prize attack x is chosen with a probability proportional to :math:`e^{\lambda U_x(v)}`, as
    believed, and refraining to 1. The mean over v is taken by Gauss-Legendre quadrature between the values at which
    what is best changes, so that it is exact in the limit of high precision.
    """
    batch = np.broadcast_shapes(np.shape(chosen.threshold), np.shape(truth.threshold), np.shape(prize.location))
    limits = [x for table in (chosen.lower, chosen.upper, truth.break_even) for x in np.moveaxis(table, -1, 0)]
    ranks = [np.broadcast_to(_rank(prize, x), batch) for x in limits]
    knots = np.sort(np.stack([np.zeros(batch), *ranks, np.ones(batch)]), axis=0)
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    total, regretted = np.zeros(()), np.zeros(())
    for low, high in itertools.pairwise(knots):
        for node, weight in zip(nodes, weights, strict=True):
            value = prize.ppf(np.clip(low + (high - low) * (1 + node) / 2, 1e-12, 1 - 1e-12))
            fact = truth.payoff(value)
            worth = precision * np.broadcast_arrays(chosen.payoff(value), fact)[0]
            top = np.maximum(worth.max(axis=-1, keepdims=True), 0.0)
            odds = np.concatenate([np.exp(-top), np.exp(worth - top)], axis=-1)
            share = odds / odds.sum(axis=-1, keepdims=True) * ((high - low) * weight / 2)[..., None]
            total = total + share
            regretted = regretted + share[..., 1:] * (fact < 0)
    return total, regretted


def _rank(prize: Any, value: Array) -> Array:
    """Return the probability of a prize of at most a value, which may be infinite."""
    known = np.isfinite(value)
    return np.where(known, prize.cdf(np.where(known, value, 0.0)), np.where(value > 0, 1.0, 0.0))


def _regretted(game: Any, equilibrium: str, actual: str) -> Array:
    """Return the probability of each attack whose true payoff is below that of refraining, shape (..., X)."""
    return np.asarray(game.regretted_attacks(equilibrium, actual))


def _play(game: Any, equilibrium: str, actual: str) -> Play:
    """Return what happens if the aggressor expects one equilibrium of the response and meets another."""
    prize, name = game.aggressor.prize, game.aggressor.name
    chosen, truth = game.aggressor_choice(equilibrium), game.aggressor_choice(actual, at_true_values=True)
    measure = np.asarray(chosen.measure(prize))
    k = _EQUILIBRIA.index(equilibrium)
    held, resists = game.response().holds[_EQUILIBRIA.index(actual)], game.resistance(actual)
    seen = game.perceived_by(name)
    expected_game = game if game.target is None or game.target.name not in seen.perception else seen
    believed: dict[str, Array] = {
        name: _ends(measure, expected_game.resistance(equilibrium), game.perceived_response().holds[k])
    }
    right: Array | None = None  # what those expect who are not mistaken, once it is known
    for player in game.players:
        if player != name and (player in game.perception or right is None):
            view = game.perceived_by(player)
            plan = np.asarray(view.aggressor_choice(equilibrium).measure(view.aggressor.prize))
            believed[player] = _ends(plan, view.resistance(equilibrium), game.perceived_response(player).holds[k])
            right = believed[player] if player not in game.perception else right
        elif player != name and right is not None:
            believed[player] = right
    nobody = _ends(np.zeros_like(measure), resists, held)
    regretted = np.concatenate([[0.0], _regretted(game, equilibrium, actual)])
    got, most = _worth(chosen, truth, prize), _worth(truth, truth, prize)
    return Play(
        expects=dict.fromkeys(game.players, f"{equilibrium} participation"),
        true=_ends(measure, resists, held),
        believed=believed,
        mistaken={**dict.fromkeys(game.players, nobody), name: _ends(regretted, resists, held)},
        payoffs={name: got},
        regret={name: max(0.0, most - got)},
    )


def _ends(measure: Array, resists: Array, holds: Array) -> Array:
    """Return the probability of refraining and, by attack, that the target yields, the defence holds, or fails."""
    attacks = measure[1:, None] * np.stack([1 - resists, resists * holds, resists * (1 - holds)], axis=-1)
    return np.concatenate([measure[:1], attacks.ravel()])


def _worth(chosen: Any, truth: Any, prize: Any) -> float:
    """Return the aggressor's expected payoff, by the true lines, of what it chooses at each value of the prize."""
    total = 0.0
    for x in range(chosen.lower.shape[-1]):
        low, high = float(chosen.lower[..., x]), float(chosen.upper[..., x])
        if low < high:
            gain = _partial(prize, high) - _partial(prize, low)
            mass = float(prize.cdf(high)) - float(prize.cdf(low))
            total += float(truth.slopes[..., x]) * gain - float(truth.costs[..., x]) * mass
    return total


def _partial(prize: Any, x: float) -> float:
    if x == np.inf:
        return float(prize.mean())
    return 0.0 if x == -np.inf else float(prize.partial_mean(x))
