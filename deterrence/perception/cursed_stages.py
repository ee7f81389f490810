r"""Cursed sequential equilibrium of multi-stage games with observed actions, from the definition.

At a public history h player i of type :math:`t_i` believes :math:`\mu_i(\omega \mid h)` about the states of nature
that it cannot tell apart, and thinks that another who moves there acts not as its type would, but by

.. math:: \sigma^\chi(a \mid h, \omega) = \chi \sum_{\omega'} \mu_i(\omega' \mid h) \sigma(a \mid h, \omega') +
   (1 - \chi) \sigma(a \mid h, \omega),

the average over types mixed in with weight :math:`\chi`. Beliefs follow Bayes' rule for that, which makes them
:math:`\mu_i(\omega \mid h a) = \chi \mu_i(\omega \mid h) + (1 - \chi) \nu(\omega)`, :math:`\nu` being Bayes' posterior
of an uncursed observer with the same belief before. Everyone replies best at every history. Where nobody was to do
what was done, :math:`\nu` is the limit of vanishing errors, which types may make at different rates (Fong, Lin and
Palfrey 2025 [1]_, definitions 1 to 3).

Given beliefs a player faces an ordinary decision problem, so that it is enough to look at one deviation at a time.
Candidates come from every pattern of supports, with errors of one type or of all alike behind each surprise (mixed
ones by solving the equations of indifference from several starts); where patterns are too many, from pure profiles and
from limits of noisy best replies. They need not be all, but each is checked by the definition.

References
----------
.. [1] M.-J. Fong, P.-H. Lin and T. R. Palfrey, "Cursed Sequential Equilibrium", American Economic Review 115 (2025).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares, root

from deterrence.games.behavior import BehaviorProfile
from deterrence.games.equilibrium import Certificate, Equilibrium, EquilibriumSet
from deterrence.games.errors import GameError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.quantities import Array
from deterrence.games.topology import CHANCE, Topology
from deterrence.perception.replies import undominated_actions
from deterrence.solvers.spe import path_of_play

_STARTS = 3  # of each pattern of supports, and noisy players of different leanings from whom limits are followed
_MOST_ERRORS = 64  # combinations of errors behind surprises; above, all types are thought to err alike
_MOST_PURE = 200_000  # pure profiles
_LEAST = 1e-9  # probability of what is played
_STEPS = np.geomspace(0.1, 2_000.0, 32)  # precisions, per payoff span


@dataclass(frozen=True, eq=False)
class CursedView:
    """What players think in a profile.

    Attributes
    ----------
    beliefs : ndarray, shape (..., P, H, W)
        Each player's belief at each public history, given its type: sums to one over the states of each type.
    values : ndarray, shape (..., A)
        What each action is worth to its player, as believed.
    """

    beliefs: Array
    values: Array


def cursed_stages(
    tree: ExtensiveGame, chi: float, *, tol: float = 1e-9, limit: int = 1_000, seed: int = 0
) -> EquilibriumSet:
    """Find cursed sequential equilibria of a tree whose nature moves first and whose moves are seen by all.

    Parameters
    ----------
    tree : ExtensiveGame
        Of floats.
    chi : float
        In [0, 1].
    tol : float
        Gains up to this share of a player's payoff span count as none.
    limit : int
        Most patterns of supports to look at; above, only pure profiles and limits of noisy play.
    seed : int
        Of the starts of noisy play.

    Returns
    -------
    EquilibriumSet
        With cursed beliefs; never ``complete``.

    Raises
    ------
    GameError
        If the tree has another form.
    """
    stages = public_stages(tree)
    rng = np.random.default_rng(seed)
    patterns = np.prod([2.0 ** len(left) - 1 for left in undominated_actions(tree)])
    candidates = _by_supports(stages, chi, limit, rng)
    if patterns > limit:
        candidates = itertools.chain(candidates, _limits(stages, chi, rng))
    found: list[tuple[list[float], Equilibrium]] = []
    seen: set[bytes] = set()
    for actions, errors in candidates:
        key = (np.round(actions, 6) + 0.0).tobytes()
        if key in seen:
            continue
        view = cursed_view(stages, chi, actions, errors)
        certificate = certify(stages, chi, actions, view, tol)
        if certificate.sequentially_rational:
            seen.add(key)
            equilibrium = Equilibrium(
                game=tree,
                concept=f"cursed {chi:g}",
                kind=path_of_play(tree, actions),
                profile=BehaviorProfile(actions, _at_nodes(stages, view)),
                certificate=certificate,
            )
            found.append(((-np.round(actions, 6)).tolist(), equilibrium))
    return EquilibriumSet(
        game=tree,
        concept=f"cursed {chi:g}",
        method="patterns of supports" if patterns <= limit else "pure profiles and limits of noisy best replies",
        equilibria=tuple(e for _, e in sorted(found, key=lambda pair: pair[0])),
        complete=False,
        options={"chi": chi, "tol": tol, "limit": limit, "seed": seed},
    )


def cursed_view(stages: PublicStages, chi: float, actions: Array, errors: Array) -> CursedView:
    """Return beliefs and the worth of actions.

    Parameters
    ----------
    stages : PublicStages
    chi : float
    actions : ndarray, shape (..., A)
        Behaviours.
    errors : ndarray, shape (..., A)
        Relative rates of the errors that lead to actions which nobody was to take; >= 0.
    """
    tree, lead = stages.tree, actions.shape[:-1]
    players, width, count = len(tree.players), len(stages.prior), len(stages.histories)
    errors = np.broadcast_to(errors, actions.shape)
    beliefs = np.zeros((*lead, players, count, width))
    values = np.zeros(actions.shape)
    end_of = {int(n): z for z, n in enumerate(tree.topology.terminal)}
    for i in range(players):
        same = (stages.types[i][:, None] == stages.types[i]).astype(float)  # (W, W): states that i cannot tell apart
        belief = {0: np.broadcast_to(stages.prior / (same @ stages.prior), (*lead, width))}
        thought: list[Array] = []
        for k, h in enumerate(stages.histories):
            before = belief[k]
            beliefs[..., i, k, :] = before
            played = actions[..., h.slots]  # (..., W, n)
            average = same @ (before[..., None] * played)
            moves = played if h.mover == i else chi * average + (1 - chi) * played
            thought.append(moves)
            for a, after in enumerate(h.after):
                if h.mover == i:
                    belief[after] = before
                    continue
                joint = before * moves[..., a]
                erred = before * errors[..., h.slots[:, a]]
                total, lost = joint @ same, erred @ same
                surprised = np.where(lost > 0, erred / np.where(lost > 0, lost, 1.0), before)
                by_error = chi * before + (1 - chi) * surprised
                belief[after] = np.where(total > 0, joint / np.where(total > 0, total, 1.0), by_error)
        worth: dict[int, Array] = {}
        for k in range(count - 1, -1, -1):
            h = stages.histories[k]
            if h.mover < 0:
                ends = np.array([float(tree.payoffs[end_of[int(n)], i]) for n in h.nodes])
                worth[k] = np.broadcast_to(ends, (*lead, width))
                continue
            below = np.stack([worth.pop(after) for after in h.after], axis=-1)  # (..., W, n)
            worth[k] = (thought[k] * below).sum(axis=-1)
            if h.mover == i:
                values[..., h.slots] = same @ (beliefs[..., i, k, :, None] * below)
    return CursedView(beliefs, values)


def certify(stages: PublicStages, chi: float, actions: Array, view: CursedView, tol: float) -> Certificate:
    """Check a profile: no deviation gains at any history, and beliefs are chi-dampened where players were to lead."""
    tree = stages.tree
    worst, rational = 0.0, True
    for s in tree.infosets:
        span = max(float(np.ptp(tree.payoffs[:, s.player])), np.finfo(float).tiny)
        worth = view.values[s.slots]
        regret = float(worth.max() - worth @ actions[s.slots])
        worst, rational = max(worst, regret), rational and regret <= tol * span
    error = 0.0
    for i in range(len(tree.players)):
        same = stages.types[i][:, None] == stages.types[i]
        for k, h in enumerate(stages.histories):
            for a, after in enumerate(h.after):
                if h.mover == i:
                    continue
                before, now = view.beliefs[i, k], view.beliefs[i, after]
                error = max(error, float((chi * before - now).max()))
                bayes = before * actions[h.slots[:, a]]
                total = same @ bayes
                met = total > 1e-12
                held = chi * before[met] + (1 - chi) * bayes[met] / total[met]
                error = max(error, float(np.abs(now[met] - held).max(initial=0.0)))
    return Certificate(
        max_regret=worst, max_belief_error=error, sequentially_rational=bool(rational and error <= 1e-9), exact=False
    )


def _by_supports(
    stages: PublicStages, chi: float, limit: int, rng: np.random.Generator
) -> Iterator[tuple[Array, Array]]:
    """Yield candidates for each pattern of supports, pure ones first, with the errors behind each surprise.

    Errors are of one type of the mover, or of all alike. Where a pattern mixes, its probabilities solve the equations
    of indifference, from several starts.
    """
    tree = stages.tree
    yield from _pure(stages, chi, _MOST_PURE)
    usable = undominated_actions(tree)
    options = [[pick for n in range(1, len(left) + 1) for pick in itertools.combinations(left, n)] for left in usable]
    if np.prod([float(len(picks)) for picks in options]) > limit:
        return
    for pattern in sorted(itertools.product(*options), key=lambda one: sum(map(len, one))):
        played = np.zeros(tree.topology.action_count, dtype=bool)
        for s, pick in zip(tree.infosets, pattern, strict=True):
            played[[s.first + a for a in pick]] = True
        if int(played.sum()) == len(tree.infosets):
            continue
        for errors in _errors(stages, played):
            for start in range(_STARTS):
                weights = np.where(played, 1.0 if start == 0 else rng.exponential(size=len(played)), 0.0)
                actions = _solve_indifference(stages, chi, _normalise(tree, weights), errors)
                if actions is not None:
                    yield actions, errors
                    break


def _pure(stages: PublicStages, chi: float, most: int) -> Iterator[tuple[Array, Array]]:
    """Yield the pure profiles that no deviation improves on, with errors that hold them up."""
    tree = stages.tree
    if np.prod([float(len(s.actions)) for s in tree.infosets]) > most:
        return
    spans = _spans(tree)
    usable = undominated_actions(tree)
    profiles = itertools.product(*([s.first + a for a in left] for s, left in zip(tree.infosets, usable, strict=True)))
    pairs = ((picks, errors) for picks in profiles for errors in _errors(stages, _mark_played(tree, picks)))
    while batch := list(itertools.islice(pairs, 2_000)):
        actions = np.stack([_mark_played(tree, picks) for picks, _ in batch]).astype(float)
        errors = np.stack([one for _, one in batch])
        values = cursed_view(stages, chi, actions, errors).values
        content = np.ones(len(batch), dtype=bool)
        for s in tree.infosets:
            worth = values[:, s.slots]
            gain = worth.max(axis=1) - (worth * actions[:, s.slots]).sum(axis=1)
            content &= gain <= 1e-6 * spans[s.first]
        yield from ((actions[n], errors[n]) for n in np.flatnonzero(content))


def _mark_played(tree: ExtensiveGame, slots: tuple[int, ...]) -> Array:
    played = np.zeros(tree.topology.action_count, dtype=bool)
    played[list(slots)] = True
    return played


def _spans(tree: ExtensiveGame) -> Array:
    """Return the payoff span of each action's player, shape (A,)."""
    spans = np.ones(tree.topology.action_count)
    for s in tree.infosets:
        spans[s.slots] = max(float(np.ptp(tree.payoffs[:, s.player])), np.finfo(float).tiny)
    return spans


