r"""Nash equilibria of large two-player trees by their sequence form, linear in the size of the tree.

Zero sum: with realization plans x and y, :math:`Ex = e`, :math:`Fy = f`, the value is the optimum of

.. math:: \max_{x, v} f^T v \quad \text{s.t.} \quad A^T x \ge F^T v,\; E x = e,\; x \ge 0

whose dual variables are an optimal y [1]_; HiGHS solves it on sparse matrices. General sums: the conditions of
optimality are a linear complementarity problem that Lemke's method solves [2]_; it finds one equilibrium. Most of the
right side of that problem is zero, so that ratios tie and rounding can send the method astray: ties are broken by
small random numbers, and the solution is taken at the basis where the method ends from the numbers themselves. What is
not certified then is tried again from other covering vectors.

References
----------
.. [1] B. von Stengel, "Efficient Computation of Behavior Strategies", Games Econ. Behav. 14 (1996), 220-246.
.. [2] D. Koller, N. Megiddo and B. von Stengel, "Efficient Computation of Equilibria for Extensive Two-Person
   Games", Games Econ. Behav. 14 (1996), 247-259.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

import numpy as np
from scipy.sparse import csr_array

from deterrence.games.behavior import BehaviorProfile
from deterrence.games.equilibrium import Equilibrium, EquilibriumSet
from deterrence.games.errors import GameError, SolverError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.forms.sequence_form import SequenceForm, to_sequence_form
from deterrence.games.quantities import Array, as_exact, as_float
from deterrence.solvers.arguments import require_form
from deterrence.solvers.budget import Budget, OutOfWork, interruptible
from deterrence.solvers.verification.tree import certify

TOLERANCES = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}  # of HiGHS
_NOISE = 1e-12  # probabilities below this in a realization plan are rounding
_SAME = 1e-6  # probabilities that differ by less are one equilibrium
_SIMPLEX = 400  # up to so many sequences the simplex method is faster than interior points
_MOST_DENSE = 3_000  # unknowns of Lemke's tableau, which is dense
_ATTEMPTS = 12  # covering vectors
_PERTURBED = (1e-6, 1e-4, 1e-8, 1e-5)  # sizes of the numbers that break ties, relative to the right side
_MOST_EXACT = 60  # unknowns up to which the last attempt is in rational arithmetic


def sequence_form(
    game: ExtensiveGame,
    *,
    at: Mapping[str, object] | None = None,
    tol: float = 1e-7,
    seed: int | None = 0,
    starts: int = 1,
    limit: int | None = None,
    time_limit: float | None = None,
) -> EquilibriumSet:
    """Find a Nash equilibrium of a two-player tree from its sequence form, or several.

    Parameters
    ----------
    game : ExtensiveGame
        Two players, perfect recall; a single game.
    at : mapping of str to number, optional
        Values of the game's parameters.
    tol : float
        Largest regret that counts as none, as a share of the spread of the payoffs that are compared (see ``verify``);
        HiGHS is asked for 1e-10.
    seed : int or None
        For the numbers that break ties, and for covering vectors, in Lemke's method.
    starts : int
        How many covering vectors to start Lemke's method from, where the sum is not constant; those that end at the
        same equilibrium count once.
    limit : int, optional
        Most pivots of Lemke's method; iterations of the linear program.
    time_limit : float, optional
        Most seconds. What was found by then is returned (at worst nothing), and ``options["unsearched"]`` says so.

    Returns
    -------
    EquilibriumSet
        ``complete`` False; ``options["value"]`` is the first player's payoff where the sum is constant
        (the same in all equilibria). Off the path of a player's own play all actions are equally likely. The
        certificate says whether the equilibrium is subgame perfect and supported by some beliefs
        (``sequentially_rational``; see ``verify``), which a Nash equilibrium need not be.

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
    require_form(game, "sequence_form", "ExtensiveGame")
    numeric = game.at(**(at or {}))
    numeric.require_numbers()
    numeric = numeric.floats()
    form = to_sequence_form(numeric)
    total = numeric.payoffs.sum(axis=1)
    constant = bool(np.ptp(total) <= 1e-9 * numeric.span)
    options: dict[str, object] = {"tol": tol, "constant_sum": constant, "seed": seed}
    budget = Budget("sequence_form", limit=limit, time_limit=time_limit, unit="pivots")
    plans: list[tuple[Array, Array]] = []
    method = "sequence form, linear program" if constant else "sequence form, Lemke"
    try:
        if constant:
            first, second, options["value"] = _linear_program(form, budget)
            plans.append((first, second))
        else:
            _lemke(form, tol, seed, starts, budget, plans)
    except OutOfWork:
        budget.skip(f"equilibria from other starts, or the first ({budget.reason} reached)")
    kind = f"{method.split(', ')[1]} solution"
    found: list[Equilibrium] = []
    for first, second in plans:
        profile = _profile(form, first, second)
        certificate = certify(numeric, [profile], tol)
        if not certificate.equilibrium:
            raise SolverError(
                f"the sequence form gave a profile with a regret of {certificate.max_regret:g} payoff units (span "
                f"{numeric.span:g}); raise tol (now {tol:g}) or rescale the payoffs",
                residual=certificate.max_regret,
            )
        known = (np.abs(profile.actions - e.profile.actions).max() for e in found)  # type: ignore[attr-defined]
        if all(distance > _SAME for distance in known):
            found.append(Equilibrium(game=numeric, concept="nash", kind=kind, profile=profile, certificate=certificate))
    return EquilibriumSet(
        game=numeric,
        concept="nash",
        method=method,
        equilibria=tuple(found),
        complete=False,
        options={**options, **budget.options()},
    )


