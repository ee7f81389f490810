"""Participation games in which all members that matter are one bloc of identical ones: every root in one dimension.

A member without stake does the same whatever the others do, and one whose strength comes too late or is nil
sways nobody. If all the rest are identical, an equilibrium in which they do the same is a root of p - e
F(c*(p)) on [0, e]. Cells of [0, e] are ruled out by bounds on c* (``solving.bounds``), or shown to hold
one root at most by bounds on the slope, or halved. Where the cost has atoms, the roots are the levels of F
that support themselves and the p at which c* meets an atom: there members of that cost mix, as in the
volunteer's dilemma.

Where contributions may be substitutes, identical members need not do the same: one comes because the other stays away.
Two of them are still one dimension. With T(p) = e F(c*(p)) the reply to a partner who comes with probability p, every
equilibrium is (p, T(p)) with p a root of p - T(T(p)), and all of these are isolated. Of three and more such members the
equilibria in which they differ are sought (``differing_starts``), not proven to be all.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.participation import ParticipationStage
from deterrence.alliances.solving.bounds import GainBounds, differing_counts, inflection, second_differences
from deterrence.alliances.solving.bounds import bloc as find_bloc
from deterrence.alliances.solving.expected_defence import ExpectedDefence, gain_slopes

Floats = NDArray[np.float64]
Bounds = Callable[[Floats, Floats], tuple[Floats, Floats]]

CELLS, HALVINGS = 64, 36
_GRID = 257  # probabilities of members who mix at which roots are looked for
_APART = 1e-7  # probabilities of identical members that differ by less are the same


@dataclass(frozen=True, eq=False)
class BlocEquilibria:
    """What one-dimensional isolation found.

    Attributes
    ----------
    cutpoints, probabilities : ndarray, shape (E, N)
    complete : bool
        Whether every equilibrium is here.
    proof : str
        In words; empty if nothing is shown.
    """

    cutpoints: Floats
    probabilities: Floats
    complete: bool
    proof: str


def bloc_equilibria(stage: ParticipationStage, defence: ExpectedDefence, tol: float = 1e-12) -> BlocEquilibria:
    """Find all equilibria of a stage without batch dimensions, if the members that matter form one bloc."""
    n = len(stage.names)
    nothing = BlocEquilibria(np.empty((0, n)), np.empty((0, n)), False, "")
    bloc = find_bloc(stage)
    if bloc is None:
        return nothing
    if not len(bloc) or (len(bloc) == 1 and stage.costs.distributions[bloc[0]].continuous):
        q = _at(stage, bloc, np.zeros(1))  # right for those who do not depend on others
        cut = stage.stakes * defence.gains(q) + stage.penalties
        q = stage.position * stage.costs.cdf(cut)  # and now for the one who depends on them
        cut = (
            stage.stakes * defence.gains(q) + stage.penalties
        )  # and for those without strength, who depend on that one
        q = stage.position * stage.costs.cdf(cut)
        return BlocEquilibria(cut, q, True, "no member's choice depends on a choice that could differ")
    problem = _OneDimension(stage, defence, bloc)
    roots, proven = problem.roots(tol)
    q = _at(stage, bloc, roots)
    alike = problem.alike()
    said = f"all roots of one bloc of {len(bloc)} identical members are isolated"
    if not alike and len(bloc) == 2 and problem.cost.continuous:
        first, sure = isolate_roots(problem.twice, problem.twice_bounds, problem.twice_slopes, 0.0, problem.e, tol)
        pairs = np.stack([first, problem.reply(first)], axis=-1)
        apart = pairs[np.abs(pairs[:, 0] - pairs[:, 1]) > _APART]
        unequal = _at(stage, bloc, np.zeros(len(apart)))
        unequal[:, bloc] = apart
        q, proven, alike = np.concatenate([q, unequal]), proven and sure, True
        said = "all equilibria of a bloc of 2 identical members are isolated, those in which they differ among them"
    cut = stage.stakes * defence.gains(q) + stage.penalties
    inert = np.setdiff1d(np.arange(n), bloc)
    q[:, inert] = (stage.position * stage.costs.cdf(cut))[:, inert]
    complete = proven and alike
    return BlocEquilibria(cut, q, complete, said if complete else "")


def differing_starts(stage: ParticipationStage) -> Floats:
    """Return starts from which members of a bloc may come to differ, shape (S, N): see ``bounds.differing_counts``.

    None if the members that matter form no bloc of two at least.
    """
    bloc = find_bloc(stage)
    if bloc is None or len(bloc) < 2:
        return np.empty((0, len(stage.names)))
    counts = differing_counts(len(bloc))
    rows = _at(stage, bloc, np.zeros(len(counts)))
    for row, (come, mix) in zip(rows, counts, strict=True):
        row[bloc[:come]] = stage.position[bloc[:come]]
        row[bloc[come : come + mix]] = 0.5 * stage.position[bloc[come : come + mix]]
    return rows


def mixing_starts(stage: ParticipationStage, defence: ExpectedDefence) -> Floats:
    """Return profiles in which some of a bloc come, some stay, and the rest are content to mix alike, shape (S, N).

    The probability of those who mix is a root of p - e F(c*(p)), found on a grid; whether the others are content is
    left to whoever asks. None in blocs of more than eight.
    """
    bloc = find_bloc(stage)
    if bloc is None:
        return np.empty((0, len(stage.names)))
    e = float(stage.position[bloc[0]])
    grid = np.linspace(0.0, e, _GRID)
    found = [np.empty((0, len(stage.names)))]
    for come, mix in differing_counts(len(bloc)):
        if not mix:
            continue
        mixer = bloc[come]

        def profiles(p: Floats, come: int = come, mix: int = mix) -> Floats:
            rows = _at(stage, bloc, np.zeros(len(p)))
            rows[:, bloc[:come]] = e
            rows[:, bloc[come : come + mix]] = p[:, None]
            return rows

        def rest(p: Floats, profiles: Callable[[Floats], Floats] = profiles, mixer: int = mixer) -> Floats:
            cut = stage.stakes * defence.gains(profiles(p)) + stage.penalties
            return np.asarray(p - (stage.position * stage.costs.cdf(cut))[:, mixer])

        values = rest(grid)
        change = np.flatnonzero(values[:-1] * values[1:] < 0)
        if len(change):
            roots = _bisected(rest, grid[change], grid[change + 1], values[change], values[change + 1])
            found.append(profiles(roots))
    return np.concatenate(found)


def add_exchanges(stage: ParticipationStage, points: Floats, most: int = 12) -> Floats:
    """Return points with those that exchange members of a bloc added, for as long as a point has few of them.

    Parameters
    ----------
    stage : ParticipationStage
    points : ndarray, shape (E, N)
    most : int
        Exchanges up to which they are all added; a point with more of them stands alone for them.
    """
    bloc = find_bloc(stage)
    if bloc is None or len(bloc) < 2:
        return points
    rows = list(points)
    for point in points:
        values = np.round(point[bloc], 9)
        _, counts = np.unique(values, return_counts=True)
        ways = math.factorial(len(bloc)) // math.prod(math.factorial(int(count)) for count in counts)
        if not 1 < ways <= most:
            continue
        for arranged in _arrangements(point[bloc], values):
            row = point.copy()
            row[bloc] = arranged
            rows.append(row)
    return np.array(rows).reshape(-1, len(stage.names))


def _arrangements(values: Floats, kinds: Floats) -> list[Floats]:
    """Return all distinct orders of values, those of one kind being the same."""
    if len(values) == 1:
        return [values]
    found: list[Floats] = []
    for kind in np.unique(kinds):
        i = int(np.argmax(kinds == kind))
        rest = _arrangements(np.delete(values, i), np.delete(kinds, i))
        found += [np.concatenate([values[i : i + 1], one]) for one in rest]
    return found


def _at(stage: ParticipationStage, bloc: list[int], p: Floats) -> Floats:
    """Return everyone's probabilities if each in the bloc comes with probability p, shape (len(p), N)."""
    alone = stage.position * stage.costs.cdf(
        stage.penalties
    )  # right for those without stake; those without strength sway nobody
    q = np.repeat(alone[None, :], len(p), axis=0)
    q[:, bloc] = np.asarray(p)[:, None]
    return q


