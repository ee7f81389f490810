r"""Self-confirming equilibria in mixed strategies, for two players: a linear program for each pattern of supports.

Let x and y be the players' realization plans, and :math:`\hat y`, :math:`\hat x` what each conjectures of the other.
Given which actions are played at all, so that it is known which information sets play reaches, everything is linear:
conjectures agree with the plans on all sequences through an information set that is reached, and x is a best reply to
:math:`\hat y` iff there are values v, one for each of the player's information sets, with

.. math:: E^\top v \ge A \hat y, \text{ with equality at every sequence that x uses}

(linear programming duality on the sequence form), and likewise for the other. Off the path one action is enough. So
a pattern has self-confirming equilibria iff its program has a solution in which all its sequences are used, and with
every pattern looked at none is missed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from deterrence.games.errors import GameError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.forms.sequence_form import SequenceForm, to_sequence_form
from deterrence.games.play import best_response_values, expected_payoffs, reach
from deterrence.games.quantities import Array

Pattern = tuple[tuple[int, ...], ...]  # by information set: the actions that are played there

_LEAST = 1e-7  # probability that every sequence of a pattern must be able to have


@dataclass(frozen=True, eq=False)
class Confirmed:
    """A self-confirming profile: behaviours of all, shape (A,), and each player's conjecture of the other, (A,)."""

    actions: Array
    conjectures: tuple[Array, Array]


def mixed_profiles(tree: ExtensiveGame, tol: float, limit: int) -> Iterator[Confirmed]:
    """Yield a self-confirming profile for each pattern of supports that has one, each certified.

    Raises
    ------
    GameError
        If the game has other than two players, or more than ``limit`` patterns.
    """
    form = to_sequence_form(tree)
    count = float(np.prod([2.0 ** len(s.actions) - 1 for s in tree.infosets]))
    if count > limit:
        raise GameError(f"the game has {count:,.0f} patterns of supports, more than limit={limit:,}; raise it, or pure")
    options = [
        [pick for n in range(1, len(s.actions) + 1) for pick in itertools.combinations(range(len(s.actions)), n)]
        for s in tree.infosets
    ]
    for pattern in itertools.product(*options):
        played = _spread(tree, pattern)
        seen = reach(tree, played)
        reached = np.array([any(seen[n] > 0 for n in s.nodes) for s in tree.infosets])
        if any(len(pick) > 1 and not there for pick, there in zip(pattern, reached, strict=True)):
            continue  # off the path one action is enough
        found = _solved(tree, form, pattern, reached)
        if found is not None and _certified(tree, found, reached, tol):
            yield found


def least_gains(tree: ExtensiveGame, found: Confirmed) -> Array:
    """Return what each player thinks that its best deviation would gain, shape (2,)."""
    gains = []
    for i in (0, 1):
        behavior = _against(tree, found, i)
        gains.append(float(best_response_values(tree, behavior)[i]) - float(expected_payoffs(tree, behavior)[i]))
    return np.array(gains)


def _certified(tree: ExtensiveGame, found: Confirmed, reached: Array, tol: float) -> bool:
    """Check a profile from the definition, on the tree."""
    spans = np.maximum(np.ptp(tree.payoffs, axis=0), np.finfo(float).tiny)
    if (least_gains(tree, found) > max(tol, 1e-8) * spans).any():
        return False
    return all(
        np.allclose(found.conjectures[i][s.slots], found.actions[s.slots], atol=1e-7)
        for s, there in zip(tree.infosets, reached, strict=True)
        if there
        for i in (0, 1)
        if s.player != i
    )


def _against(tree: ExtensiveGame, found: Confirmed, player: int) -> Array:
    """Return the behaviour that a player foresees: its own, and its conjecture of the other."""
    behavior = found.conjectures[player].copy()
    for s in tree.infosets:
        if s.player == player:
            behavior[s.slots] = found.actions[s.slots]
    return behavior


def _spread(tree: ExtensiveGame, pattern: Pattern) -> Array:
    actions = np.zeros(tree.topology.action_count)
    for s, pick in zip(tree.infosets, pattern, strict=True):
        actions[[s.first + a for a in pick]] = 1 / len(pick)
    return actions