def _errors(stages: PublicStages, played: Array) -> Iterator[Array]:
    """Yield the rates of errors to look at: behind each surprise one type of the mover alone, or all alike."""
    surprises = [h.slots[:, a] for h in stages.histories for a in range(len(h.after)) if _is_news(played, h, a)]
    choices = [[None, *np.unique(slots)] for slots in surprises]
    if np.prod([float(len(c)) for c in choices]) > _MOST_ERRORS:
        choices = [[None] for _ in choices]
    for chosen in itertools.product(*choices):
        errors = np.ones(len(played))
        for slots, only in zip(surprises, chosen, strict=True):
            if only is not None:
                errors[slots] = 0.0
                errors[int(only)] = 1.0
        yield errors


def _is_news(played: Array, h: History, a: int) -> bool:
    """Return whether an action tells something that play does not: no type was to take it, and there are several."""
    slots = np.unique(h.slots[:, a])
    return len(slots) > 1 and not played[slots].any()


def _limits(stages: PublicStages, chi: float, rng: np.random.Generator) -> Iterator[tuple[Array, Array]]:
    """Yield limits of logit play as its precision grows, solved to exact indifference, and the errors on the way."""
    tree = stages.tree
    count = tree.topology.action_count
    spans = _spans(tree)
    for start in range(_STARTS):
        lean = np.zeros(count) if start == 0 else rng.normal(scale=2.0, size=count)
        state = lean.copy()
        for precision in _STEPS:

            def gap(x: Array, precision: float = precision, lean: Array = lean) -> Array:
                mixed = _logit(tree, x)
                view = cursed_view(stages, chi, mixed, mixed)
                return _centre(tree, lean + precision * view.values / spans) - _centre(tree, x)

            def slopes(x: Array, gap: Callable[[Array], Array] = gap) -> Array:
                values = gap(np.concatenate([x[None], x + 1e-7 * np.eye(count)]))
                return np.asarray((values[1:] - values[0]).T / 1e-7)

            for _ in range(5):  # a few damped steps, then Newton's from there
                state = state + 0.5 * gap(state)
            solved = root(gap, state, jac=slopes, method="hybr", options={"xtol": 1e-10})
            if not solved.success:
                break
            state = _centre(tree, solved.x)
            mixed = _logit(tree, state)
            if precision > 20:
                yield from _polish(stages, chi, mixed)