def _profile(form: SequenceForm, first: Array, second: Array) -> BehaviorProfile:
    return form.behavior(np.where(first > _NOISE, first, 0.0), np.where(second > _NOISE, second, 0.0))


def _linear_program(form: SequenceForm, budget: Budget) -> tuple[Array, Array, float]:
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
        bounds_on_work = {"time_limit": budget.seconds_left(), "maxiter": budget.limit}
        settings = {**TOLERANCES, **{name: value for name, value in bounds_on_work.items() if value is not None}}
        solve = partial(
            linprog,
            cost,
            A_ub=cast("Any", upper),
            b_ub=np.zeros(upper.shape[0]),
            A_eq=cast("Any", equal),
            b_eq=form.totals[0],
            bounds=cast("Any", bounds),
            method=cast("Any", method),
            options=cast("Any", settings),
        )
        solved: Any = interruptible(solve)
        if solved.status == 1:
            budget.stop()
        if solved.status == 0:
            return solved.x[:n], -solved.ineqlin.marginals, float(-solved.fun) * scale
        message = solved.message
    raise SolverError(f"HiGHS did not solve the linear program of {form.game!r}: {message}")


def _lemke(
    form: SequenceForm, tol: float, seed: int | None, starts: int, budget: Budget, found: list[tuple[Array, Array]]
) -> None:
    """Lemke's method on x, y >= 0 and free multipliers p, q split in two, from some covering vectors."""
    game = form.game
    worst = game.payoffs.max(axis=0) + game.span  # every payoff below zero: then the method cannot end on a ray
    shifted = to_sequence_form(ExtensiveGame.of(game.topology, game.chance, (game.payoffs - worst) / game.span))
    (m, n), (k, l) = shifted.payoffs[0].shape, (c.shape[0] for c in form.constraints)
    size = m + n + 2 * k + 2 * l
    if size > _MOST_DENSE:
        raise GameError(
            f"the general-sum sequence form has {size:,} unknowns, more than {_MOST_DENSE:,} for Lemke's tableau; "
            "trace the branch of qre instead"
        )
    a, b = (p.toarray() for p in shifted.payoffs)
    e, f = (c.toarray() for c in form.constraints)
    matrix = np.zeros((size, size))
    x, y = slice(0, m), slice(m, m + n)
    p, p2 = slice(m + n, m + n + k), slice(m + n + k, m + n + 2 * k)
    q, q2 = slice(m + n + 2 * k, m + n + 2 * k + l), slice(m + n + 2 * k + l, size)
    matrix[x, y], matrix[x, p], matrix[x, p2] = -a, e.T, -e.T
    matrix[y, x], matrix[y, q], matrix[y, q2] = -b.T, f.T, -f.T
    matrix[p, x], matrix[p2, x], matrix[q, y], matrix[q2, y] = -e, e, -f, f
    right = np.zeros(size)
    right[p], right[p2], right[q], right[q2] = form.totals[0], -form.totals[0], form.totals[1], -form.totals[1]

    def check(first: Array, second: Array) -> bool:
        return certify(game, [_profile(form, first, second)], tol).equilibrium

    rng = np.random.default_rng(seed)
    z = _solved(matrix, right, rng, lambda z: check(z[x], z[y]), budget)
    found.append((z[x], z[y]))
    for _ in range(starts - 1):
        try:
            cover = rng.exponential(1.0, size) + 0.01
            z = complementary(matrix, right, cover=cover, perturbed=_PERTURBED[0], rng=rng, budget=budget)
        except SolverError:
            continue
        if check(z[x], z[y]):
            found.append((z[x], z[y]))


def _solved(
    matrix: Array, right: Array, rng: np.random.Generator, good: Callable[[Array], bool], budget: Budget
) -> Array:
    """Run Lemke's method from other covering vectors, in rational arithmetic at last if small, until all is well."""
    n = len(right)
    failed = ""
    for attempt in range(_ATTEMPTS):
        cover = np.ones(n) if attempt == 0 else rng.uniform(0.5, 1.5, n)
        try:
            size = _PERTURBED[attempt % len(_PERTURBED)]
            z = complementary(matrix, right, cover=cover, perturbed=size, rng=rng, budget=budget)
        except SolverError as error:
            failed = str(error)
            continue
        if good(z):
            return z
        failed = "its solution has a regret"
    if n <= _MOST_EXACT:
        z = as_float(complementary(*map(as_exact, (matrix, right)), budget=budget))
        if good(z):
            return z
    raise SolverError(
        f"Lemke's method failed from {_ATTEMPTS} covering vectors, the last time for this: {failed}; rescale the "
        "payoffs, or trace the branch of qre"
    )