class _OneDimension:
    def __init__(self, stage: ParticipationStage, defence: ExpectedDefence, bloc: list[int]) -> None:
        self.stage, self.defence, self.bloc = stage, defence, bloc
        first = bloc[0]
        self.first = first
        self.e = float(stage.position[first])
        self.stake, self.penalty = float(stage.stakes[first]), float(stage.penalties[first])
        self.cost = stage.costs.distributions[first]
        self.parts = GainBounds(stage, resolution=4096)
        n = len(bloc)
        pair = float(second_differences(stage)[first, bloc[-1]]) if n > 1 else 0.0
        self.pair = pair
        self.bend = (n - 1) * (n - 2) * 2 * pair  # bound on |g''|: third differences are at most twice the second ones

    def alike(self) -> bool:
        """Whether identical members must do the same in every equilibrium."""
        low, high = self.cut_bounds(np.zeros(1), np.array([self.e]))
        steepest = float(self.cost.density_bound(low, high)[0])
        if self.pair == 0 or self.e * steepest * self.stake * self.pair < 1:
            return True
        return bool(self.stage.base + self.stage.weights.sum() <= inflection(self.stage))  # complements everywhere

    def reply(self, p: Floats) -> Floats:
        """Return T(p), with what probability a member comes if each of the others does with p."""
        return np.asarray(self.e * self.cost.cdf(self.cut(p)))

    def reply_bounds(self, a: Floats, b: Floats) -> tuple[Floats, Floats]:
        below, above = self.cut_bounds(a, b)
        return np.asarray(self.e * self.cost.cdf(below)), np.asarray(self.e * self.cost.cdf(above))

    def reply_slopes(self, a: Floats, b: Floats) -> tuple[Floats, Floats]:
        low, high = self.slope_bounds(a, b)
        return 1 - high, 1 - low

    def twice(self, p: Floats) -> Floats:
        """Return p - T(T(p)), for two members."""
        return np.asarray(p - self.reply(self.reply(p)))

    def twice_bounds(self, a: Floats, b: Floats) -> tuple[Floats, Floats]:
        low, high = self.reply_bounds(*self.reply_bounds(a, b))
        return a - high, b - low

    def twice_slopes(self, a: Floats, b: Floats) -> tuple[Floats, Floats]:
        inner, outer = self.reply_slopes(a, b), self.reply_slopes(*self.reply_bounds(a, b))
        with np.errstate(invalid="ignore"):
            products = np.stack([x * y for x in inner for y in outer])
        products = np.where(np.isnan(products), 0.0, products)
        return 1 - products.max(axis=0), 1 - products.min(axis=0)

    def roots(self, tol: float) -> tuple[Floats, bool]:
        if self.cost.continuous:
            found, proven = isolate_roots(self.rest, self.rest_bounds, self.slope_bounds, 0.0, self.e, tol)
            return found, proven
        return self._roots_with_atoms(tol)

    def cut(self, p: Floats) -> Floats:
        q = _at(self.stage, self.bloc, p)
        return np.asarray(self.stake * self.defence.gains(q)[:, self.first] + self.penalty)

    def cut_bounds(self, a: Floats, b: Floats) -> tuple[Floats, Floats]:
        low, high = (_at(self.stage, self.bloc, p) for p in (a, b))
        below, above = self.parts.cutpoints(low, high)
        return below[:, self.first], above[:, self.first]

    def gain_slope_bounds(self, a: Floats, b: Floats) -> tuple[Floats, Floats]:
        middle = 0.5 * (a + b)
        slopes = gain_slopes(self.defence, _at(self.stage, self.bloc, middle), self.first)[:, self.bloc].sum(axis=-1)
        slack = 0.5 * (b - a) * self.bend + 8 * len(self.bloc) * float(np.max(self.defence.error)) + 1e-13
        return slopes - slack, slopes + slack

    def rest(self, p: Floats) -> Floats:
        return np.asarray(p - self.e * self.cost.cdf(self.cut(p)))

    def rest_bounds(self, a: Floats, b: Floats) -> tuple[Floats, Floats]:
        below, above = self.cut_bounds(a, b)
        return a - self.e * self.cost.cdf(above), b - self.e * self.cost.cdf(below)

    def slope_bounds(self, a: Floats, b: Floats) -> tuple[Floats, Floats]:
        below, above = self.cut_bounds(a, b)
        least, most = self.cost.density_floor(below, above), self.cost.density_bound(below, above)
        low, high = self.gain_slope_bounds(a, b)
        with np.errstate(invalid="ignore"):
            products = np.stack([f * g for f in (least, most) for g in (low, high)])
        products = np.where(np.isnan(products), 0.0, products)
        return 1 - self.e * self.stake * products.max(axis=0), 1 - self.e * self.stake * products.min(axis=0)

    def _roots_with_atoms(self, tol: float) -> tuple[Floats, bool]:
        if self.cost.family == "degenerate":
            atoms, levels = [float(self.cost.location)], [0.0, 1.0]
        else:
            low = float(self.cost.location)
            atoms, levels = [low, low + float(self.cost.scale)], [0.0, float(self.cost.shape["probability"]), 1.0]
        found: list[float] = []
        proven = True
        for p in (self.e * level for level in dict.fromkeys(levels)):
            cut = float(self.cut(np.array([p]))[0])
            slack = 1e-12 * (1 + abs(cut))
            below, above = (self.e * float(self.cost.cdf(cut + s)) for s in (-slack, slack))
            if below - tol <= p <= above + tol:
                found.append(p)
        for atom, lower, upper in zip(atoms, levels[:-1], levels[1:], strict=True):

            def gap(p: Floats, atom: float = atom) -> Floats:
                return self.cut(p) - atom

            def gap_bounds(a: Floats, b: Floats, atom: float = atom) -> tuple[Floats, Floats]:
                below, above = self.cut_bounds(a, b)
                return below - atom, above - atom

            def gap_slopes(a: Floats, b: Floats) -> tuple[Floats, Floats]:
                low, high = self.gain_slope_bounds(a, b)
                return self.stake * low, self.stake * high

            inside, sure = isolate_roots(gap, gap_bounds, gap_slopes, self.e * lower, self.e * upper, tol)
            found.extend(inside.tolist())
            proven &= sure
        return np.unique(np.round(found, 15)), proven


