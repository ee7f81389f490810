r"""Estimate the ultimatum game: reservation values from offers and replies.

Player 1 offers y of a prize Q; player 2 accepts or refuses, which leaves both with reservation values
:math:`R_1 + \epsilon_1, R_2 + \epsilon_2`, private and logistic with scales :math:`s_1, s_2` [1]_. Player 2 accepts
with probability :math:`\Lambda((y - R_2) / s_2)`, and the first-order condition of player 1 gives the distribution of
its offer,

.. math:: F(y) = \frac{1}{1 + e^{A(y)}}, \qquad
   A(y) = \frac{Q - y - R_1 - s_2 (1 + e^{(y - R_2) / s_2})}{s_1},

with mass F(M) at the smallest offer M and 1 - F(Q) at the largest.

References
----------
.. [1] K. W. Ramsay and C. S. Signorino, "A Statistical Model of the Ultimatum Game", working paper (2009).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from scipy.special import expit

from deterrence.estimation.covariance import Kind
from deterrence.estimation.data import Missing, numbers_of, row_name
from deterrence.estimation.formulas import Design
from deterrence.estimation.index_models import IndexLikelihood, Terms, jets_of, prepare, terms_of
from deterrence.estimation.jets import Jet, constant
from deterrence.estimation.likelihood import Floats, Start
from deterrence.estimation.maximum_likelihood import STARTS, maximum_likelihood
from deterrence.estimation.optimise import ITERATIONS
from deterrence.estimation.result import Fit
from deterrence.games.errors import ParameterError
from deterrence.games.quantities import check_names
from deterrence.games.ultimatum import UltimatumGame

EQUATIONS = ("R1", "R2", "log s1", "log s2")


def fit_ultimatum(
    game: UltimatumGame,
    data: Any,
    *,
    outcome: str | Sequence[str],
    utilities: Mapping[str, Any],
    scale: Mapping[str, Any] | None = None,
    weights: str | Sequence[float] | None = None,
    cluster: str | Sequence[Any] | None = None,
    covariance: Kind | None = None,
    penalty: Any = None,
    starts: Any = STARTS,
    seed: int | None = 0,
    missing: Missing = "drop",
    iterations: int = ITERATIONS,
) -> Fit:
    """Estimate reservation values and scales.

    Parameters
    ----------
    game : UltimatumGame
    data : table
    outcome : str or pair of str
        The column of offers, and that of replies (1 accepted, 0 refused); without replies, offers alone.
    utilities : mapping
        Formulas of ``R1`` and ``R2``.
    scale : mapping, optional
        Of ``s1`` and ``s2``: a number is known, a formula is that of the logarithm. By default both are estimated
        constants.
    weights, cluster, covariance, penalty, starts, seed, missing, iterations
        As in ``fit``.

    Raises
    ------
    ParameterError
        If a name, column or offer is wrong.
    """
    check_names(utilities, EQUATIONS[:2], "the ultimatum game", complete=False)
    scales = dict(scale or {})
    check_names(scales, ("s1", "s2"), "the scales of the ultimatum game", complete=False)
    formulas = {name: utilities.get(name, 0.0) for name in EQUATIONS[:2]}
    for name in ("s1", "s2"):
        given = scales.get(name, "1")
        if not isinstance(given, str):
            if not float(given) > 0:
                raise ParameterError(f"scale of {name} must be above 0, got {given}")
            given = float(np.log(float(given)))
        formulas[f"log {name}"] = given
    columns = (outcome,) if isinstance(outcome, str) else tuple(outcome)
    if not 1 <= len(columns) <= 2:
        raise ParameterError(f"outcome must name the column of offers and that of replies, got {outcome!r}")
    ready = prepare(data, formulas, columns, weights=weights, cluster=cluster, missing=missing)
    offers, replies = _observed(game, ready.frame, columns)
    likelihood = UltimatumLikelihood(
        designs=ready.designs, weights=ready.weights, game=game, columns=columns, offers=offers, replies=replies
    )
    return maximum_likelihood(
        likelihood, frame=ready.frame, dropped=ready.dropped, clusters=ready.clusters, kind=covariance,
        penalty=penalty, starts=starts, seed=seed, iterations=iterations,
    )  # fmt: skip


def _observed(game: UltimatumGame, frame: Any, columns: Sequence[str]) -> tuple[Floats, Floats | None]:
    offers = numbers_of(frame, columns[0], "offers")
    outside = np.flatnonzero((offers < game.smallest) | (offers > game.largest))
    if outside.size:
        raise ParameterError(
            f"offers must lie in [{game.smallest:g}, {game.largest:g}], got {offers[outside[0]]:g} in row "
            f"{row_name(frame.index, outside[0])}"
        )
    if len(columns) == 1:
        return offers, None
    replies = numbers_of(frame, columns[1], "replies")
    if not np.isin(replies, (0, 1)).all():
        raise ParameterError(f"column {columns[1]!r} must hold 1 (accepted) and 0 (refused)")
    return offers, replies


@dataclass(frozen=True, eq=False)
class UltimatumLikelihood(IndexLikelihood):
    """Offers and replies, in the equations R1, R2, log s1 and log s2."""

    designs: tuple[Design, ...]
    weights: Floats
    game: UltimatumGame
    columns: tuple[str, ...]
    offers: Floats | None
    replies: Floats | None
    outcomes: tuple[str, ...] = ("accept", "refuse")
    title: str = "Ultimatum game, logistic reservation values"

    def terms(self, values: Floats, order: int) -> Terms:
        """Return the log-density of offers and replies with derivatives."""
        if self.offers is None:
            raise ParameterError("these rows have no outcomes")
        y = self.offers
        with np.errstate(all="ignore"):
            gap, exponent, log_s1 = _distances(self.game, y, values, order)
            end = [y <= self.game.smallest, y >= self.game.largest]
            below, above = -_softplus(gap), -_softplus(-gap)  # log F and log (1 - F)
            inner = below + above + _softplus(exponent) - log_s1
            jet = _chosen(end, [below, above], inner)
            if self.replies is not None:
                jet = jet + _chosen([self.replies > 0], [-_softplus(-exponent)], -_softplus(exponent))
            return terms_of(jet, len(values), len(y))

    def at(self, data: Any) -> Self:
        """Return the model at other rows; offers and replies are read where they are there."""
        known = all(c in data.columns for c in self.columns)
        offers, replies = _observed(self.game, data, self.columns) if known else (None, None)
        designs = tuple(design.at(data) for design in self.designs)
        return replace(self, designs=designs, weights=np.ones(len(data)), offers=offers, replies=replies)

    def probabilities(self, theta: Floats) -> Floats:
        """Return the chances that the offer to come is accepted and refused, shape (n, 2)."""
        values = self.equation_values(theta)
        nodes, weights = np.polynomial.legendre.leggauss(64)
        low, high = self.game.smallest, self.game.largest
        middle, half = (low + high) / 2, (high - low) / 2
        with np.errstate(all="ignore"):
            accept = expit((low - values[1]) / np.exp(values[3])) * self.offered_below(values, low)
            accept += expit((high - values[1]) / np.exp(values[3])) * (1 - self.offered_below(values, high))
            for node, weight in zip(nodes, weights, strict=True):
                y = np.full(values.shape[1], middle + half * node)
                gap, exponent, log_s1 = (np.asarray(jet.value) for jet in _distances(self.game, y, values, 0))
                density = expit(gap) * expit(-gap) * np.exp(np.logaddexp(0, exponent) - log_s1)
                accept += half * weight * np.where(np.isfinite(density), density, 0) * expit(exponent)
        accept = np.clip(accept, 0, 1)
        return np.stack([accept, 1 - accept], axis=1)

    def offered_below(self, values: Floats, offer: float | Floats) -> Floats:
        """Return F: the chance of an offer of at most this, from within the bounds, shape (n,)."""
        y = np.broadcast_to(np.asarray(offer, dtype=np.float64), values.shape[1:])
        with np.errstate(all="ignore"):
            chance: Floats = expit(-np.asarray(_distances(self.game, y, values, 0)[0].value))
        return chance

    def simulate(self, theta: Floats, generator: np.random.Generator) -> Self:
        """Return the likelihood of offers and replies that the model generates."""
        values = self.equation_values(theta)
        u = generator.uniform(size=self.rows)
        low, high = np.full(self.rows, self.game.smallest), np.full(self.rows, self.game.largest)
        for _ in range(60):
            middle = (low + high) / 2
            less = self.offered_below(values, middle) < u
            low, high = np.where(less, middle, low), np.where(less, high, middle)
        offers = np.where(u <= self.offered_below(values, self.game.smallest), self.game.smallest, high)
        offers = np.where(u > self.offered_below(values, self.game.largest), self.game.largest, offers)
        accept = expit((offers - values[1]) / np.exp(values[3]))
        replies = (generator.uniform(size=self.rows) < accept).astype(np.float64)
        return replace(self, offers=offers, replies=None if self.replies is None else replies)

    def outcome_frame(self) -> Any:
        """Return offers and replies."""
        import pandas as pd

        if self.offers is None:
            raise ParameterError("these rows have no outcomes")
        both = [self.offers] if self.replies is None else [self.offers, self.replies]
        return pd.DataFrame(dict(zip(self.columns, both, strict=True)))

    def starts(self, generator: np.random.Generator, number: int) -> list[Start]:
        """Return starts around the level and the spread of offers."""
        if self.offers is None:
            raise ParameterError("these rows have no outcomes")
        spread = max(float(self.offers.std()), 1e-3 * (self.game.largest - self.game.smallest))
        keep = self.game.largest - float(np.median(self.offers)) - spread
        level = {
            "R1": keep / 2,
            "R2": float(self.offers.mean()) / 2,
            "log s1": np.log(spread),
            "log s2": np.log(spread),
        }
        base = np.array([
            level[name.partition(":")[0]] if name.endswith(":Intercept") else 0.0 for name in self.names
        ])  # fmt: skip
        random = [base + generator.normal(0, 0.5, self.size) / self.units for _ in range(number - 1)]
        names = ["level of offers", *(f"random {i + 1}" for i in range(number - 1))]
        return [Start(name, point) for name, point in zip(names, [base, *random], strict=True)]


def _distances(game: UltimatumGame, y: Floats, values: Floats, order: int) -> tuple[Jet, Jet, Jet]:
    """Return A(y), (y - R2) / s2 and log s1."""
    reserve_1, reserve_2, log_s1, log_s2 = jets_of(values, order)
    exponent = (constant(y, order) - reserve_2) * log_s2.times(-1).exp()
    keep = constant(game.largest - y, order) - reserve_1
    gap = (keep - log_s2.exp() - (log_s2 + exponent).exp()) * log_s1.times(-1).exp()
    return gap, exponent, log_s1


def _softplus(jet: Jet) -> Jet:
    value = np.asarray(jet.value)
    p = expit(value)
    return jet.apply(np.logaddexp(0, value), p, p * (1 - p))


def _chosen(conditions: Sequence[Any], jets: Sequence[Jet], otherwise: Jet) -> Jet:
    """Return, row by row, the jet whose condition holds first."""
    parts = [*jets, otherwise]

    def pick(entries: Sequence[Any]) -> Floats:
        shape = np.shape(conditions[0])
        return np.select(
            conditions, [np.broadcast_to(e, shape) for e in entries[:-1]], np.broadcast_to(entries[-1], shape)
        )

    slopes = {i for part in parts for i in part.slope}
    bends = {k for part in parts for k in part.bend}
    return Jet(
        pick([part.value for part in parts]),
        {i: pick([part.slope.get(i, 0.0) for part in parts]) for i in slopes},
        {k: pick([part.bend.get(k, 0.0) for part in parts]) for k in bends},
        otherwise.order,
    )
