r"""Nash equilibria of large two-player trees by their sequence form, linear in the size of the tree.

Zero sum: with realization plans x and y, :math:`Ex = e`, :math:`Fy = f`, the value is the optimum of

.. math:: \max_{x, v} f^T v \quad \text{s.t.} \quad A^T x \ge F^T v,\; E x = e,\; x \ge 0

whose dual variables are an optimal y [1]_; HiGHS solves it on sparse matrices. General sums: the conditions of
optimality are a linear complementarity problem that Lemke's method solves [2]_; it finds one equilibrium.

References
----------
.. [1] B. von Stengel, "Efficient Computation of Behavior Strategies", Games Econ. Behav. 14 (1996), 220-246.
.. [2] D. Koller, N. Megiddo and B. von Stengel, "Efficient Computation of Equilibria for Extensive Two-Person
   Games", Games Econ. Behav. 14 (1996), 247-259.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from scipy.sparse import csr_array

from deterrence.games.behavior import BehaviorProfile
from deterrence.games.equilibrium import Certificate, Equilibrium, EquilibriumSet
from deterrence.games.errors import GameError, SolverError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.forms.sequence_form import SequenceForm, to_sequence_form
from deterrence.games.forms.subgames import subgame_roots
from deterrence.games.play import best_response_values, expected_payoffs, node_values, reach
from deterrence.games.quantities import SUM_TOLERANCE, Array
from deterrence.games.topology import Topology
from deterrence.solvers.verification.tree import certify

_NOISE = 1e-12  # probabilities below this in a realization plan are rounding
_FULLY_CHECKED = 3_000  # nodes up to which subgames and off-path beliefs are examined, too
_SIMPLEX = 400  # up to so many sequences the simplex method is faster than interior points
_SELDOM = 1e-200  # information sets reached less often count as off the path
_MOST_DENSE = 3_000  # unknowns of Lemke's tableau, which is dense


def sequence_form(game: ExtensiveGame, *, at: Mapping[str, object] | None = None, tol: float = 1e-7) -> EquilibriumSet:
    """Find one Nash equilibrium of a two-player tree from its sequence form.

    Parameters
    ----------
    game : ExtensiveGame
        Two players, perfect recall; a single game.
    at : mapping of str to number, optional
        Values of the game's parameters.
    tol : float
        Largest regret that counts as none, relative to the payoff span; HiGHS works to 1e-7.

    Returns
    -------
    EquilibriumSet
        One equilibrium, ``complete`` False; ``options["value"]`` is the first player's payoff where the sum is constant
        (the same in all equilibria). Off the path of a player's own play all actions are equally likely. In trees
        of more than 3,000 nodes the certificate does not go into subgames, and ``sequentially_rational`` is False.

    Raises
    ------
    GameError
        If the game has not two players, is a batch, or lacks perfect recall.
    SolverError
        If the linear program or Lemke's method fails, or the result has a regret.

    Examples
    --------
    >>> import deterrence as dt
    >>> game = dt.ExtensiveGame(("A", "D"), dt.move("A", {
    ...     "left": dt.move("D", {"left": dt.end(A=1, D=-1), "right": dt.end(A=0, D=0)}, infoset="guards"),
    ...     "right": dt.move("D", {"left": dt.end(A=0, D=0), "right": dt.end(A=2, D=-2)}, infoset="guards")}))
    >>> round(sequence_form(game).options["value"], 6)
    0.666667
    """
    numeric = game.at(**(at or {}))
    numeric.require_numbers()
    numeric = numeric.floats()
    form = to_sequence_form(numeric)
    total = numeric.payoffs.sum(axis=1)
    constant = bool(np.ptp(total) <= 1e-9 * numeric.span)
    options: dict[str, object] = {"tol": tol, "constant_sum": constant}
    if constant:
        first, second, options["value"] = _linear_program(form)
        method = "sequence form, linear program"
    else:
        first, second = _lemke(form)
        method = "sequence form, Lemke"
    profile = form.behavior(np.where(first > _NOISE, first, 0.0), np.where(second > _NOISE, second, 0.0))
    certificate = _certificate(numeric, profile, tol)
    kind = f"{method.split(', ')[1]} solution"
    found = Equilibrium(game=numeric, concept="nash", kind=kind, profile=profile, certificate=certificate)
    return EquilibriumSet(
        game=numeric, concept="nash", method=method, equilibria=(found,), complete=False, options=options
    )


def _certificate(game: ExtensiveGame, profile: BehaviorProfile, tol: float) -> Certificate:
    regret = float((best_response_values(game, profile.actions) - expected_payoffs(game, profile.actions)).max())
    if game.topology.size > _FULLY_CHECKED:
        certificate = Certificate(regret, 0.0, False, False)
    elif len(subgame_roots(game)) > 1:
        certificate = certify(game, [profile], tol)
    else:
        certificate = Certificate(regret, 0.0, _supported(game, profile.actions, tol), False)
    if certificate.max_regret > tol * game.span:
        raise SolverError(
            f"the sequence form gave a profile with a regret of {certificate.max_regret:g} payoff units (span "
            f"{game.span:g}); raise tol (now {tol:g}) or rescale the payoffs",
            residual=certificate.max_regret,
        )
    return certificate


def _supported(game: ExtensiveGame, actions: Array, tol: float) -> bool:
    """Whether at each information set some belief makes the play optimal.

    With w the weights of nodes (beliefs, or Bayes' rule on the path) and g[x, a] the gain of action a at node x over
    the play, it finds for each set h the least t_h with sum_x w_x g[x, a] <= t_h for all actions a of h.
    """
    topology = game.topology
    sets = topology.slot_infoset
    values, weights = node_values(game, actions), reach(game, actions)
    below = np.flatnonzero((topology.slot >= 0) & (topology.slot < topology.action_count))
    above, slot = topology.parent[below], topology.slot[below]
    owner = topology.owner[above]
    spans = np.maximum(np.ptp(game.payoffs, axis=0), np.finfo(float).tiny)
    gains = (values[below, owner] - values[above, owner]) / spans[owner]
    inside = topology.infoset >= 0
    total = np.bincount(topology.infoset[inside], weights=weights[inside], minlength=len(topology.infosets))
    led = (total > _SELDOM)[sets[slot]]
    bound = max(tol, SUM_TOLERANCE)
    bayes = weights[above[led]] / total[topology.infoset[above[led]]]
    mean = np.bincount(slot[led], weights=bayes * gains[led], minlength=topology.action_count)
    if (mean > bound).any():
        return False
    least = np.full(topology.action_count, -np.inf)
    least[slot[~led]] = np.inf
    np.minimum.at(least, slot[~led], gains[~led])
    if (least > bound).any():
        return False
    # play gains nothing on average at each node, so two actions are settled: each has a node where it is no gain
    width = np.array([len(s.actions) for s in topology.infosets])
    off = np.flatnonzero((total <= _SELDOM) & (width > 2))
    open_ = ~led & (width[sets[slot]] > 2)
    return not len(off) or bool((_least_gains(topology, off, above[open_], slot[open_], gains[open_]) <= bound).all())


def _least_gains(topology: Topology, off: Array, above: Array, slot: Array, gains: Array) -> Array:
    """Return t_h of some information sets; the gain of each of their actions is given by node, action and gain."""
    from scipy.optimize import linprog

    nodes, node = np.unique(above, return_inverse=True)
    slots, row = np.unique(slot, return_inverse=True)
    home, mine = (np.searchsorted(off, h) for h in (topology.infoset[nodes], topology.slot_infoset[slots]))
    n, m, k = len(nodes), len(slots), len(off)
    rows, columns = np.r_[row, np.arange(m)], np.r_[node, n + mine]
    upper = csr_array((np.r_[gains, np.full(m, -1.0)], (rows, columns)), shape=(m, n + k))
    equal = csr_array((np.ones(n), (home, np.arange(n))), shape=(k, n + k))
    solved: Any = linprog(
        np.r_[np.zeros(n), np.ones(k)],
        A_ub=cast("Any", upper),
        b_ub=np.zeros(m),
        A_eq=cast("Any", equal),
        b_eq=np.ones(k),
        bounds=cast("Any", np.column_stack([np.r_[np.zeros(n), np.full(k, -np.inf)], np.full(n + k, np.inf)])),
        method="highs-ds",
    )
    if solved.status != 0:
        raise SolverError(f"HiGHS did not find beliefs off the path: {solved.message}")
    least: Array = solved.x[n:]
    return least


def _linear_program(form: SequenceForm) -> tuple[Array, Array, float]:
    from scipy.optimize import linprog

    payoffs, (e, f) = form.payoffs[0], form.constraints
    scale = max(float(np.abs(payoffs.data).max(initial=0.0)), np.finfo(float).tiny)
    n, rows = payoffs.shape[0], f.shape[0]
    a, b = payoffs.tocoo(), f.tocoo()
    entries = np.r_[a.data / -scale, b.data], (np.r_[a.col, b.col], np.r_[a.row, n + b.row])
    upper = csr_array(entries, shape=(payoffs.shape[1], n + rows))
    equal = csr_array((e.data, e.indices, e.indptr), shape=(e.shape[0], n + rows))
    cost = np.concatenate([np.zeros(n), -form.totals[1]])
    bounds = np.column_stack([np.r_[np.zeros(n), np.full(rows, -np.inf)], np.full(n + rows, np.inf)])
    methods = ("highs-ipm", "highs-ds") if n > _SIMPLEX else ("highs-ds", "highs-ipm")
    message = ""
    for method in methods:  # the other one, should the first give up
        solved: Any = linprog(
            cost,
            A_ub=cast("Any", upper),
            b_ub=np.zeros(upper.shape[0]),
            A_eq=cast("Any", equal),
            b_eq=form.totals[0],
            bounds=cast("Any", bounds),
            method=cast("Any", method),
        )
        if solved.status == 0:
            return solved.x[:n], -solved.ineqlin.marginals, float(-solved.fun) * scale
        message = solved.message
    raise SolverError(f"HiGHS did not solve the linear program of {form.game!r}: {message}")


def _lemke(form: SequenceForm) -> tuple[Array, Array]:
    """Lemke's method on x, y >= 0 and free multipliers p, q split in two."""
    game = form.game
    worst = game.payoffs.max(axis=0) + game.span  # every payoff below zero: then the method cannot end on a ray
    shifted = to_sequence_form(ExtensiveGame.of(game.topology, game.chance, (game.payoffs - worst) / game.span))
    a, b = (p.toarray() for p in shifted.payoffs)
    e, f = (c.toarray() for c in form.constraints)
    m, n, k, l = a.shape[0], a.shape[1], e.shape[0], f.shape[0]
    size = m + n + 2 * k + 2 * l
    if size > _MOST_DENSE:
        raise GameError(
            f"the general-sum sequence form has {size} unknowns, more than {_MOST_DENSE} for Lemke's tableau; trace "
            "the branch of qre instead"
        )
    matrix = np.zeros((size, size))
    x, y = slice(0, m), slice(m, m + n)
    p, p2 = slice(m + n, m + n + k), slice(m + n + k, m + n + 2 * k)
    q, q2 = slice(m + n + 2 * k, m + n + 2 * k + l), slice(m + n + 2 * k + l, size)
    matrix[x, y], matrix[x, p], matrix[x, p2] = -a, e.T, -e.T
    matrix[y, x], matrix[y, q], matrix[y, q2] = -b.T, f.T, -f.T
    matrix[p, x], matrix[p2, x], matrix[q, y], matrix[q2, y] = -e, e, -f, f
    right = np.zeros(size)
    right[p], right[p2], right[q], right[q2] = form.totals[0], -form.totals[0], form.totals[1], -form.totals[1]
    z = complementary(matrix, right)
    return z[x], z[y]


def complementary(matrix: Array, right: Array) -> Array:
    """Solve w = M z + q, w, z >= 0, w'z = 0 by Lemke's method with lexicographic ratios.

    Raises
    ------
    SolverError
        If the method ends on a ray.
    """
    n = len(right)
    if (right >= 0).all():
        return np.zeros(n)
    # columns: w (n), z (n), z0, right side; a row for each basic variable
    table = np.hstack([np.eye(n), -matrix, -np.ones((n, 1)), right[:, None]])
    basis = np.arange(n)
    entering = 2 * n
    leaving = _last_least(table, n)
    for _ in range(50 * n + 1000):
        gone = int(basis[leaving])
        table[leaving] /= table[leaving, entering]
        column = table[:, entering].copy()
        column[leaving] = 0.0
        active = np.flatnonzero(np.abs(column) > 1e-14)
        table[active] -= column[active, None] * table[leaving]
        basis[leaving] = entering
        if gone == 2 * n:
            z = np.zeros(n)
            mine = basis >= n
            z[basis[mine] - n] = np.maximum(table[mine, -1], 0.0)
            return z
        entering = gone + n if gone < n else gone - n
        rows = np.flatnonzero(table[:, entering] > 1e-11)
        if not len(rows):
            raise SolverError("Lemke's method ended on a ray: the payoffs are badly scaled; rescale them, or use qre")
        leaving = _lexicographic(table, rows, entering, basis, n)
    raise SolverError(f"Lemke's method did not end within {50 * n + 1000} pivots")


def _last_least(table: Array, n: int) -> int:
    """Return the row whose right side, perturbed lexicographically, is least."""
    rows = np.flatnonzero(table[:, -1] <= table[:, -1].min() + 1e-15)
    for j in range(n):
        if len(rows) == 1:
            break
        values = table[rows, j]
        rows = rows[values <= values.min() + 1e-15]
    return int(rows[0])


def _lexicographic(table: Array, rows: Array, entering: int, basis: Array, n: int) -> int:
    """Return the row of least ratio; ties go by the columns of w, the artificial variable leaving first."""
    ratio = table[rows, -1] / table[rows, entering]
    rows = rows[ratio <= ratio.min() + 1e-12]
    artificial = rows[basis[rows] == 2 * n]
    if len(artificial):
        return int(artificial[0])
    for j in range(n):
        if len(rows) == 1:
            break
        ratio = table[rows, j] / table[rows, entering]
        rows = rows[ratio <= ratio.min() + 1e-12]
    return int(rows[0])