def _polish(stages: PublicStages, chi: float, near: Array) -> Iterator[tuple[Array, Array]]:
    """Yield the profile near a noisy one in which the actions that are played more often are best exactly."""
    for least in (0.02, 1e-3):
        start = _normalise(stages.tree, np.where(near > least, near, 0.0))
        actions = _solve_indifference(stages, chi, start, near)
        if actions is not None:
            yield actions, near


def _solve_indifference(stages: PublicStages, chi: float, start: Array, errors: Array) -> Array | None:
    """Return a profile with the support of ``start`` in which all that is played at a set is worth the same."""
    tree = stages.tree
    firsts, inner = [], []
    for s in tree.infosets:
        slots = s.first + np.flatnonzero(start[s.slots])
        firsts += [int(slots[0])] * (len(slots) - 1)
        inner += [int(slot) for slot in slots[1:]]
    if not inner:
        return start
    first, where = np.array(firsts), np.array(inner)

    def spread(x: Array) -> Array:
        actions = start.copy()
        actions[first] = 1.0
        actions[where] = x
        np.subtract.at(actions, first, x)
        return actions

    def gaps(x: Array) -> Array:
        values = cursed_view(stages, chi, spread(x), errors).values
        return np.asarray(values[..., where] - values[..., first])

    def slopes(x: Array) -> Array:
        step = 1e-7
        rows = np.stack([spread(x), *(spread(x + step * unit) for unit in np.eye(len(x)))])
        values = cursed_view(stages, chi, rows, errors).values
        table = values[:, where] - values[:, first]
        return np.asarray((table[1:] - table[0]).T / step)

    bounds = (_LEAST, 1 - _LEAST)
    solved = least_squares(gaps, start[where], slopes, bounds, xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=40)
    actions = spread(solved.x)
    return actions if actions[first].min() > 0 and np.abs(solved.fun).max() < 1e-6 else None


