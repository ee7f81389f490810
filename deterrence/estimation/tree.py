r"""The likelihood of a tree of perfect information whose payoffs are functions of observed regressors.

Every symbol ``j`` of the game is a linear combination ``x_j' beta_j`` in each row. From the last moves to the first,
a node has for each player the expected utility

    V_p(node) = sum_a Pr(a) V_p(node after a),

and a move's probabilities follow from the mover's V by its error structure (``choice.py``):

- *agent error* (quantal response [1]_): a fresh error on each action, so that ``W_a = 1``;
- *private information* [2]_: an error on each player's utility of each end, which that player knows from the start, so
  that ``W_a`` is the sum over the ends that an action leads to of their squared probabilities,
  ``W(node) = sum_a Pr(a)^2 W(node after a)``. That is exact where no player moves twice on a path; elsewhere a
  player's later moves would depend on the errors it knew before, and the fit is refused.

Errors of two stages may be correlated (``correlation.py``): ends then have the probabilities of a bivariate normal.

Derivatives are exact: ``jets.py`` carries them in the utilities, row by row, and the chain rule leads to beta.

References
----------
.. [1] R. D. McKelvey and T. R. Palfrey, "Quantal Response Equilibria for Extensive Form Games", Exp. Econ. 1 (1998),
   9-41; C. S. Signorino, "Strategic Interaction and the Statistical Analysis of International Conflict", Am. Polit.
   Sci. Rev. 93 (1999), 279-297.
.. [2] C. S. Signorino, "Structure and Uncertainty in Discrete Choice Models", Polit. Anal. 11 (2003), 316-344.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from deterrence.estimation.choice import Link, LogChoice, choice
from deterrence.estimation.correlation import EQUATION, check_two_stages, log_both
from deterrence.estimation.formulas import Design, columns_of
from deterrence.estimation.jets import Jet, Pair, Value, compose, constant, variable
from deterrence.estimation.likelihood import Floats, Likelihood, Start
from deterrence.estimation.optimise import maximise
from deterrence.estimation.outcomes import (
    Outcomes,
    draw_outcomes,
    ends_by_name,
    frame_of_outcomes,
    outcome_names,
    unobserved_rows,
)
from deterrence.estimation.separation import separated_parameters
from deterrence.games.errors import GameError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.quantities import parameter_names
from deterrence.games.topology import CHANCE, TERMINAL, Topology

if TYPE_CHECKING:
    import pandas as pd

_EQUATION_STEPS = 5  # of Newton's method for the start of one player: near enough, and the joint search takes no more

Errors: TypeAlias = Literal["agent", "private"]


@dataclass(frozen=True, eq=False)
class Payoff:
    """A payoff as a function of symbols.

    Attributes
    ----------
    symbols : tuple of str
    constant : float
    slopes : tuple of float, or None
        Where the payoff is affine: its derivative in each symbol.
    text : str
        The expression, where it is not.
    """

    symbols: tuple[str, ...]
    constant: float
    slopes: tuple[float, ...] | None
    text: str = ""

    @cached_property
    def functions(self) -> tuple[Callable[..., Any], list[Callable[..., Any]], list[list[Callable[..., Any]]]]:
        """The payoff, its gradient and its Hessian as functions of arrays."""
        import sympy

        names = [sympy.Symbol(s, real=True) for s in self.symbols]
        expression = sympy.sympify(self.text, locals=dict(zip(self.symbols, names, strict=True)))
        first = [sympy.diff(expression, s) for s in names]

        def compiled(e: Any) -> Callable[..., Any]:
            function: Callable[..., Any] = sympy.lambdify(names, e, modules="numpy")
            return function

        return (
            compiled(expression),
            [compiled(e) for e in first],
            [[compiled(sympy.diff(e, s)) for s in names] for e in first],
        )

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "functions"}  # compiled functions cannot be sent

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


def payoff_of(expression: Any) -> Payoff:
    """Return a payoff from a number or a SymPy expression."""
    free = parameter_names([np.array([expression], dtype=object)])
    if not free:
        return Payoff((), float(expression), ())
    import sympy

    symbols = sorted(expression.free_symbols, key=str)
    slopes = [sympy.diff(expression, s) for s in symbols]
    if all(s.is_number for s in slopes):
        rest = expression.xreplace(dict.fromkeys(symbols, sympy.Integer(0)))
        return Payoff(free, float(rest), tuple(float(s) for s in slopes))
    return Payoff(free, 0.0, None, str(expression))


@dataclass(frozen=True, eq=False)
class TreeModel:
    """What a tree's likelihood is made of, apart from data.

    Attributes
    ----------
    topology : Topology
    chance : ndarray, shape (C,)
    payoffs : tuple of tuple of Payoff
        By end and player.
    errors : {"agent", "private"}
    link : {"probit", "logit"}
    scale_of : tuple of (str or None)
        For each player the equation of its log scale, or None where the scale is known.
    known_scale : tuple of float
        The scale of each player's errors, where it is known.
    correlated : bool
        Whether the errors of two stages are correlated: by the tanh of the equation ``"atanh correlation"``.
    """

    topology: Topology
    chance: Floats
    payoffs: tuple[tuple[Payoff, ...], ...]
    errors: Errors
    link: Link
    scale_of: tuple[str | None, ...]
    known_scale: tuple[float, ...]
    correlated: bool = False

    @classmethod
    def of(
        cls,
        game: ExtensiveGame,
        errors: Errors,
        link: Link,
        scale_of: Sequence[str | None],
        known_scale: Sequence[float],
        correlated: bool = False,
    ) -> Self:
        """Return the model of a game.

        Raises
        ------
        GameError
            If the game is a batch, has imperfect information, or symbols in its chance probabilities; or if with
            private information a player moves twice on a path; or if with correlated errors some path has three moves,
            or some move three actions.
        """
        if game.batch_shape:
            raise GameError("fit takes one game with symbols, got a batch; the rows of the data are the batch")
        if not game.perfect_information:
            shared = next(s for s in game.infosets if len(s.nodes) > 1)
            raise GameError(
                f"fit takes trees of perfect information, but {game.players[shared.player]} cannot tell apart the "
                f"nodes of {shared.name!r}"
            )
        unknown = parameter_names([game.chance])
        if unknown:
            raise GameError(f"chance probabilities must be numbers in a fit, got the symbol {unknown[0]!r}")
        topology = game.topology
        if errors == "private":
            _check_one_move_a_path(topology)
        if correlated:
            check_two_stages(topology)
        payoffs = tuple(tuple(payoff_of(x) for x in row) for row in game.payoffs.tolist())
        chance = np.asarray(game.chance, dtype=np.float64)
        return cls(topology, chance, payoffs, errors, link, tuple(scale_of), tuple(known_scale), correlated)

    @cached_property
    def needed(self) -> tuple[frozenset[int], ...]:
        """For each node the players who move above it: those whose expected utility there matters."""
        topology = self.topology
        result: list[frozenset[int]] = [frozenset()] * topology.size
        for node in range(1, topology.size):
            above = int(topology.parent[node])
            owner = int(topology.owner[above])
            result[node] = result[above] | ({owner} if owner >= 0 else frozenset())
        return tuple(result)

    @cached_property
    def movers(self) -> tuple[int, ...]:
        """Players who move somewhere."""
        return tuple(sorted({s.player for s in self.topology.infosets}))

    @cached_property
    def relevant(self) -> frozenset[str]:
        """Symbols that matter: those in payoffs of a player who moves above the end."""
        topology = self.topology
        return frozenset(
            symbol
            for z, node in enumerate(topology.terminal.tolist())
            for p in self.needed[node]
            for symbol in self.payoffs[z][p].symbols
        )

    def walk(self, values: Mapping[str, Jet], order: int) -> dict[int, LogChoice]:
        """Return the choice at each move, by node, from the values of symbols and log scales.

        Moves with one action are left out. Expected utilities are passed up only as far as somebody above moves.

        Parameters
        ----------
        values : mapping of str to Jet
        order : int
            Number of derivatives.
        """
        topology = self.topology
        one = constant(1.0, order)
        utility: list[dict[int, Jet]] = [{} for _ in range(topology.size)]
        spread: list[Jet] = [one] * topology.size
        choices: dict[int, LogChoice] = {}
        ends = {int(node): z for z, node in enumerate(topology.terminal)}
        for node in range(topology.size - 1, -1, -1):
            owner = int(topology.owner[node])
            if owner == TERMINAL:
                row = self.payoffs[ends[node]]
                utility[node] = {p: _payoff_jet(row[p], values, order) for p in self.needed[node]}
                continue
            below = topology.children[node]
            if owner != CHANCE and len(below) > 1:
                name = self.scale_of[owner]
                log_scale = constant(float(np.log(self.known_scale[owner])), order) if name is None else values[name]
                spreads = [spread[c] for c in below] if self.errors == "private" else None
                choices[node] = choice([utility[c][owner] for c in below], spreads, log_scale, self.link)
            if not self.needed[node]:
                continue
            chances = [self.branch(choices, c, order) for c in below]
            for player in self.needed[node]:
                utility[node][player] = _sum([p * utility[c][player] for p, c in zip(chances, below, strict=True)])
            if self.errors == "private":
                spread[node] = _sum([(p * p) * spread[c] for p, c in zip(chances, below, strict=True)])
        return choices

    def branch(self, choices: Mapping[int, LogChoice], node: int, order: int) -> Jet:
        """Return the probability of the branch that leads to a node, once its parent is reached."""
        above = int(self.topology.parent[node])
        if above in choices:
            return choices[above].probability(self.topology.children[above].index(node))
        return constant(self._chance_of(node), order)

    def log_path(self, choices: Mapping[int, LogChoice], nodes: Sequence[int], order: int) -> Jet:
        """Return the logarithm of the probability of all the branches that lead to some nodes."""
        total = constant(0.0, order)
        for node in nodes:
            above = int(self.topology.parent[node])
            if above in choices:
                total = total + choices[above].log(self.topology.children[above].index(node))
            else:
                with np.errstate(divide="ignore"):
                    total = total + constant(float(np.log(self._chance_of(node))), order)
        return total

    def log_end(self, choices: Mapping[int, LogChoice], z: int, values: Mapping[str, Jet], order: int) -> Jet:
        """Return the logarithm of the probability of an end, which with correlated errors is no product of moves."""
        path = _path(self.topology, int(self.topology.terminal[z]))
        if not self.correlated:
            return self.log_path(choices, path, order)
        made = [n for n in path if int(self.topology.parent[n]) in choices]
        if len(made) < 2:
            return self.log_path(choices, path, order)
        by_chance = self.log_path(choices, [n for n in path if n not in made], order)
        (first, sign), (second, other) = (self._argument(choices, n) for n in made)
        x = values[EQUATION]
        rho = np.tanh(np.asarray(x.value))
        slope = (1 - rho) * (1 + rho)
        correlation = x.apply(sign * other * rho, sign * other * slope, -2 * sign * other * rho * slope)
        return log_both(first, second, correlation) + by_chance

    def _argument(self, choices: Mapping[int, LogChoice], node: int) -> tuple[Jet, float]:
        """Return the argument z of the probability Phi(z) of a branch between two, and its sign."""
        above = int(self.topology.parent[node])
        ((z,), _) = choices[above].inputs
        sign = 1.0 if self.topology.children[above].index(node) == 1 else -1.0
        return (z if sign > 0 else z.times(-1.0)), sign

    def _chance_of(self, node: int) -> float:
        slot = int(self.topology.slot[node]) - self.topology.action_count
        return float(self.chance[slot]) if slot >= 0 else 1.0


def _check_one_move_a_path(topology: Topology) -> None:
    for node in topology.terminal.tolist():
        moved: set[int] = set()
        while node > 0:
            node = int(topology.parent[node])
            owner = int(topology.owner[node])
            if owner >= 0 and owner in moved:
                raise GameError(
                    f"with private information {topology.players[owner]} must move at most once on a path, but moves "
                    f"again below {topology.name(node)!r}: its later move would depend on errors that it knew before; "
                    "use errors='agent'"
                )
            moved.add(owner)


def _payoff_jet(payoff: Payoff, values: Mapping[str, Jet], order: int) -> Jet:
    if payoff.slopes is not None:
        total = constant(payoff.constant, order)
        for symbol, slope in zip(payoff.symbols, payoff.slopes, strict=True):
            part = values[symbol] if slope == 1.0 else values[symbol].times(slope)
            total = part if isinstance(total.value, float) and total.value == 0.0 else total + part
        return total
    value, first, second = payoff.functions
    inputs = [values[s] for s in payoff.symbols]
    points = np.broadcast_arrays(*(jet.value for jet in inputs))
    shape = points[0].shape

    def at(function: Callable[..., Any]) -> Floats:
        return np.array(np.broadcast_to(np.asarray(function(*points), dtype=np.float64), shape))

    return compose(inputs, at(value), [at(f) for f in first], [[at(f) for f in row] for row in second])


def _sum(jets: Sequence[Jet]) -> Jet:
    total = jets[0]
    for jet in jets[1:]:
        total = total + jet
    return total


@dataclass(frozen=True, eq=False)
class TreeLikelihood(Likelihood):
    """The likelihood of outcomes of a tree.

    Attributes
    ----------
    model : TreeModel
    designs : tuple of Design
        Of the symbols that matter, then of log scales.
    observed : Outcomes
    weights : ndarray, shape (n,)
        How often each row counts, besides the counts of ``observed``.
    """

    model: TreeModel
    designs: tuple[Design, ...]
    observed: Outcomes
    weights: Floats = field(repr=False)

    # -- names ------------------------------------------------------------------------------------------------------

    @cached_property
    def names(self) -> tuple[str, ...]:  # type: ignore[override]
        """Of the parameters."""
        return tuple(name for design in self.designs for name in design.names)

    @cached_property
    def outcomes(self) -> tuple[str, ...]:  # type: ignore[override]
        """Names of the ends."""
        return outcome_names(self.model.topology)

    @cached_property
    def regressors(self) -> tuple[str, ...]:
        """Columns that the formulas read."""
        return tuple(dict.fromkeys(c for d in self.designs if d.names for c in columns_of(d.formula, d.equation)))

    @property
    def title(self) -> str:  # type: ignore[override]
        """The error structure in words."""
        kind = "agent errors" if self.model.errors == "agent" else "private information"
        topology = self.model.topology
        tied = ", correlated between stages" if self.model.correlated else ""
        return f"tree, {len(topology.players)} players, {len(topology.terminal)} ends, {kind}, {self.model.link}{tied}"

    @cached_property
    def units(self) -> Floats:  # type: ignore[override]
        """Root mean square of each regressor."""
        return np.concatenate([*(d.units for d in self.designs), np.zeros(0)])

    @property
    def nobs(self) -> float:
        """Number of observations."""
        return float((self.weights * self.observed.totals).sum())

    # -- evaluation -----------------------------------------------------------------------------------------------

    @cached_property
    def _varying(self) -> tuple[Design, ...]:
        return tuple(d for d in self.designs if d.names)

    @cached_property
    def _slices(self) -> tuple[slice, ...]:
        bounds = list(itertools.accumulate((len(d.names) for d in self._varying), initial=0))
        return tuple(slice(a, b) for a, b in itertools.pairwise(bounds))

    def _values(self, theta: Floats, order: int, active: Collection[int] | None = None) -> dict[str, Jet]:
        """Return symbols and log scales as jets; with ``active``, only derivatives in these equations are carried."""
        places = {id(d): i for i, d in enumerate(self._varying)}
        values = {}
        for design in self.designs:
            i = places.get(id(design))
            if i is None:
                fixed = design.offset
                values[design.equation] = constant(
                    float(fixed[0]) if len(fixed) and np.ptp(fixed) == 0 else fixed, order
                )
                continue
            value = design.values(theta[self._slices[i]])
            carried = active is None or i in active
            values[design.equation] = variable(value, i, order) if carried else constant(value, order)
        return values

    def _walk(self, theta: Floats, order: int, active: Collection[int] | None = None) -> dict[int, LogChoice]:
        with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
            return self.model.walk(self._values(theta, order, active), order)

    def _log_ends(self, theta: Floats, order: int) -> list[Jet]:
        """Return the logarithm of the probability of each end."""
        values = self._values(theta, order)
        with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
            choices = self.model.walk(values, order)
            return [self.model.log_end(choices, z, values, order) for z in range(len(self.model.topology.terminal))]

    @cached_property
    def _passages(self) -> Mapping[int, tuple[Value, ...]]:
        """For each move, how often each of its actions was surely taken, weighted: arrays of shape (n,), or 0."""
        topology = self.model.topology
        counts: dict[int, list[Value]] = {}
        for pattern, seen in zip(self.observed.patterns, self.observed.counts, strict=True):
            if not seen.any():
                continue
            for node in _common_path(topology, pattern):
                above = int(topology.parent[node])
                below = topology.children[above]
                action = counts.setdefault(above, [0.0] * len(below))
                place = below.index(node)
                action[place] = action[place] + seen * self.weights
        return {node: tuple(action) for node, action in counts.items()}

    @cached_property
    def _coarse(self) -> tuple[tuple[tuple[tuple[int, ...], ...], Floats], ...]:
        """Patterns of several ends: for each end the nodes below the common path, and the weighted counts."""
        topology = self.model.topology
        result = []
        for pattern, seen in zip(self.observed.patterns, self.observed.counts, strict=True):
            if len(pattern) > 1 and seen.any():
                shared = set(_common_path(topology, pattern))
                paths = tuple(
                    tuple(n for n in _path(topology, int(topology.terminal[z])) if n not in shared) for z in pattern
                )
                result.append((paths, seen * self.weights))
        return tuple(result)

    def _terms(self, theta: Floats, order: int) -> list[Jet]:
        """Return the weighted log-likelihood of the rows as a sum of jets."""
        if self.model.correlated:
            return self._correlated_terms(theta, order)
        choices = self._walk(theta, order)
        terms = []
        with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
            for node, counts in self._passages.items():
                if node in choices:
                    terms += choices[node].weighted(counts)
                else:
                    terms += self._chance_terms(node, counts, order)
            for paths, seen in self._coarse:
                parts = [self.model.log_path(choices, path, order) for path in paths]
                terms += _log_sum(parts, self.rows).weighted([seen])
        return terms

    def _correlated_terms(self, theta: Floats, order: int) -> list[Jet]:
        """Return the same where the probability of an end is no product: end by end, in the rows that saw it."""
        terms = []
        for pattern, seen in zip(self.observed.patterns, self.observed.counts, strict=True):
            weight = seen * self.weights
            rows = np.flatnonzero(weight > 0)
            if not rows.size:
                continue
            part = self if rows.size == self.rows else self.of_rows(rows)
            values = part._values(theta, order)
            with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
                choices = self.model.walk(values, order)
                parts = [self.model.log_end(choices, z, values, order) for z in pattern]
                sums = _log_sum(parts, rows.size).weighted([weight[rows]])
            terms += [_spread(jet, rows, self.rows) for jet in sums]
        return terms

    def _chance_terms(self, node: int, counts: Sequence[Value], order: int) -> list[Jet]:
        terms = []
        for child, seen in zip(self.model.topology.children[node], counts, strict=True):
            log = self.model.log_path({}, [child], order).value
            if log != 0 and np.any(seen):
                terms.append(constant(np.where(np.asarray(seen) == 0, 0.0, seen * log), order))
        return terms

    def loglik(self, theta: Floats) -> Floats:
        """Return the weighted log-likelihood of each row, shape (n,)."""
        total = np.zeros(self.rows)
        for term in self._terms(theta, 0):
            total += term.value
        return total

    def scores(self, theta: Floats) -> Floats:
        """Return the derivatives of ``loglik``, shape (n, K)."""
        slope = self._slope(self._terms(theta, 1))
        return self._by_regressors(slope)

    def _slope(self, terms: Sequence[Jet]) -> Floats:
        slope = np.zeros((len(self._varying), self.rows))
        for term in terms:
            for i, s in term.slope.items():
                slope[i] += s
        return slope

    def _by_regressors(self, slope: Floats) -> Floats:
        """Return derivatives in the parameters, (n, K), from those in the equations, (m, n)."""
        parts = [g[:, None] * d.matrix for g, d in zip(slope, self._varying, strict=True)]
        return np.concatenate([*parts, np.zeros((self.rows, 0))], axis=1)

    def evaluate(self, theta: Floats) -> tuple[float, Floats, Floats]:
        """Return the log-likelihood, its gradient (K,) and its Hessian (K, K)."""
        terms = self._terms(theta, 2)
        total = float(sum(np.sum(term.value) for term in terms))
        slope = self._slope(terms)
        bend: dict[Pair, Value] = {}
        for term in terms:
            for pair, b in term.bend.items():
                bend[pair] = bend[pair] + b if pair in bend else b
        gradient = np.concatenate([d.columns @ g for g, d in zip(slope, self._varying, strict=True)])
        return (total if np.isfinite(total) else -np.inf), gradient, self._assembled(bend)

    def _assembled(self, bend: Mapping[Pair, Value]) -> Floats:
        """Return second derivatives in the parameters, (K, K), from those in the equations, summed over rows."""
        hessian = np.zeros((self.size, self.size))
        for (i, j), weight in bend.items():
            one, other = sorted((i, j), key=lambda d: len(self._varying[d].names))
            block = (self._varying[one].columns * weight) @ self._varying[other].columns.T
            block = block if one == i else block.T
            hessian[self._slices[i], self._slices[j]] = block
            if i != j:
                hessian[self._slices[j], self._slices[i]] = block.T
        return hessian

    def _end_jets(self, theta: Floats, order: int) -> list[Jet]:
        """Return the probability of each named outcome."""
        logs = self._log_ends(theta, order)
        with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
            start = constant(np.zeros(self.rows), order)
            ends = [(start + log).exp() for log in logs]
            return [_sum([ends[z] for z in pattern]) for pattern in ends_by_name(self.model.topology).values()]

    def probabilities(self, theta: Floats) -> Floats:
        """Return the probability of each named outcome in each row, shape (n, Z)."""
        return np.stack([np.asarray(jet.value) for jet in self._end_jets(theta, 0)], axis=1)

    def probability_derivatives(self, theta: Floats) -> Floats:
        """Return the derivatives of the probabilities, shape (n, Z, K)."""
        return np.stack([self._by_regressors(self._slope([jet])) for jet in self._end_jets(theta, 1)], axis=1)

    def information(self, theta: Floats) -> Floats:
        """Return Fisher's expected information of the outcomes, shape (K, K)."""
        inner: dict[Pair, Value] = {}
        weight = self.weights * (self.observed.totals if self.observed.form != "none" else 1.0)
        for jet in self._end_jets(theta, 1):
            with np.errstate(divide="ignore", invalid="ignore"):
                share = np.where(jet.value > 0, weight / jet.value, 0.0)
            for i, s in jet.slope.items():
                for j, t in jet.slope.items():
                    if i <= j:
                        inner[i, j] = inner.get((i, j), 0.0) + share * s * t
        return self._assembled(inner)

    def outcome_counts(self) -> Floats | None:
        """Return how often each named outcome was seen in each row, (n, Z); None where some were seen only partly."""
        names = ends_by_name(self.model.topology)
        counts = np.zeros((len(names), self.rows))
        for pattern, seen in zip(self.observed.patterns, self.observed.counts, strict=True):
            within = [j for j, ends in enumerate(names.values()) if set(pattern) <= set(ends)]
            if not within:
                return None
            counts[within[0]] += seen
        return counts.T

    def symbol_values(self, theta: Floats) -> dict[str, Floats]:
        """Return the value of each symbol and log scale in each row."""
        values = self._values(theta, 0)
        return {name: np.array(np.broadcast_to(jet.value, (self.rows,))) for name, jet in values.items()}

    def action_probabilities(self, theta: Floats) -> dict[str, Floats]:
        """Return the probability of each action where its move is reached, by ``"move: action"``."""
        topology = self.model.topology
        reached = np.zeros((topology.size, self.rows))
        for z, log in enumerate(self._log_ends(theta, 0)):
            node = int(topology.terminal[z])
            reached[node] = np.exp(np.asarray(log.value))
        for node in range(topology.size - 1, 0, -1):
            reached[topology.parent[node]] += reached[node]
        result = {}
        choices = self._walk(theta, 0)
        for s in topology.infosets:
            for child, action in zip(topology.children[s.nodes[0]], s.actions, strict=True):
                chance = self.model.branch(choices, child, 0).value
                if self.model.correlated:  # who is reached has been selected by what moved the first mover
                    chance = reached[child] / reached[s.nodes[0]]
                result[f"{s.key}: {action}"] = np.array(np.broadcast_to(chance, (self.rows,)))
        return result

    # -- other data -----------------------------------------------------------------------------------------------

    def reweight(self, factors: Floats) -> Self:
        """Return the likelihood with other weights."""
        return replace(self, weights=self.weights * factors)

    def at(self, data: pd.DataFrame) -> Self:
        """Return the same model at other rows."""
        size = len(data)
        return replace(
            self,
            designs=tuple(d.at(data) for d in self.designs),
            observed=unobserved_rows(self.model.topology, size),
            weights=np.ones(size),
        )

    def simulate(self, theta: Floats, generator: np.random.Generator) -> Self:
        """Return the likelihood of outcomes drawn from the model."""
        topology = self.model.topology
        ends = np.stack([np.broadcast_to(np.exp(log.value), (self.rows,)) for log in self._log_ends(theta, 0)], axis=1)
        known = self.observed
        if known.form == "none":
            known = replace(
                known, form="label", columns={"": "outcome"}, counts=np.ones((len(self.outcomes), self.rows))
            )
            known = replace(known, counts=known.counts / len(self.outcomes))
        return replace(self, observed=draw_outcomes(known, topology, ends, generator))

    def outcome_frame(self) -> pd.DataFrame:
        """Return the outcomes in the columns that they came in."""
        return frame_of_outcomes(self.observed, self.model.topology, None)

    # -- starts ---------------------------------------------------------------------------------------------------

    def starts(self, generator: np.random.Generator, number: int) -> list[Start]:
        """Return the start equation by equation, zero, and random ones."""
        others = super().starts(generator, max(number - 1, 0))
        return [Start("equation by equation", self._backwards()), *others][:number]

    def _backwards(self) -> Floats:
        """Return estimates player by player, those who move last first, others' parameters as they are by then.

        That is statistical backward induction: each player's parameters maximise the likelihood of its own moves,
        later players' probabilities being known by then, earlier players' not mattering.
        """
        topology = self.model.topology
        theta = np.zeros(self.size)
        last = {
            p: max(int(topology.depth[s.nodes[0]]) for s in topology.infosets if s.player == p)
            for p in self.model.movers
        }
        done: set[int] = set()
        for player in sorted(last, key=lambda p: -last[p]):
            own = {s for z in range(len(topology.terminal)) for s in self.model.payoffs[z][player].symbols}
            active = [i for i, d in enumerate(self._varying) if d.equation in own and i not in done]
            done.update(active)
            if not active:
                continue
            part = _OwnMoves(self._reaching(player), player, tuple(active), theta)
            end = maximise(part, Start("equation", np.zeros(len(part.units))), iterations=_EQUATION_STEPS)
            if np.isfinite(end.value):
                theta = part.full(end.theta)
        return theta

    def _reaching(self, player: int) -> Self:
        """Return the rows in which a player was seen to move."""
        owner = self.model.topology.owner
        moved = np.zeros(self.rows, dtype=np.bool_)
        for node, counts in self._passages.items():
            if owner[node] == player:
                for count in counts:
                    moved |= np.asarray(count) > 0
        return self if moved.all() or not moved.any() else self.of_rows(moved)

    def without_idle_rows(self) -> Self:
        """Return the rows whose weight is not zero."""
        return self.of_rows(np.flatnonzero(self.weights > 0))

    def of_rows(self, chosen: Any) -> Self:
        """Return the likelihood of some of the rows, by number or flag."""
        designs = tuple(replace(d, matrix=d.matrix[chosen], offset=d.offset[chosen]) for d in self.designs)
        observed, weights = self.observed.rows(chosen), self.weights[chosen]
        return replace(self, designs=designs, observed=observed, weights=weights)

    def separation(self, theta: Floats) -> tuple[str, ...]:
        """Return the parameters along which the data are separated, the others being as they are."""
        return separated_parameters(self, theta)

    def intercepts(self) -> NDArray[np.bool_]:
        """Return which parameters are constants."""
        flags = [np.ptp(column) == 0 for d in self._varying for column in d.matrix.T]
        return np.array(flags, dtype=np.bool_)