def isolate_roots(
    value: Callable[[Floats], Floats], bounds: Bounds, slopes: Bounds, low: float, high: float, tol: float
) -> tuple[Floats, bool]:
    """Return all roots of a function on [low, high], and whether it is proven that there are no others.

    Parameters
    ----------
    value : callable
        The function, vectorised.
    bounds, slopes : callable
        Lower and upper bounds of the function, and of its slope, on cells [a, b], vectorised.
    low, high : float
        Ends of the interval.
    tol : float
        Largest |value| at a root.
    """
    if not high > low:
        return np.empty(0), True
    edges = np.linspace(low, high, CELLS + 1)
    a, b = edges[:-1], edges[1:]
    found: list[Floats] = []
    for _ in range(HALVINGS):
        below, above = bounds(a, b)
        possible = (below <= 0) & (above >= 0)
        a, b = a[possible], b[possible]
        if not len(a):
            return _distinct(found), True
        least, most = slopes(a, b)
        monotone = (least > 0) | (most < 0)
        at_a, at_b = value(a), value(b)
        crosses = monotone & ((at_a * at_b <= 0) | (np.abs(at_a) <= tol) | (np.abs(at_b) <= tol))
        found.append(_bisected(value, a[crosses], b[crosses], at_a[crosses], at_b[crosses]))
        a, b = a[~monotone], b[~monotone]
        middle = 0.5 * (a + b)
        a, b = np.concatenate([a, middle]), np.concatenate([middle, b])
        if len(a) > 1024:
            break
    if not len(a):
        return _distinct(found), True
    order = np.argsort(a)
    a, b = a[order], b[order]
    runs = np.split(
        np.arange(len(a)), np.flatnonzero(a[1:] > b[:-1] + 1e-15) + 1
    )  # cells that touch are one undecided stretch
    middle = np.array([0.5 * (a[run[0]] + b[run[-1]]) for run in runs])
    found.append(middle[np.abs(value(middle)) <= max(tol, 1e-9)])
    return _distinct(found), False


def _bisected(value: Callable[[Floats], Floats], a: Floats, b: Floats, at_a: Floats, at_b: Floats) -> Floats:
    """Return the roots in cells on which the function is monotone, to the last bit."""
    a, b = a.copy(), b.copy()
    rising = at_b >= at_a
    for _ in range(64):
        if not len(a):
            break
        middle = 0.5 * (a + b)
        right = (value(middle) <= 0) == rising
        a, b = np.where(right, middle, a), np.where(right, b, middle)
    return 0.5 * (a + b)


def _distinct(found: list[Floats]) -> Floats:
    roots = np.sort(np.concatenate(found)) if found else np.empty(0)
    return roots[np.concatenate([[True], np.diff(roots) > 1e-10])] if len(roots) else roots