def _normalise(tree: ExtensiveGame, weights: Array) -> Array:
    actions = weights.copy()
    for s in tree.infosets:
        actions[s.slots] /= actions[s.slots].sum()
    return actions


def _logit(tree: ExtensiveGame, x: Array) -> Array:
    actions = np.empty_like(x)
    for s in tree.infosets:
        odds = np.exp(x[..., s.slots] - x[..., s.slots].max(axis=-1, keepdims=True))
        actions[..., s.slots] = odds / odds.sum(axis=-1, keepdims=True)
    return actions


def _centre(tree: ExtensiveGame, x: Array) -> Array:
    result = np.empty_like(x)
    for s in tree.infosets:
        result[..., s.slots] = x[..., s.slots] - x[..., s.slots].mean(axis=-1, keepdims=True)
    return result


def _at_nodes(stages: PublicStages, view: CursedView) -> Array:
    """Return each mover's belief over the nodes of its information sets, shape (n,)."""
    nodes = np.zeros(stages.tree.topology.size)
    for k, h in enumerate(stages.histories):
        if h.mover >= 0:
            nodes[h.nodes] = view.beliefs[h.mover, k]
    return nodes


# ---------------------------------------------------------------- public histories
#
# Multi-stage games with observed actions: nature draws types, then all that players do is seen by all. A public history
# h is what players have done so far. In a tree whose nature moves first, h leads to one node for each state that nature
# may have drawn; a player's type is the part of the states that it cannot tell apart.


