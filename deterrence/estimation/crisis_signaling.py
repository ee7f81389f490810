r"""Estimate the payoffs of the crisis-signaling game (Lewis and Schultz 2003) over its equilibria.

Each row is one game, observed once or many times: how often it ended in the status quo, a concession, A standing firm
or A backing down. The seven mean payoffs are linear in covariates and the shocks standard normal. Let
:math:`\ell_i(\eta, z)` be the log-likelihood of row i at payoffs :math:`\eta` when B resists with chance
:math:`\Phi(z)`, and :math:`h(\eta, z)` what B at its cutpoint gains by resisting; equilibria are the roots of h in z.
Three estimators [1]_:

- **Full maximum likelihood** maximises :math:`\sum_i \ell_i(\eta_i, z_i)` where :math:`z_i` is an equilibrium, chosen
  by a rule (the one that explains the row best, by default). All equilibria of all rows are computed; derivatives come
  from the implicit function theorem. The search starts from two points: the two-step estimates followed with
  each root tracked, and the same with every :math:`z_i` free under the constraint :math:`h = 0` (an augmented
  Lagrangian), which passes folds at which tracked roots end.
- **Two-step pseudo-likelihood** puts first-step estimates of the two chances into the best responses.
- **Nested pseudo-likelihood** (NPL) iterates that; it need not converge, and says so.

**Which maximum.** If each of n games may choose among its equilibria, a parameter at which all have three can fit any
data better, for a reason that is not the payoffs. Maxima are therefore compared with the choice charged: llf less the
sum of the logarithms of the numbers of equilibria. ``llf`` itself holds no charge.

References
----------
.. [1] C. Crisman-Cox and M. Gibilisco, "Estimating Signaling Games in International Relations: Problems and Solutions",
   Polit. Sci. Res. Methods 9 (2021), 565-582.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

import numpy as np
from scipy.special import expit, log_ndtr, ndtri

from deterrence.estimation.covariance import Kind
from deterrence.estimation.data import Missing, numbers_of, row_name
from deterrence.estimation.formulas import Design
from deterrence.estimation.index_models import IndexLikelihood, Terms, gradient_of, hessian_of, prepare
from deterrence.estimation.likelihood import Floats, Start
from deterrence.estimation.maximum_likelihood import maximum_likelihood
from deterrence.estimation.optimise import ITERATIONS, Optimum, Search
from deterrence.estimation.result import Fit
from deterrence.games.errors import ParameterError
from deterrence.games.quantities import check_names
from deterrence.solvers.crisis_signaling import CrisisEquilibria, challenger, crisis_equilibria

if TYPE_CHECKING:
    import pandas as pd

Method: TypeAlias = Literal["ml", "two-step", "npl"]

PAYOFFS = ("S_A", "V_A", "C_B", "W_A", "W_B", "a", "V_B")
OUTCOMES = ("status quo", "concession", "stand firm", "back down")
RULES = ("best", "lowest", "highest")
_SHORT = {"sq": "status quo", "cd": "concession", "sf": "stand firm", "bd": "back down"}
_LOG = 0.5 * np.log(2 * np.pi)
_S, _V, _C, _W, _B, _A, _X, _Z = range(8)
_PRIOR = 10.0  # challenges (and resistances) that a regression counts for beside a row's own, in the first step
_NPL_STEPS = 500


def fit_crisis(
    data: Any,
    *,
    outcome: str | Mapping[str, str] | Sequence[str],
    utilities: Mapping[str, Any],
    equilibrium: str = "best",
    method: Method = "ml",
    charge: bool = True,
    first_step: tuple[str, str] | None = None,
    weights: str | Sequence[float] | None = None,
    cluster: str | Sequence[Any] | None = None,
    covariance: Kind | None = None,
    penalty: Any = None,
    starts: Any = 2,
    seed: int | None = 0,
    missing: Missing = "drop",
    iterations: int = ITERATIONS,
    game: Any = None,
) -> Fit:
    """Estimate the crisis-signaling game.

    Parameters
    ----------
    data : table
        A row for each game.
    outcome : str, mapping or sequence of str
        A mapping of outcome to the column of its counts; outcomes are ``"status quo"``, ``"concession"``, ``"stand
        firm"``, ``"back down"`` (or ``"sq"``, ``"cd"``, ``"sf"``, ``"bd"``). Four columns in this order. Or one column
        of these words.
    utilities : mapping of str to formula or number
        Of ``S_A, V_A, C_B, W_A, W_B, a, V_B``; those that are left out are zero. A constant in all payoffs of a player
        is not identified.
    equilibrium : str
        Which equilibrium a game with several plays: ``"best"`` (that explains the row best), ``"lowest"``,
        ``"highest"`` (in the chance that B resists), or a column that holds ``"lowest"`` and ``"highest"``, or 0 and 1
        for these, row by row.
    method : {"ml", "two-step", "npl"}
    charge : bool
        Whether maxima are compared after charging the free choice among equilibria (see the module): where false, the
        highest likelihood is taken, however many games choose. ``llf`` is the plain likelihood in both cases.
    first_step : pair of str, optional
        Columns with first-step estimates of the chances that B resists and that A stands firm. By default each row's
        own frequencies, shrunk towards a logit regression on all regressors.
    weights, cluster, covariance, penalty, starts, seed, missing, iterations
        As in ``fit``.

    Returns
    -------
    Fit

    Raises
    ------
    ParameterError
        If a name, column, formula or option is wrong, or regressors are not identified.
    """
    if method not in ("ml", "two-step", "npl"):
        raise ParameterError(f"method must be 'ml', 'two-step' or 'npl', got {method!r}")
    check_names(utilities, PAYOFFS, "the crisis-signaling game", complete=False)
    formulas = {name: utilities.get(name, 0.0) for name in PAYOFFS}
    columns = _outcome_columns(outcome)
    rule = equilibrium if equilibrium in RULES else "column"
    more = [equilibrium] if rule == "column" else []
    ready = prepare(
        data,
        formulas,
        [*columns.values(), *more, *(first_step or ())],
        weights=weights,
        cluster=cluster,
        missing=missing,
    )
    _check_constants(ready.designs)
    likelihood = CrisisLikelihood(
        designs=ready.designs,
        weights=ready.weights,
        counts=_counts(ready.frame, columns),
        columns=columns,
        rule=equilibrium,
        high=None if rule == "best" else _high(ready.frame, equilibrium, len(ready.frame)),
        first=None if first_step is None else tuple(numbers_of(ready.frame, c, "first_step") for c in first_step),
    )
    if not likelihood.size:
        raise ParameterError("nothing is left to estimate: every payoff is a fixed number; give one a formula")
    options: dict[str, Any] = {
        "frame": ready.frame, "dropped": ready.dropped, "clusters": ready.clusters, "kind": covariance, "seed": seed,
        "iterations": iterations, "game": game, "penalty": penalty,
    }  # fmt: skip
    if method == "ml":
        fit = maximum_likelihood(likelihood, starts=starts, **options)
        return _charged(fit, likelihood, charge)
    return _pseudo(likelihood, method, options)


def _outcome_columns(outcome: Any) -> dict[str, str]:
    if isinstance(outcome, str):
        return {"": outcome}
    if isinstance(outcome, Mapping):
        named = {_SHORT.get(str(key), str(key)): str(column) for key, column in outcome.items()}
        check_names(named, OUTCOMES, "the crisis-signaling game", complete=False)
        if set(named) != set(OUTCOMES):
            raise ParameterError(f"outcome needs a column for each of {', '.join(OUTCOMES)}, got {', '.join(named)}")
        return {name: named[name] for name in OUTCOMES}
    columns = list(outcome)
    if len(columns) != 4 or not all(isinstance(c, str) for c in columns):
        raise ParameterError(f"outcome must name four columns of counts, in the order {', '.join(OUTCOMES)}")
    return dict(zip(OUTCOMES, columns, strict=True))


def _counts(frame: pd.DataFrame, columns: Mapping[str, str]) -> Floats:
    """Return how often each outcome occurred, shape (4, n)."""
    if "" not in columns:
        counts = np.stack([numbers_of(frame, column, "counts", low=0.0) for column in columns.values()])
        empty = np.flatnonzero(counts.sum(axis=0) == 0)
        if empty.size:
            raise ParameterError(f"row {row_name(frame.index, empty[0])} holds no outcome; drop it")
        return counts
    words = [_SHORT.get(str(x), str(x)) for x in frame[columns[""]]]
    for i, word in enumerate(words):
        if word not in OUTCOMES:
            raise ParameterError(
                f"row {row_name(frame.index, i)} holds {word!r}, which is no outcome; "
                f"outcomes are {', '.join(OUTCOMES)}"
            )
    return np.array([[word == name for word in words] for name in OUTCOMES], dtype=np.float64)


def _high(frame: pd.DataFrame, rule: str, rows: int) -> Floats:
    """Return which rows play the equilibrium in which B resists most, shape (n,), as 0 and 1."""
    if rule in RULES:
        return np.full(rows, float(rule == "highest"))
    values = frame[rule]
    words = {"lowest": 0.0, "highest": 1.0, "0": 0.0, "1": 1.0, "0.0": 0.0, "1.0": 1.0, "False": 0.0, "True": 1.0}
    unknown = [x for x in values if str(x) not in words]
    if unknown:
        raise ParameterError(
            f"equilibrium={rule!r} is read as a column that must hold 'lowest' and 'highest', or 0 and 1; it holds "
            f"{unknown[0]!r}. The other rules are {', '.join(map(repr, RULES))}"
        )
    return np.array([words[str(x)] for x in values])


def _check_constants(designs: Sequence[Design]) -> None:
    """Raise ParameterError if a regressor stands in every payoff of a player: it shifts all of them alike."""
    for player, members in (("A", (_S, _V, _W, _A)), ("B", (_C, _B, _X))):
        shared = set.intersection(*({n.partition(":")[2] for n in designs[i].names} for i in members))
        if shared:
            raise ParameterError(
                f"regressor {min(shared)!r} stands in all payoffs of {player} "
                f"({', '.join(PAYOFFS[i] for i in members)}), so that it cannot be identified; leave it out of one"
            )


# -- one row: log-likelihood and B's gain at its cutpoint, with derivatives -------------------------------------------


def row_terms(payoffs: Floats, z: Floats, counts: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats, Floats]:
    r"""Return :math:`\ell` and h of each row with first and second derivatives in the payoffs and z.

    With :math:`u = c - W_A, v = c - a`, chances N of a challenger who stands firm and B of one who backs down,
    :math:`E = \phi((u - v) / \sqrt 2) \Phi(-(u + v) / \sqrt 2) / \sqrt 2`: :math:`N_u = -\phi(u) \Phi(v) - E, N_v = E`,
    and the same for B with u and v exchanged. All ratios are formed from logarithms.

    Parameters
    ----------
    payoffs : ndarray, shape (7, n)
    z : ndarray, shape (n,)
        Quantile of the chance that B resists.
    counts : ndarray, shape (4, n)

    Returns
    -------
    tuple of ndarray
        Log-likelihood (n,), its gradient (8, n) and Hessian (8, 8, n), then the same of h.
    """
    S, V, C, W, B, a, X = payoffs
    log_resist, log_concede = log_ndtr(z), log_ndtr(-z)
    ratio = np.exp(log_concede - log_resist)
    r, q = np.exp(-z * z / 2 - _LOG - log_resist), np.exp(-z * z / 2 - _LOG - log_concede)
    ratio_1 = -r * (1 + ratio)
    ratio_2 = -ratio_1 * (z + 2 * r)
    c = S + (S - V) * ratio
    u, v = c - W, c - a
    log_C, log_F, log_G = challenger(c, W, a)
    log_N, log_B = log_C + log_F, log_C + log_G
    cdf_u, cdf_v, pdf_u, pdf_v = log_ndtr(u), log_ndtr(v), -u * u / 2 - _LOG, -v * v / 2 - _LOG
    m = (u - v) / np.sqrt(2)
    log_E = -m * m / 2 - _LOG + log_ndtr(-(u + v) / np.sqrt(2)) - 0.5 * np.log(2)

    def kind(log_x: Floats, own: Floats, pdf: Floats, cdf: Floats, tilt: Floats) -> tuple[Floats, ...]:
        """Return derivatives of a kind's log-chance: own, other, own own, own other, other other."""
        edge, e, f = np.exp(pdf + cdf - log_x), np.exp(log_E - log_x), np.exp(pdf_u + pdf_v - log_x)
        bend = tilt / np.sqrt(2) * e
        first, other = -(edge + e), e
        return (
            first,
            other,
            own * edge + bend + f / 2 - first * first,
            -bend - f / 2 - first * other,
            bend - f / 2 - other * other,
        )

    N_u, N_v, N_uu, N_uv, N_vv = kind(log_N, u, pdf_u, cdf_v, m)
    B_v, B_u, B_vv, B_uv, B_uu = kind(log_B, v, pdf_v, cdf_u, -m)
    C_u, C_v = -np.exp(pdf_u + cdf_v - log_C), -np.exp(pdf_v + cdf_u - log_C)
    C_uu, C_vv = -u * C_u - C_u * C_u, -v * C_v - C_v * C_v
    C_uv = -np.exp(pdf_u + pdf_v - log_C) - C_u * C_v
    R_u, R_v = np.exp(pdf_u - cdf_u), np.exp(pdf_v - cdf_v)
    stay, yields, war, back = counts
    resists = war + back
    rows = (
        _times(stay, cdf_u + cdf_v)
        + _times(yields, log_C + log_concede)
        + _times(war, log_N + log_resist)
        + _times(back, log_B + log_resist)
    )
    in_u = _times(stay, R_u) + _times(yields, C_u) + _times(war, N_u) + _times(back, B_u)
    in_v = _times(stay, R_v) + _times(yields, C_v) + _times(war, N_v) + _times(back, B_v)
    in_uu = _times(stay, -R_u * (u + R_u)) + _times(yields, C_uu) + _times(war, N_uu) + _times(back, B_uu)
    in_vv = _times(stay, -R_v * (v + R_v)) + _times(yields, C_vv) + _times(war, N_vv) + _times(back, B_vv)
    in_uv = _times(yields, C_uv) + _times(war, N_uv) + _times(back, B_uv)
    in_z = resists * r - yields * q
    in_zz = -resists * r * (z + r) - yields * q * (q - z)

    slope_c = np.zeros((8, len(z)))
    slope_c[_S], slope_c[_V], slope_c[_Z] = 1 + ratio, -ratio, (S - V) * ratio_1
    by_u, by_v = slope_c.copy(), slope_c.copy()
    by_u[_W] -= 1
    by_v[_A] -= 1

    def chain(u_: Floats, v_: Floats, uu: Floats, uv: Floats, vv: Floats) -> tuple[Floats, Floats]:
        """Return gradient and Hessian in payoffs and z of a function of u and v."""
        gradient = u_ * by_u + v_ * by_v
        hessian = by_u[:, None] * (uu * by_u + uv * by_v) + by_v[:, None] * (uv * by_u + vv * by_v)
        both = u_ + v_
        for payoff, sign in ((_S, 1.0), (_V, -1.0)):
            hessian[payoff, _Z] += sign * both * ratio_1
            hessian[_Z, payoff] += sign * both * ratio_1
        hessian[_Z, _Z] += both * (S - V) * ratio_2
        return gradient, hessian

    gradient, hessian = chain(in_u, in_v, in_uu, in_uv, in_vv)
    gradient[_Z] += in_z
    hessian[_Z, _Z] += in_zz

    F, G = np.exp(log_F), np.exp(log_G)
    d_u, d_v = N_u - C_u, N_v - C_v
    F_x, F_xx = chain(
        F * d_u, F * d_v, F * (d_u * d_u + N_uu - C_uu), F * (d_u * d_v + N_uv - C_uv), F * (d_v * d_v + N_vv - C_vv)
    )
    stake = B - z - X
    gain = F * (B - z) + G * X - C
    gain_x, gain_xx = stake * F_x, stake * F_xx
    for place, sign in ((_B, 1.0), (_X, -1.0), (_Z, -1.0)):
        gain_xx[place] += sign * F_x
        gain_xx[:, place] += sign * F_x
    gain_x[_B] += F
    gain_x[_X] += G
    gain_x[_C] -= 1
    gain_x[_Z] -= F
    return rows, gradient, hessian, gain, gain_x, gain_xx