def _solved(tree: ExtensiveGame, form: SequenceForm, pattern: Pattern, reached: Array) -> Confirmed | None:
    """Solve the program of one pattern for the profile whose rarest sequence is most likely."""
    uses = form.plans(_spread(tree, pattern))
    sizes = [len(s) for s in form.sequences]
    rows = [c.shape[0] for c in form.constraints]
    # variables: x, y, what is conjectured of x, and of y, values of both players, and the least probability t
    starts = np.cumsum([0, *sizes, *sizes, *rows])
    plan, guess, values = starts[0:2], starts[2:4], starts[4:6]
    width = int(starts[-1]) + 1
    equal: list[tuple[Array, Array]] = []
    at_most: list[Array] = []
    upper = np.full(width, np.inf)
    lower = np.concatenate([np.zeros(starts[4]), np.full(rows[0] + rows[1], -np.inf), [0.0]])
    upper[-1] = 1.0
    sets = tree.topology.slot_infoset
    for i in (0, 1):
        j, n = 1 - i, sizes[i]
        totals = form.constraints[i].toarray()
        equal += [(_block(width, start, totals), form.totals[i]) for start in (int(plan[i]), int(guess[i]))]
        used = uses[i] > 0
        upper[plan[i] : plan[i] + n][~used] = 0.0
        least = np.zeros((int(used.sum()), width))
        least[np.arange(len(least)), plan[i] + np.flatnonzero(used)] = -1.0
        least[:, -1] = 1.0
        at_most.append(least)
        right = np.flatnonzero(reached[sets[form.sequences[i][1:]]]) + 1  # where the other sees what i does
        same = np.zeros((len(right), width))
        same[np.arange(len(right)), plan[i] + right], same[np.arange(len(right)), guess[i] + right] = 1.0, -1.0
        equal.append((same, np.zeros(len(right))))
        payoffs = _payoffs(form.payoffs[i], i)
        slack = _block(width, int(values[i]), totals.T) + _block(
            width, int(guess[j]), -payoffs
        )  # E' v - A y, by sequence
        equal.append((slack[used], np.zeros(int(used.sum()))))
        at_most.append(-slack[~used])
    objective = np.zeros(width)
    objective[-1] = -1.0
    solved = linprog(
        objective,
        A_ub=np.vstack(at_most),
        b_ub=np.zeros(sum(len(a) for a in at_most)),
        A_eq=np.vstack([a for a, _ in equal]),
        b_eq=np.concatenate([b for _, b in equal]),
        bounds=list(zip(lower.tolist(), upper.tolist(), strict=True)),
    )
    if not solved.success or solved.x is None or solved.x[-1] <= _LEAST:
        return None
    parts = [np.maximum(solved.x[a:b], 0.0) for a, b in itertools.pairwise(starts[:5])]
    actions = _filled(tree, pattern, form, form.behavior(parts[0], parts[1]).actions, uses)
    guesses = form.behavior(parts[2], parts[3]).actions
    conjectures = [guesses.copy(), guesses.copy()]
    for s, there in zip(tree.infosets, reached, strict=True):
        if there:  # equal up to rounding; then let it be equal
            conjectures[1 - s.player][s.slots] = actions[s.slots]
    return Confirmed(actions, (conjectures[0], conjectures[1]))


def _block(width: int, start: int, table: Array) -> Array:
    wide = np.zeros((len(table), width))
    wide[:, start : start + table.shape[1]] = table
    return wide


def _payoffs(table: csr_array, player: int) -> Array:
    dense = np.asarray(table.toarray())
    return dense if player == 0 else dense.T


def _filled(tree: ExtensiveGame, pattern: Pattern, form: SequenceForm, actions: Array, uses: Sequence[Array]) -> Array:
    """Return behaviours with the pattern's actions where a player's own plan does not lead."""
    led = np.zeros(len(tree.infosets), dtype=bool)
    for sequences, plan in zip(form.sequences, uses, strict=True):
        led[tree.topology.slot_infoset[sequences[1:][plan[1:] > 0]]] = True
    filled, spread = actions.copy(), _spread(tree, pattern)
    for s, there in zip(tree.infosets, led, strict=True):
        if not there:
            filled[s.slots] = spread[s.slots]
        else:
            filled[s.slots] = np.where(spread[s.slots] > 0, filled[s.slots], 0.0)
            filled[s.slots] /= filled[s.slots].sum()
    return filled