def complementary(
    matrix: Array,
    right: Array,
    *,
    cover: Array | None = None,
    perturbed: float = 0.0,
    rng: np.random.Generator | None = None,
    budget: Budget | None = None,
) -> Array:
    """Solve w = M z + q, w, z >= 0, w'z = 0 by Lemke's method.

    Parameters
    ----------
    matrix, right : ndarray, shapes (n, n), (n,)
        M and q. Of Fractions for rational arithmetic.
    cover : ndarray, shape (n,), optional
        The column of the artificial variable, positive; ones if left out.
    perturbed : float
        Ratios are compared for q plus random numbers up to this times its size, so that there are no ties; the solution
        is that of q itself at the last basis. At 0 ties are broken lexicographically.
    rng : numpy.random.Generator, optional
        For these random numbers; from seed 0 if left out.
    budget : Budget, optional
        A unit for each pivot.

    Returns
    -------
    ndarray, shape (n,)

    Raises
    ------
    SolverError
        If the method ends on a ray, or does not end.
    OutOfWork
        If the budget has ended.
    """
    n, exact = len(right), right.dtype == object
    if (right >= 0).all():
        return 0 * right
    one = np.array([as_exact(np.ones(1))[0]] * n) if exact else np.ones(n)
    column = one if cover is None else cover
    shaken = right
    if perturbed:
        size = float(np.abs(right).max())
        shaken = right + perturbed * size * (rng or np.random.default_rng(0)).uniform(0.1, 1.0, n)
    # columns: w (n), z (n), z0, right side; a row for each basic variable
    table = np.hstack([np.diag(one), -matrix, -column[:, None], shaken[:, None]])
    basis = np.arange(n)
    entering = 2 * n
    leaving = _last_least(table / column[:, None], n, exact)
    for _ in range(50 * n + 1000):
        if budget is not None:
            budget.require()
        gone = int(basis[leaving])
        table[leaving] = table[leaving] / table[leaving, entering]
        step = table[:, entering].copy()
        step[leaving] = 0 * step[leaving]
        active = np.flatnonzero(np.abs(step) > (0 if exact else 1e-14))
        table[active] = table[active] - step[active, None] * table[leaving]
        basis[leaving] = entering
        if gone == 2 * n:
            return _at_basis(matrix, right, basis, table)
        entering = gone + n if gone < n else gone - n
        rows = np.flatnonzero(table[:, entering] > (0 if exact else 1e-9))
        if not len(rows):
            raise SolverError("Lemke's method ended on a ray: the payoffs are badly scaled; rescale them, or use qre")
        leaving = _lexicographic(table, rows, entering, basis, n, exact)
    raise SolverError(f"Lemke's method did not end within {50 * n + 1000} pivots")


def _at_basis(matrix: Array, right: Array, basis: Array, table: Array) -> Array:
    """Return z at the last basis, from the numbers that were given instead of those that many pivots left."""
    n = len(right)
    z = 0 * right
    mine = basis >= n
    if right.dtype == object:
        z[basis[mine] - n] = table[mine, -1]
        return z
    columns = np.hstack([np.eye(n), -matrix])[:, basis]
    values = np.linalg.lstsq(columns, right, rcond=None)[0]
    z[basis[mine] - n] = np.maximum(values[mine], 0.0)
    return z


def _last_least(table: Array, n: int, exact: bool) -> int:
    """Return the row whose right side, perturbed lexicographically, is least."""
    slack = 0 if exact else 1e-15
    rows = np.flatnonzero(table[:, -1] <= table[:, -1].min() + slack)
    for j in range(n):
        if len(rows) == 1:
            break
        values = table[rows, j]
        rows = rows[values <= values.min() + slack]
    return int(rows[0])


def _lexicographic(table: Array, rows: Array, entering: int, basis: Array, n: int, exact: bool) -> int:
    """Return the row of least ratio; ties go by the columns of w, the artificial variable leaving first."""
    slack = 0 if exact else 1e-12
    ratio = table[rows, -1] / table[rows, entering]
    rows = rows[ratio <= ratio.min() + slack]
    artificial = rows[basis[rows] == 2 * n]
    if len(artificial):
        return int(artificial[0])
    for j in range(n):
        if len(rows) == 1:
            break
        ratio = table[rows, j] / table[rows, entering]
        rows = rows[ratio <= ratio.min() + slack]
    return int(rows[0])