def _times(count: Floats, term: Floats) -> Floats:
    """Multiply, with zero times infinity zero: what did not happen says nothing."""
    product: Floats = np.where(count > 0, count * term, 0.0)
    return product


# -- full maximum likelihood ------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class CrisisLikelihood(IndexLikelihood):
    """The likelihood of rows of a crisis-signaling game, each in one of its equilibria.

    Attributes
    ----------
    designs : tuple of 7 Design
    weights : ndarray, shape (n,)
    counts : ndarray, shape (4, n), or None
        How often each outcome occurred; None at rows whose outcomes are not known.
    columns : mapping of outcome to column
    rule : str
        ``"best"``, ``"lowest"``, ``"highest"``, or the column that says which.
    high : ndarray, shape (n,), or None
        1 where the equilibrium with most resistance is played, 0 where that with least; None by the best rule.
    first : pair of ndarray, shape (n,), or None
        First-step estimates of the chances that B resists and that A stands firm.
    """

    designs: tuple[Design, ...]
    weights: Floats
    counts: Floats | None
    columns: Mapping[str, str]
    rule: str = "best"
    high: Floats | None = None
    first: tuple[Floats, ...] | None = None
    outcomes: tuple[str, ...] = OUTCOMES
    title: str = "Crisis-signaling game, full maximum likelihood"
    _memory: dict[bytes, tuple[CrisisEquilibria, Floats]] = field(default_factory=dict, repr=False, compare=False)

    def equilibria(self, values: Floats) -> CrisisEquilibria:
        """Return all equilibria of all rows at payoffs of shape (7, n)."""
        return self._solved(values)[0]

    def equilibrium_quantile(self, values: Floats) -> Floats:
        """Return the quantile of the equilibrium that each row plays, shape (n,)."""
        return self._solved(values)[1]

    def _solved(self, values: Floats) -> tuple[CrisisEquilibria, Floats]:
        key = values.tobytes()
        if key not in self._memory:
            found = crisis_equilibria(**dict(zip(PAYOFFS, values, strict=True)))
            if len(self._memory) > 3:
                self._memory.pop(next(iter(self._memory)))
            self._memory[key] = found, self._by_rule(found)
        return self._memory[key]

    def _by_rule(self, found: CrisisEquilibria) -> Floats:
        rows = np.arange(self.rows)
        if self.high is not None:
            place = np.where(self.high > 0, found.count - 1, 0)
        elif self.counts is None:
            place = np.zeros(self.rows, dtype=np.int64)
        else:
            fit = self._of_each(found)
            place = fit.argmax(axis=1)
        chosen: Floats = found.quantile[rows, place]
        return chosen

    def _of_each(self, found: CrisisEquilibria) -> Floats:
        """Return the log-likelihood of each row in each of its equilibria, shape (n, 3); -inf where there is none."""
        if self.counts is None:
            raise ParameterError("these rows have no outcomes")
        each = _times(self.counts.T[:, None], found.log_outcomes).sum(axis=-1)
        return np.where(np.isnan(found.quantile), -np.inf, each)

    def terms(self, values: Floats, order: int) -> Terms:
        """Return log-likelihoods with derivatives, by the implicit function theorem."""
        if self.counts is None:
            raise ParameterError("these rows have no outcomes")
        return reduced_terms(values, self.equilibrium_quantile(values), self.counts)[:3]

    def selection_cost(self, theta: Floats) -> float:
        """Return the sum of logarithms of numbers of equilibria: what choosing freely among them may have gained."""
        found = self.equilibria(self.equation_values(theta))
        return float(np.log(found.count)[self.weights > 0].sum()) if self.high is None else 0.0

    def at(self, data: Any) -> Self:
        """Return the model at other rows; outcomes and the rule's column are read where they are there."""
        known = all(c in data.columns for c in self.columns.values())
        return replace(
            self,
            designs=tuple(design.at(data) for design in self.designs),
            weights=np.ones(len(data)),
            counts=_counts(data, self.columns) if known else None,
            high=None if self.high is None else _high(data, self.rule, len(data)),
            first=None,
            _memory={},
        )

    def reweight(self, factors: Floats) -> Self:
        """Return the likelihood with the weight of each row multiplied by a factor."""
        return replace(self, weights=self.weights * factors, _memory={})

    @property
    def nobs(self) -> float:
        """Number of plays."""
        plays = np.ones(self.rows) if self.counts is None else self.counts.sum(axis=0)
        return float((self.weights * plays).sum())

    def probabilities(self, theta: Floats) -> Floats:
        """Return the probability of each outcome, shape (n, 4).

        Rows without outcomes that have several equilibria, where the rule is ``"best"``: the mean over equilibria.
        """
        found = self.equilibria(self.equation_values(theta))
        if self.counts is None and self.high is None:
            mean: Floats = np.nansum(found.outcomes, axis=1) / found.count[:, None]
            return mean
        place = np.nanargmin(
            np.abs(found.quantile - self.equilibrium_quantile(self.equation_values(theta))[:, None]), axis=1
        )
        chances: Floats = found.outcomes[np.arange(self.rows), place]
        return chances

    def simulate(self, theta: Floats, generator: np.random.Generator) -> Self:
        """Return the likelihood of data that the model generates, as many plays in each row as it has."""
        plays = np.ones(self.rows) if self.counts is None else self.counts.sum(axis=0)
        chances = self.probabilities(theta)
        chances = chances / chances.sum(axis=1, keepdims=True)
        counts = np.array([generator.multinomial(round(float(n)), p) for n, p in zip(plays, chances, strict=True)])
        return replace(self, counts=counts.T.astype(np.float64), first=None, _memory={})

    def outcome_frame(self) -> Any:
        """Return the counts, or the outcomes, as columns."""
        import pandas as pd

        if self.counts is None:
            raise ParameterError("these rows have no outcomes")
        if "" in self.columns:
            return pd.DataFrame({self.columns[""]: np.array(OUTCOMES)[self.counts.argmax(axis=0)]})
        return pd.DataFrame(dict(zip(self.columns.values(), self.counts, strict=True)))

    def symbol_values(self, theta: Floats) -> dict[str, Floats]:
        """Return the seven payoffs in each row."""
        return dict(zip(PAYOFFS, self.equation_values(theta), strict=True))

    def action_probabilities(self, theta: Floats) -> dict[str, Floats]:
        """Return the chances of a challenge, of resistance and of standing firm."""
        values = self.equation_values(theta)
        found, z = self._solved(values)
        place = np.nanargmin(np.abs(found.quantile - z[:, None]), axis=1)
        rows = np.arange(self.rows)
        return {
            "challenge": found.p_C[rows, place],
            "resist": found.p_R[rows, place],
            "stand firm": found.p_F[rows, place],
        }

    # -- where to start ------------------------------------------------------------------------------------------------

    def starts(self, generator: np.random.Generator, number: int) -> list[Start]:
        """Return two-step estimates followed with tracked roots, the same under the constraint, and random ones.

        A search that ended at a fold, where no root goes on, is left out if another did not.
        """
        resist, firm = self.first_step()
        pseudo = PseudoLikelihood.of(self, resist, firm)
        theta = pseudo.maximise()
        z = ndtri(resist)
        points = []
        for k in range(1, number):
            name = "two-step, constrained" if k == 1 else f"random {k - 1}, constrained"
            origin = theta if k == 1 else theta + generator.normal(0, 0.5, self.size) / self.units
            end = _constrained(self, origin, z)
            if end is not None:
                points.append((name, *_tracked(self, end)))
        rounds = 1 if any(stationary for *_, stationary in points) else 3
        points.append(("two-step, roots tracked", *_tracked(self, theta, rounds)))
        settled = [Start(name, end) for name, end, stationary in points if stationary]
        name, end, _ = max(points, key=lambda point: self.value(point[1]))
        return settled or [Start(name, end)]

    def first_step(self) -> tuple[Floats, Floats]:
        """Return estimates of the chances that B resists and that A stands firm, shape (n,) each."""
        if self.first is not None:
            return np.clip(self.first[0], 0.01, 0.99), np.clip(self.first[1], 0.01, 0.99)
        if self.counts is None:
            raise ParameterError("these rows have no outcomes")
        _, yields, war, back = self.counts * self.weights
        columns = np.concatenate([design.matrix for design in self.designs], axis=1)
        varied = columns[:, np.ptp(columns, axis=0) > 0]
        spread = varied.std(axis=0)
        scaled = (varied - varied.mean(axis=0)) / np.where(spread > 0, spread, 1)
        return (
            _shrunk(scaled, war + back, yields + war + back),
            _shrunk(scaled, war, war + back),
        )