@dataclass(frozen=True, eq=False)
class History:
    """A public history.

    Attributes
    ----------
    nodes : ndarray of int, shape (W,)
        Where it leads, by state of nature.
    mover : int
        Who moves there; -1 at an end.
    slots : ndarray of int, shape (W, n)
        Slots of the n actions, by state; no columns at an end.
    after : tuple of int
        The histories that follow, by action.
    """

    nodes: Array
    mover: int
    slots: Array
    after: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class PublicStages:
    """The public histories of a tree, each before those that follow it.

    Attributes
    ----------
    tree : ExtensiveGame
    prior : ndarray, shape (W,)
        Probability of each state of nature; all positive.
    types : ndarray of int, shape (P, W)
        Each player's type, by state.
    histories : sequence of History
    """

    tree: ExtensiveGame
    prior: Array
    types: Array
    histories: Sequence[History]


def public_stages(tree: ExtensiveGame) -> PublicStages:
    """Return the public histories of a tree of floats.

    Raises
    ------
    GameError
        If nature moves after a player, a move is not seen by everyone, or what can be done depends on what only some
        know.
    """
    topology = tree.topology
    states, prior = _states(tree)
    types = np.full((len(tree.players), len(states)), -1)
    histories: list[History] = []
    waiting = [np.array(states)]
    for nodes in waiting:
        owners = {int(topology.owner[n]) for n in nodes}
        ends = [len(topology.children[n]) == 0 for n in nodes]
        if all(ends):
            histories.append(History(nodes, -1, np.zeros((len(nodes), 0), dtype=np.int64), ()))
            continue
        sets = [topology.infosets[int(topology.infoset[n])] for n in nodes] if CHANCE not in owners else []
        if any(ends) or len(owners) > 1 or len({s.actions for s in sets}) != 1:
            raise _refusal(
                topology, nodes, "after the same moves, the same player must have the same actions in every state"
            )
        if any(not set(s.nodes) <= set(nodes.tolist()) for s in sets):
            raise _refusal(topology, nodes, "every move must be seen by all players who move later")
        (mover,) = owners
        known = np.array([int(topology.infoset[n]) for n in nodes])
        _, mine = np.unique(known, return_inverse=True)
        before = types[mover]
        if (before >= 0).all() and not _same_parts(before, mine):
            raise _refusal(topology, nodes, f"{tree.players[mover]} must know the same about nature wherever it moves")
        types[mover] = mine
        below = np.array([topology.children[n] for n in nodes])  # (W, n)
        slots = np.array([[int(topology.slot[c]) for c in row] for row in below])
        first = len(waiting)
        waiting += list(below.T)
        histories.append(History(nodes, mover, slots, tuple(range(first, first + below.shape[1]))))
    return PublicStages(tree, prior, np.maximum(types, 0), tuple(histories))


def _states(tree: ExtensiveGame) -> tuple[list[int], Array]:
    """Return the nodes that nature's first moves lead to, and their probabilities."""
    topology = tree.topology
    states, chances = [], []
    waiting = [(0, 1.0)]
    while waiting:
        node, chance = waiting.pop()
        if topology.owner[node] == CHANCE and len(topology.children[node]) > 0:
            for below in reversed(topology.children[node]):
                weight = chance * float(tree.chance[int(topology.slot[below]) - topology.action_count])
                if weight > 0:
                    waiting.append((int(below), weight))
        else:
            states.append(node)
            chances.append(chance)
    return states, np.array(chances)


def _same_parts(one: Array, other: Array) -> bool:
    return bool(np.array_equal(one[:, None] == one, other[:, None] == other))


def _refusal(topology: Topology, nodes: Array, why: str) -> GameError:
    return GameError(
        "cursed sequential equilibrium needs nature to move first and all else to be seen by all: "
        f"{why}; see {topology.name(int(nodes[0]))!r}"
    )