@dataclass(frozen=True, eq=False)
class _OwnMoves:
    """The likelihood of one player's moves in the parameters of some equations, all others held as they are."""

    likelihood: TreeLikelihood
    player: int
    active: tuple[int, ...]
    others: Floats

    @cached_property
    def places(self) -> NDArray[np.int64]:
        slices = [self.likelihood._slices[i] for i in self.active]
        return np.concatenate([np.arange(s.start, s.stop) for s in slices])

    @cached_property
    def units(self) -> Floats:
        return self.likelihood.units[self.places]

    def full(self, theta: Floats) -> Floats:
        result = self.others.copy()
        result[self.places] = theta
        return result

    def value(self, theta: Floats) -> float:
        return self.evaluate(theta)[0]

    def evaluate(self, theta: Floats) -> tuple[float, Floats, Floats]:
        owner, data = self.likelihood.model.topology.owner, self.likelihood
        choices = data._walk(self.full(theta), 2, self.active)
        terms = [
            term
            for node, counts in data._passages.items()
            if node in choices and owner[node] == self.player
            for term in choices[node].weighted(counts)
        ]
        total = float(sum(np.sum(term.value) for term in terms))
        slope = data._slope(terms)
        gradient = np.concatenate([data._varying[i].columns @ slope[i] for i in self.active])
        bend: dict[Pair, Value] = {}
        for term in terms:
            for pair, b in term.bend.items():
                bend[pair] = bend[pair] + b if pair in bend else b
        return total, gradient, data._assembled(bend)[np.ix_(self.places, self.places)]