def reduced_terms(values: Floats, z: Floats, counts: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the log-likelihood along the equilibrium, its derivatives in the payoffs, and B's gain left at z.

    In the limit equilibrium, where B never resists, only the status quo can be, for sure.
    """
    limit = np.isneginf(z)
    with np.errstate(all="ignore"):
        rows, g, H, gain, gain_x, gain_xx = row_terms(values, np.where(limit, 0.0, z), counts)
        slope = -gain_x[:7] / gain_x[_Z]
        multiplier = -g[_Z] / gain_x[_Z]
        lagrangian = H + multiplier * gain_xx
    across = lagrangian[:7, _Z]
    bends = (
        lagrangian[:7, :7]
        + across[:, None] * slope[None]
        + slope[:, None] * across[None]
        + lagrangian[_Z, _Z] * slope[:, None] * slope[None]
    )
    slopes = g[:7] + g[_Z] * slope
    if limit.any():
        rows = np.where(limit, np.where(counts[1:].sum(axis=0) > 0, -np.inf, 0.0), rows)
        slopes, bends, gain = np.where(limit, 0.0, slopes), np.where(limit, 0.0, bends), np.where(limit, 0.0, gain)
    return rows, slopes, bends, gain


def _shrunk(regressors: Floats, hits: Floats, trials: Floats) -> Floats:
    """Return success frequencies, shrunk towards a ridge logit regression on the regressors."""
    matrix = np.column_stack([np.ones(len(trials)), regressors])
    ridge = np.r_[1e-3, np.ones(regressors.shape[1])]
    coefficients = np.zeros(matrix.shape[1])
    for _ in range(30):
        p = expit(matrix @ coefficients)
        gradient = matrix.T @ (hits - trials * p) - ridge * coefficients
        hessian = matrix.T @ ((trials * p * (1 - p))[:, None] * matrix) + np.diag(ridge)
        step = np.linalg.solve(hessian, gradient)
        coefficients = coefficients + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-8:
            break
    p = expit(matrix @ coefficients)
    return np.clip((hits + _PRIOR * p) / (trials + _PRIOR), 0.01, 0.99)


class _Tracked:
    """The log-likelihood along roots that are followed by Newton's method from where they were."""

    def __init__(self, likelihood: CrisisLikelihood, z: Floats) -> None:
        self.likelihood, self.z, self.trial = likelihood, z, z

    def __call__(self, theta: Floats) -> tuple[float, Floats, Floats]:
        own = self.likelihood
        assert own.counts is not None
        values, z = own.equation_values(theta), self.z.copy()
        lost = (-np.inf, np.zeros(own.size), -np.eye(own.size))
        with np.errstate(all="ignore"):
            for _ in range(8):
                *_, gain, gain_x, _ = row_terms(values, z, own.counts)
                step = np.where(np.isneginf(z), 0.0, -gain / gain_x[_Z])
                if not np.isfinite(step).all():
                    return lost
                z = z + np.clip(step, -0.3, 0.3)
                if np.abs(step).max() < 1e-12:
                    break
            else:
                return lost
            rows, slopes, bends, _ = reduced_terms(values, z, own.counts)
        self.trial = z
        total = float(own.weighted(rows).sum())
        if not np.isfinite(total):
            return lost
        return total, gradient_of(own.designs, own.weighted(slopes)), hessian_of(own.designs, own.weighted(bends))


def _tracked(likelihood: CrisisLikelihood, theta: Floats, rounds: int = 3) -> tuple[Floats, bool]:
    """Return where Newton's method leads with roots tracked, and whether the gradient vanishes there.

    At the end of each round each row takes its equilibrium anew.
    """
    value, stationary = likelihood.value(theta), False
    for _ in range(rounds):
        objective = _Tracked(likelihood, likelihood.equilibrium_quantile(likelihood.equation_values(theta)))
        end, settled = _climb(objective, theta, likelihood.units)
        reached = likelihood.value(end)
        if not reached > value + 1e-9:
            return theta, stationary or settled
        theta, value, stationary = end, reached, settled
    return theta, stationary


def _climb(objective: _Tracked | _Plain, theta: Floats, units: Floats, steps: int = 60) -> tuple[Floats, bool]:
    """Maximise in a trust region, in units of utility; say whether nothing more is to be gained."""
    value, gradient, hessian = objective(theta)
    if not np.isfinite(value):
        return theta, False
    radius = 1.0
    for _ in range(steps):
        curvature, directions = np.linalg.eigh(-hessian / np.outer(units, units))
        along = directions.T @ (gradient / units)
        shift = max(0.0, 1e-8 + 1e-12 * float(np.abs(curvature).max()) - float(curvature[0]))
        step = along / (curvature + shift)
        if np.linalg.norm(step) > radius:
            low, high = shift, shift + float(np.linalg.norm(along)) / radius + abs(float(curvature[0]))
            for _ in range(50):
                middle = (low + high) / 2
                long = np.linalg.norm(along / (curvature + middle)) > radius
                low, high = (middle, high) if long else (low, middle)
            step = along / (curvature + high)
        promised = float(along @ step - 0.5 * (curvature * step * step).sum())
        trial = objective(theta + directions @ step / units)
        ratio = (trial[0] - value) / promised if promised > 0 else 0.0
        if promised < 1e-9 or radius < 1e-7:
            end = theta + directions @ step / units if trial[0] >= value else theta
            return end, promised < 1e-6
        if ratio > 1e-4:
            theta = theta + directions @ step / units
            value, gradient, hessian = trial
            objective.z = objective.trial
        if not ratio >= 0.25:
            radius = 0.25 * float(np.linalg.norm(step))
        elif ratio > 0.75:
            radius = max(radius, 2 * float(np.linalg.norm(step)))
    return theta, False


def _constrained(likelihood: CrisisLikelihood, theta: Floats, z: Floats, budget: int = 120) -> Floats | None:
    r"""Return where the augmented Lagrangian leads with every z free; None if it does not become feasible.

    :math:`\sum \ell_i + \lambda_i h_i - (\rho / 2) h_i^2` is maximised by Newton's method over the coefficients and all
    z at once; the Hessian is an arrow, so that z is eliminated row by row.
    """
    assert likelihood.counts is not None
    own, units, weight = likelihood, likelihood.units, np.maximum(likelihood.weights, 1e-12)
    multiplier, penalty, before, used = np.zeros(own.rows), 10.0, np.inf, 0

    def lagrangian(theta: Floats, z: Floats) -> tuple[float, tuple[Floats, ...]]:
        with np.errstate(all="ignore"):
            found = row_terms(own.equation_values(theta), z, own.counts)  # type: ignore[arg-type]
            total = float((weight * (found[0] + multiplier * found[3] - penalty / 2 * found[3] ** 2)).sum())
        return (total if np.isfinite(total) else -np.inf), found

    for outer in range(25):
        value, found = lagrangian(theta, z)
        if not np.isfinite(value):
            return None
        while used < budget:
            used += 1
            _, g, H, gain, gain_x, gain_xx = found
            mu = multiplier - penalty * gain
            slope = weight * (g + mu * gain_x)
            bend = -weight * (H + mu * gain_xx - penalty * gain_x[:, None] * gain_x[None])
            own_bend = np.maximum(np.abs(bend[_Z, _Z]), 1e-6)
            matrix = hessian_of(own.designs, bend[:7, :7] - bend[:7, _Z][:, None] * bend[_Z, :7][None] / own_bend)
            vector = gradient_of(own.designs, slope[:7] - bend[:7, _Z] * slope[_Z] / own_bend) / units
            curvature, directions = np.linalg.eigh(matrix / np.outer(units, units))
            step = directions @ ((directions.T @ vector) / np.maximum(np.abs(curvature), 1e-4))
            step = step / max(1.0, float(np.abs(step).max())) / units
            moved = own.equation_values(theta + step) - own.equation_values(theta)
            step_z = np.clip((slope[_Z] - (bend[_Z, :7] * moved).sum(axis=0)) / own_bend, -1, 1)
            promised = float(gradient_of(own.designs, slope[:7]) @ step + (slope[_Z] * step_z).sum())
            share = 1.0
            trial, there = lagrangian(theta + step, z + step_z)
            while not trial >= value + 1e-4 * share * promised and share > 1e-8:
                share /= 2
                trial, there = lagrangian(theta + share * step, z + share * step_z)
            gained = trial - value
            if not gained >= 0:
                break
            theta, z, value, found = theta + share * step, z + share * step_z, trial, there
            if gained < (1e-3 if outer < 6 else 1e-8):
                break
        violation = float(np.abs(found[3]).max())
        if violation < 1e-9:
            return theta
        if used >= budget:
            return theta if violation < 1e-6 else None
        multiplier = multiplier - penalty * found[3]
        if violation > 0.25 * before:
            penalty *= 4
        before = violation
    return None


def _charged(fit: Fit, likelihood: CrisisLikelihood, charge: bool) -> Fit:
    """Return the fit with its maxima compared after charging the choice of equilibria, and what there is to say."""
    runs = (*fit.search.optima, *fit.search.runs)
    costs = {id(run): likelihood.selection_cost(run.theta) if charge else 0.0 for run in runs}

    def worth(run: Optimum) -> float:
        return run.value - costs[id(run)]

    optima = tuple(sorted(fit.search.optima, key=lambda run: -worth(run)))
    top = max(fit.search.runs, key=worth)
    best = optima[0] if optima else top
    higher = top if worth(top) > worth(best) + 1e-6 * max(1.0, abs(best.value)) else None
    counts = np.bincount(likelihood.equilibria(likelihood.equation_values(best.theta)).count, minlength=4)[1:]
    notes = {
        **fit.notes,
        "Equilibrium": likelihood.rule,
        "Games with 1, 2, 3 equilibria": ", ".join(map(str, counts)),
    }
    freer = max(fit.search.runs, key=lambda run: run.value)
    if freer.value > best.value + 1e-6 * max(1.0, abs(best.value)) and freer is not higher:
        notes["Higher by choice"] = (
            f"a search reached {freer.value:.6g} where games may choose among more equilibria; charged for the choice "
            f"it is worth {worth(freer):.6g}, this fit {worth(best):.6g}"
        )
    search = Search(best=best, higher=higher, optima=optima, runs=fit.search.runs)
    return replace(fit, search=search, notes=notes)


# -- pseudo-likelihood ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class PseudoLikelihood(CrisisLikelihood):
    """The likelihood when each player responds to given chances of the other's move.

    Attributes
    ----------
    resist, firm : ndarray, shape (n,)
        Chances that B resists, to which A responds, and that A stands firm, to which B does.
    """

    resist: Floats = field(default_factory=lambda: np.zeros(0))
    firm: Floats = field(default_factory=lambda: np.zeros(0))
    title: str = "Crisis-signaling game, pseudo-likelihood"

    @classmethod
    def of(cls, full: CrisisLikelihood, resist: Floats, firm: Floats) -> PseudoLikelihood:
        """Return the pseudo-likelihood of the same rows."""
        return cls(
            designs=full.designs, weights=full.weights, counts=full.counts, columns=full.columns, rule=full.rule,
            high=full.high, resist=resist, firm=firm,
        )  # fmt: skip

    def responses(self, values: Floats) -> tuple[Floats, Floats]:
        """Return the best responses: chances that B resists and that A stands firm."""
        odds = 1 / self.firm - 1
        z = values[_B] - values[_C] + (values[_X] - values[_C]) * odds
        S, V = values[_S], values[_V]
        _, log_firm, _ = challenger(S + (S - V) * (1 / self.resist - 1), values[_W], values[_A])
        return np.exp(log_ndtr(z)), np.exp(log_firm)

    def terms(self, values: Floats, order: int) -> Terms:
        """Return log-likelihoods with derivatives: A's part at the given resistance, B's at the given firmness."""
        assert self.counts is not None
        with np.errstate(all="ignore"):
            given = ndtri(self.resist)
            rows, g, H, *_ = row_terms(values, given, self.counts)
            odds = 1 / self.firm - 1
            z = values[_B] - values[_C] + (values[_X] - values[_C]) * odds
            yields, resists = self.counts[1], self.counts[2] + self.counts[3]
            r, q = np.exp(-z * z / 2 - _LOG - log_ndtr(z)), np.exp(-z * z / 2 - _LOG - log_ndtr(-z))
            rows = (
                rows + _times(yields, log_ndtr(-z) - log_ndtr(-given)) + _times(resists, log_ndtr(z) - log_ndtr(given))
            )
        slopes, bends = g[:7].copy(), H[:7, :7].copy()
        by_payoff = np.zeros_like(slopes)
        by_payoff[_B], by_payoff[_C], by_payoff[_X] = 1.0, -1 - odds, odds
        slopes += by_payoff * (resists * r - yields * q)
        bends += by_payoff[:, None] * by_payoff[None] * (-resists * r * (z + r) - yields * q * (q - z))
        return rows, slopes, bends

    def maximise(self) -> Floats:
        """Return its maximum from zero: a start for the full likelihood."""
        return _climb(_Plain(self), np.zeros(self.size), self.units)[0]

    def starts(self, generator: np.random.Generator, number: int) -> list[Start]:
        """Return zero: B's part is concave and A's well behaved from there."""
        return [Start("zero", np.zeros(self.size))]


class _Plain:
    """A likelihood in the form that ``_climb`` takes."""

    def __init__(self, likelihood: PseudoLikelihood) -> None:
        self.likelihood = likelihood
        self.z = self.trial = np.zeros(0)

    def __call__(self, theta: Floats) -> tuple[float, Floats, Floats]:
        value, gradient, hessian = self.likelihood.evaluate(theta)
        fine = np.isfinite(value) and np.isfinite(gradient).all() and np.isfinite(hessian).all()
        return (value, gradient, hessian) if fine else (-np.inf, gradient, hessian)


def _pseudo(likelihood: CrisisLikelihood, method: Method, options: dict[str, Any]) -> Fit:
    """Return the two-step fit, or its iteration."""
    resist, firm = likelihood.first_step()
    fit = maximum_likelihood(PseudoLikelihood.of(likelihood, resist, firm), starts=1, **options)
    text = "standard errors ignore that the first step is estimated"
    notes = {"Method": "two-step pseudo-likelihood", "Note": text}
    if method == "npl":
        theta, change, steps = fit.theta, np.inf, 0
        while change > 1e-9 and steps < _NPL_STEPS:
            steps += 1
            pseudo = PseudoLikelihood.of(likelihood, resist, firm)
            new_resist, new_firm = pseudo.responses(pseudo.equation_values(theta))
            new_resist, new_firm = np.clip(new_resist, 1e-9, 1 - 1e-9), np.clip(new_firm, 1e-9, 1 - 1e-9)
            change = float(max(np.abs(new_resist - resist).max(), np.abs(new_firm - firm).max()))
            resist, firm = new_resist, new_firm
            theta = _climb(_Plain(PseudoLikelihood.of(likelihood, resist, firm)), theta, likelihood.units)[0]
        fit = maximum_likelihood(PseudoLikelihood.of(likelihood, resist, firm), **{**options, "starts": theta})
        notes = {"Method": f"nested pseudo-likelihood, {steps} iterations", "Note": text}
        if change > 1e-9:
            best = replace(
                fit.search.best, status="not converged",
                message=f"the iteration of best responses did not settle: chances still move by {change:.2g}",
            )  # fmt: skip
            fit = replace(fit, search=Search(best=best, higher=None, optima=(), runs=(best,)))
    return replace(fit, notes={**fit.notes, **notes})