def _path(topology: Topology, node: int) -> tuple[int, ...]:
    """Return the nodes on the way to a node, the root left out."""
    nodes = []
    while node > 0:
        nodes.append(node)
        node = int(topology.parent[node])
    return tuple(reversed(nodes))


def _common_path(topology: Topology, pattern: Sequence[int]) -> tuple[int, ...]:
    """Return the nodes that lie on the way to every end of a pattern."""
    paths = [_path(topology, int(topology.terminal[z])) for z in pattern]
    shared = set(paths[0]).intersection(*paths[1:])
    return tuple(n for n in paths[0] if n in shared)


def _spread(jet: Jet, rows: NDArray[np.int64], size: int) -> Jet:
    """Return a jet at some rows as one at all, zero elsewhere."""

    def wide(values: Value) -> Floats:
        result = np.zeros(size)
        result[rows] = values
        return result

    return Jet(
        wide(jet.value),
        {i: wide(s) for i, s in jet.slope.items()},
        {k: wide(b) for k, b in jet.bend.items()},
        jet.order,
    )


def _log_sum(logs: Sequence[Jet], size: int) -> LogChoice:
    """Return the logarithm of a sum of exponentials."""
    values = np.stack([np.broadcast_to(jet.value, (size,)) for jet in logs])
    top = values.max(axis=0)
    top = np.where(np.isfinite(top), top, 0.0)
    total = np.log(np.exp(values - top).sum(axis=0)) + top
    share = np.exp(values - total)
    second = tuple(tuple(share[b] * ((b == c) - share[c]) for c in range(b + 1)) for b in range(len(logs)))
    return LogChoice((tuple(logs),), (total,), (tuple(share),), (second,))
