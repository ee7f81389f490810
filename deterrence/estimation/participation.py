r"""Estimate what fighting costs allies, from who came: the costs of a participation game, by maximum likelihood.

A row is a member on one occasion. Its private cost of fighting has a known family (normal, logistic or lognormal), a
location that is linear in regressors and a scale whose logarithm is; stakes, forces, penalties and attack are given
numbers of the game. In a threshold equilibrium a member comes if its cost is at most its cutpoint,

.. math:: c_i^* = s_i \, E[H(S_{-i} + w_i) - H(S_{-i})] + r_i, \qquad q_i = e_i F_i(c_i^*),

where the expectation is over who else comes, with chances :math:`q_{-i}`. Costs are independent given the regressors,
so that who came on an occasion has the probability :math:`\prod_i q_i^{y_i} (1 - q_i)^{1 - y_i}`; it is averaged over
the state of the treaty (invoked or not), unless that is seen, and over equilibria [1]_, [2]_. Equilibria are those that
best responses reach from nobody and from everybody: among complements the lowest and the highest, which bound others.

Derivatives follow the equilibrium by the implicit function theorem. What is estimated is in units of the stakes.

References
----------
.. [1] T. Bresnahan and P. Reiss, "Entry and Competition in Concentrated Markets", J. Polit. Econ. 99 (1991), 977-1009.
.. [2] P. Bajari, H. Hong, J. Krainer and D. Nekipelov, "Estimating Static Models of Strategic Interactions", J. Bus.
   Econ. Stat. 28 (2010), 469-482.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, log_ndtr, logsumexp

from deterrence.alliances.participation import ParticipationGame, ParticipationStage
from deterrence.alliances.solving.batch import participation_batch
from deterrence.alliances.solving.expected_defence import batch_defence, gain_slopes
from deterrence.alliances.solving.iteration import cutpoints_from
from deterrence.alliances.solving.participation import stage_equilibria
from deterrence.estimation.covariance import Kind, cluster_codes
from deterrence.estimation.data import Missing, check_columns, frame_of, numbers_of, row_name
from deterrence.estimation.formulas import Design, columns_of
from deterrence.estimation.likelihood import Floats, Likelihood, Start
from deterrence.estimation.maximum_likelihood import STARTS, maximum_likelihood
from deterrence.estimation.optimise import ITERATIONS
from deterrence.estimation.result import Fit
from deterrence.games.distributions import Distribution, DistributionRow
from deterrence.games.errors import GameError, ParameterError, SolverError
from deterrence.games.quantities import check_names

if TYPE_CHECKING:
    import pandas as pd

COST, SCALE, SELECTION = "cost", "log scale", "selection of the highest"
FAMILIES = ("normal", "logistic", "lognormal")
RULES = ("uniform", "lowest", "highest")
Equilibria: TypeAlias = Literal["extreme", "all"]

_CHUNK = 512  # occasions solved at a time
_ROUNDS = 30  # of the search for an equilibrium from one nearby
_STEP = 1e-4  # of the differences of scores that make the Hessian, in units of utility


def fit_participation(
    game: ParticipationGame,
    data: Any,
    *,
    outcome: str,
    occasion: str,
    member: str,
    utilities: Mapping[str, Any],
    scale: Any = None,
    attack: str | None = None,
    given: Mapping[str, str] | None = None,
    invoked: str | None = None,
    selection: str = "uniform",
    equilibria: Equilibria = "extreme",
    weights: str | Sequence[float] | None = None,
    cluster: str | Sequence[Any] | None = None,
    covariance: Kind | None = None,
    penalty: Any = None,
    starts: Any = STARTS,
    seed: int | None = 0,
    missing: Missing = "drop",
    iterations: int = ITERATIONS,
) -> Fit:
    """Estimate the distributions of members' costs.

    Parameters
    ----------
    game : ParticipationGame
        With numbers for all but costs; the family of the members' costs is kept (one for all: normal, logistic or
        lognormal).
    data : table
        A row for each member on each occasion; every member once on every occasion.
    outcome : str
        A column: 1 if the member came, 0 if it stayed out, missing if that is not known.
    occasion, member : str
        The columns that say which occasion a row belongs to, and whose row it is (names of the game).
    utilities : mapping
        ``{"cost": formula}``: of the location of the cost distribution (the mean; of a lognormal the mean of the
        logarithm), in units of the stakes.
    scale : number or formula, optional
        Of the cost distribution: a number is known, a formula (``"1"`` for one constant) is that of its logarithm. By
        default each member has the scale of its cost in ``game``.
    attack : str, optional
        The kind of attack, where the game has several.
    given : mapping of path to column, optional
        Numbers of the game that differ between occasions: ``{"attacks.*.strength": "strength"}`` (the same in all rows
        of an occasion), ``{"members.*.stake": "stake"}`` (the row's own).
    invoked : str, optional
        A column: 1 where the treaty was invoked, 0 where it was not. By default the game's own chance of that.
    selection : str
        Which of two equilibria an occasion is in: ``"uniform"``, ``"lowest"``, ``"highest"``, or a formula of the log
        odds that it is the highest (the same in all rows of an occasion).
    equilibria : {"extreme", "all"}
        The two that best responses reach from nobody and from everybody; or all that ``dt.participation`` finds, each
        as likely as the others, which takes some 10 ms for each occasion at each point of the search.
    weights, cluster, covariance, penalty, starts, seed, missing, iterations
        As in ``fit``. Occasions are kept whole: dropped if a row lacks a value, drawn together in a bootstrap, and
        within one cluster.

    Returns
    -------
    Fit
        ``fit.game(row)`` is the participation game in which all members have the regressors of the row.

    Raises
    ------
    ParameterError
        If a column, member, path, formula or option is wrong, or an occasion lacks a member or has one twice.
    GameError
        If the game is a batch, or its costs are of families that are not fitted.
    """
    if game.batch_shape:
        raise GameError("fit takes one participation game, got a batch; the occasions of the data are the batch")
    families = {m.cost.family for m in game.members}
    if len(families) != 1 or not families <= set(FAMILIES):
        raise GameError(
            f"fit takes costs of one family, {', '.join(FAMILIES)}; members' costs are {', '.join(sorted(families))}"
        )
    if equilibria not in ("extreme", "all"):
        raise ParameterError(f"equilibria must be 'extreme' or 'all', got {equilibria!r}")
    if equilibria == "all" and selection != "uniform":
        raise ParameterError(
            "equilibria='all' takes selection='uniform': there may be more than a lowest and a highest"
        )
    check_names(utilities, (COST,), "costs of participation")
    paths = {str(path): column for path, column in (given or {}).items()}
    formulas = {COST: utilities[COST], SCALE: _log_scale(game, scale), SELECTION: _selection(selection)}
    table = frame_of(data)
    texts = [c for c in (weights, cluster) if isinstance(c, str)]
    used = [c for equation, formula in formulas.items() for c in columns_of(formula, equation)]
    needed = [occasion, member, *used, *texts, *paths.values(), *([] if invoked is None else [invoked])]
    check_columns(table, [*needed, outcome], "outcome, occasion, member, given or formula")
    order, dropped = _order(table, occasion, member, game.names, list(dict.fromkeys(needed)), missing)
    frame = table.iloc[order]
    model = _Model(game, attack, families.pop(), occasion, member, outcome, paths, invoked, selection, equilibria)
    members, changes = len(game.names), model.changes(frame)
    likelihood = ParticipationLikelihood(
        designs=_designs(model, formulas, frame),
        weights=_by_occasion(_values(table, weights, "weights", 1.0)[order], members, "weights", frame, occasion),
        model=model,
        stages=model.stages(frame, changes),
        came=_came(frame, outcome).reshape(-1, members),
        given=changes,
    )
    if not likelihood.size:
        raise ParameterError("nothing is left to estimate: the cost is a fixed number; give it a formula")
    codes = np.repeat(np.arange(len(frame) // members), members)
    if cluster is not None:
        own = frame[cluster].to_numpy() if isinstance(cluster, str) else np.asarray(cluster)[order]
        codes = cluster_codes(own, "cluster")
        _by_occasion(codes.astype(np.float64), members, "cluster", frame, occasion)
    return maximum_likelihood(
        likelihood, frame=frame, dropped=dropped, clusters=codes, penalty=penalty, starts=starts, seed=seed,
        kind=covariance or ("hessian" if cluster is None else "clustered"), iterations=iterations,
        game=ParametricParticipation(game, (COST, *paths)),
    )  # fmt: skip


def _log_scale(game: ParticipationGame, scale: Any) -> Any:
    if scale is None:
        scales = {float(m.cost.scale) for m in game.members}
        if len(scales) > 1:
            raise ParameterError(
                "members' costs have different scales in the game; say what they are made of: scale='C(member)', or a "
                "number"
            )
        return float(np.log(scales.pop()))
    if isinstance(scale, str):
        return scale
    if isinstance(scale, bool) or not isinstance(scale, int | float | np.number) or not 0 < float(scale) < np.inf:
        raise ParameterError(f"scale of the costs must be a number above 0 or a formula such as '1', got {scale!r}")
    return float(np.log(float(scale)))


def _selection(selection: Any) -> Any:
    if not isinstance(selection, str):
        raise ParameterError(f"selection must be {', '.join(map(repr, RULES))} or a formula, got {selection!r}")
    return 0.0 if selection in RULES else selection


def _order(
    table: pd.DataFrame, occasion: str, member: str, names: Sequence[str], needed: Sequence[str], missing: Missing
) -> tuple[NDArray[np.int64], int]:
    """Return the rows, occasion by occasion and in the order of the game's members, and how many were dropped."""
    import pandas as pd

    if missing not in ("drop", "raise"):
        raise ParameterError(f"missing must be 'drop' or 'raise', got {missing!r}")
    strange = [x for x in table[member].dropna().astype(str).unique() if x not in names]
    if strange:
        raise ParameterError(f"column {member!r} holds {strange[0]!r}, who is no member; they are {', '.join(names)}")
    gaps = table[list(needed)].isna().any(axis=1).to_numpy()
    if gaps.any() and missing == "raise":
        row = row_name(table.index, np.flatnonzero(gaps)[0])
        raise ParameterError(f"row {row} lacks a value; drop its occasion, or pass missing='drop'")
    codes, values = pd.factorize(table[occasion])
    labels = values.tolist()
    whole = ~np.isin(codes, codes[gaps]) & (codes >= 0)
    if not whole.any():
        raise ParameterError("no occasion is complete: each lacks a value in some row")
    place = np.array([list(names).index(str(x)) if x == x else -1 for x in table[member]])
    rows = np.flatnonzero(whole)
    for code in np.unique(codes[rows]):
        here = place[rows[codes[rows] == code]]
        absent = [name for i, name in enumerate(names) if i not in here]
        if absent:
            raise ParameterError(
                f"occasion {labels[code]!r} lacks the member {absent[0]!r}; every member needs a row on every occasion "
                "(with a missing outcome where it is not known)"
            )
        if len(here) > len(names):
            twice = names[int(np.bincount(here).argmax())]
            raise ParameterError(f"occasion {labels[code]!r} has the member {twice!r} twice")
    order = rows[np.lexsort((place[rows], codes[rows]))]
    return order, len(table) - len(order)


def _values(table: pd.DataFrame, given: Any, what: str, default: float) -> Floats:
    if given is None:
        return np.full(len(table), default)
    if isinstance(given, str):
        return numbers_of(table.fillna({given: default}), given, what, low=0.0)
    values = np.asarray(given, dtype=np.float64)
    if values.shape != (len(table),) or not (values >= 0).all() or not np.isfinite(values).all():
        raise ParameterError(f"{what} must be one number of at least 0 for each of {len(table)} rows")
    return values


def _by_occasion(values: Floats, members: int, what: str, frame: pd.DataFrame, occasion: str) -> Floats:
    """Return values that are the same within each occasion, as they are."""
    grouped = values.reshape(-1, members)
    differing = np.flatnonzero(np.ptp(grouped, axis=1) > 0)
    if differing.size:
        label = row_name(frame[occasion].tolist(), differing[0] * members)
        raise ParameterError(f"{what} must be the same for all members of an occasion, but differ in {label}")
    return values


def _came(frame: pd.DataFrame, outcome: str) -> Floats:
    try:
        came = frame[outcome].to_numpy(dtype=np.float64)
    except (TypeError, ValueError):
        raise ParameterError(f"column {outcome!r} must hold 1 (came) and 0 (stayed out), got words") from None
    wrong = np.flatnonzero(~np.isnan(came) & ~np.isin(came, (0.0, 1.0)))
    if wrong.size:
        raise ParameterError(
            f"column {outcome!r} must hold 1 (came) and 0 (stayed out), got {came[wrong[0]]:g} in row "
            f"{row_name(frame.index, wrong[0])}"
        )
    if np.isnan(came).all():
        raise ParameterError(f"column {outcome!r} is missing in every row")
    return came


def _designs(model: _Model, formulas: Mapping[str, Any], frame: pd.DataFrame) -> tuple[Design, ...]:
    designs = tuple(Design.of(formula, frame, equation) for equation, formula in formulas.items())
    members = len(model.game.names)
    for column, name in zip(designs[2].matrix.T, designs[2].names, strict=True):
        _by_occasion(column, members, f"regressor {name!r}", frame, model.occasion)
    return designs


@dataclass(frozen=True, eq=False)
class ParametricParticipation:
    """A participation game whose costs, and what is given by occasion, are parameters: ``at`` puts values."""

    game: ParticipationGame
    given: tuple[str, ...]

    @property
    def parameters(self) -> tuple[str, ...]:
        """Paths of the numbers that a fit gives: locations and scales of members' costs, and given numbers."""
        names = self.game.names
        own = [f"members.{n}.cost.{part}" for n in names for part in ("location", "scale")]
        paths = [p for path in self.given if path != COST for p in _single_paths(path, names)]
        return (*own, *paths)

    def at(self, **values: float) -> ParticipationGame:
        """Return the game at values of the parameters."""
        members = tuple(
            replace(
                m,
                cost=Distribution(
                    family=m.cost.family,
                    location=values[f"members.{m.name}.cost.location"],
                    scale=values[f"members.{m.name}.cost.scale"],
                ),
            )
            for m in self.game.members
        )
        rest = {path: value for path, value in values.items() if ".cost." not in path}
        game = replace(self.game, members=members)
        return game.at(**rest) if rest else game


def _single_paths(path: str, names: Sequence[str]) -> list[str]:
    return [f"members.{n}{path.removeprefix('members.*')}" for n in names] if path.startswith("members.*") else [path]


@dataclass(frozen=True, eq=False)
class _Model:
    """What does not depend on the data: the game, and which columns hold what."""

    game: ParticipationGame
    attack: str | None
    family: str
    occasion: str
    member: str
    outcome: str
    given: Mapping[str, str]
    invoked: str | None
    selection: str
    equilibria: Equilibria

    def changes(self, frame: pd.DataFrame) -> dict[str, Floats]:
        """Return the given numbers by path, one for each occasion."""
        names, result = self.game.names, {}
        for path, column in self.given.items():
            values = numbers_of(frame, column, f"given {path!r}")
            rows = values.reshape(-1, len(names))
            if not path.startswith("members.*"):
                _by_occasion(values, len(names), f"column {column!r}", frame, self.occasion)
                result[path] = rows[:, 0]
                continue
            for i, single in enumerate(_single_paths(path, names)):
                result[single] = rows[:, i]
        return result

    def stages(
        self, frame: pd.DataFrame, changes: Mapping[str, Floats]
    ) -> tuple[tuple[ParticipationStage, Floats], ...]:
        """Return the stage in each state of the treaty, with the logarithm of its probability on each occasion."""
        game = self.game.at(**changes) if changes else self.game
        occasions = len(frame) // len(self.game.names)
        chance = game.invocation(game.attack(self.attack).name)
        probability = np.broadcast_to(np.asarray(chance.probability, dtype=np.float64), (occasions,))
        if self.invoked is not None:
            seen = numbers_of(frame, self.invoked, "invoked")
            _by_occasion(seen, len(self.game.names), f"column {self.invoked!r}", frame, self.occasion)
            if not np.isin(seen, (0.0, 1.0)).all():
                raise ParameterError(f"column {self.invoked!r} must hold 1 (invoked) and 0 (not invoked)")
            probability = seen.reshape(occasions, -1)[:, 0]
        stages = []
        for yes, weight in ((True, probability), (False, 1 - probability)):
            if (weight > 0).any():
                position = None if yes else chance.recognition_if_not
                stage = game.stage(self.attack, invoked=yes, position=position)
                with np.errstate(divide="ignore"):
                    stages.append((stage, np.log(weight)))
        return tuple(stages)


@dataclass(frozen=True, eq=False)
class _Component:
    """One equilibrium in one state of the treaty, on every occasion.

    Attributes
    ----------
    log_state : ndarray, shape (O,)
        Logarithm of the probability of the state; -inf where no equilibrium was reached.
    highest : bool or None
        Whether it is the highest of two; None where there is one on every occasion.
    cutpoints, probabilities : ndarray, shape (O, N)
    stage : ParticipationStage
    """

    log_state: Floats
    highest: bool | None
    cutpoints: Floats
    probabilities: Floats
    stage: ParticipationStage


@dataclass(frozen=True, eq=False)
class ParticipationLikelihood(Likelihood):
    """Who came, member by member; the log-likelihood of an occasion stands in its first row.

    Attributes
    ----------
    designs : tuple of 3 Design
        Of the location, the log scale and the selection; n = occasions x members rows.
    weights : ndarray, shape (n,)
    model : _Model
    stages : tuple of (ParticipationStage, ndarray)
    came : ndarray, shape (O, N), or None
        1, 0, or NaN where it was not seen.
    given : mapping of path to ndarray, shape (O,)
        Numbers of the game that differ between occasions.
    alike : bool
        Whether rows stand for occasions on which all members are like the row: what a table without occasions means.
    back : ndarray of int, shape (n,), or None
        Where each row of the table stands here.
    """

    designs: tuple[Design, ...]
    weights: Floats
    model: _Model
    stages: tuple[tuple[ParticipationStage, Floats], ...]
    came: Floats | None
    given: Mapping[str, Floats] = field(default_factory=dict)
    alike: bool = False
    back: NDArray[np.int64] | None = None
    outcomes: tuple[str, ...] = ("comes", "stays out")
    title: str = "Participation game, costs of members"
    _memory: dict[bytes, Any] = field(default_factory=dict, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_memory": {}}

    @property
    def names(self) -> tuple[str, ...]:  # type: ignore[override]
        """Names of the coefficients."""
        return tuple(name for design in self.designs for name in design.names)

    @property
    def units(self) -> Floats:  # type: ignore[override]
        """Root mean squares of the regressors."""
        return np.concatenate([design.units for design in self.designs])

    @property
    def regressors(self) -> tuple[str, ...]:
        """Columns that the formulas read, and those with given numbers."""
        columns = [c for design in self.designs for c in columns_of(design.formula, design.equation)]
        return tuple(dict.fromkeys([*columns, *self.model.given.values()]))

    @property
    def nobs(self) -> float:
        """Number of decisions that were seen."""
        seen = np.ones(self.rows) if self.came is None else ~np.isnan(self.came.ravel())
        return float((self.weights * seen).sum())

    @property
    def members(self) -> int:
        """Number of members, N."""
        return len(self.model.game.names)

    def _numbers(self, theta: Floats) -> tuple[Floats, Floats, Floats]:
        """Return locations and scales, (O, N), and log odds of the highest equilibrium, (O,)."""
        ends = np.cumsum([design.matrix.shape[1] for design in self.designs])
        parts = np.split(np.asarray(theta, dtype=np.float64), ends[:-1])
        cost, log_scale, odds = (
            design.values(part).reshape(-1, self.members) for design, part in zip(self.designs, parts, strict=True)
        )
        return cost, np.exp(log_scale), odds[:, 0]

    def _mixture(self, theta: Floats) -> list[_Component]:
        """Return the equilibria in each state of the treaty."""
        key = np.ascontiguousarray(theta).tobytes()
        if key in self._memory:
            known: list[_Component] = self._memory[key]
            return known
        location, scale, _ = self._numbers(theta)
        result = []
        for stage, log_state in self.stages:
            whole = replace(stage, costs=_costs(self.model.family, location, scale))
            if self.model.equilibria == "all":
                result += _all_components(whole, log_state, len(location))
                continue
            found = participation_batch(whole, chunk=_CHUNK)
            reached = np.where(found.converged, log_state, -np.inf)
            ends = ((found.lowest, False), (found.highest, True)) if found.several.any() else ((found.lowest, None),)
            for end, highest in ends:
                q = np.broadcast_to(end.probabilities, location.shape)
                cut = np.broadcast_to(end.cutpoints, location.shape)
                result.append(_Component(reached, highest, cut, q, whole))
        if len(self._memory) > 3:
            self._memory.pop(next(iter(self._memory)))
        self._memory[key] = result
        return result

    def _followed(self, theta: Floats, near: Sequence[_Component]) -> list[_Component]:
        """Return the same equilibria at a point nearby."""
        location, scale, _ = self._numbers(theta)
        costs, result = _costs(self.model.family, location, scale), []
        for part in near:
            stage = replace(part.stage, costs=costs)
            end = cutpoints_from(stage, batch_defence(stage), part.probabilities, iterations=_ROUNDS, anywhere=True)
            result.append(replace(part, cutpoints=end.cutpoints, probabilities=end.probabilities, stage=stage))
        return result

    def _log_weights(self, mixture: Sequence[_Component], odds: Floats) -> tuple[Floats, Floats]:
        """Return the logarithm of each equilibrium's probability, and its derivative in the log odds, (C, O) each."""
        rule = {"lowest": -np.inf, "highest": np.inf, "uniform": 0.0}.get(self.model.selection)
        high = odds if rule is None else np.full_like(odds, rule)
        logs, slopes = [], []
        for part in mixture:
            sign = 0.0 if part.highest is None else 1.0 if part.highest else -1.0
            logs.append(part.log_state + (log_expit(sign * high) if sign else 0.0))
            slopes.append(sign * expit(-sign * high) if sign else np.zeros_like(odds))
        return np.stack(logs), np.stack(slopes)

    def loglik(self, theta: Floats) -> Floats:
        """Return the weighted log-likelihood of each row: that of an occasion in its first row."""
        return self._first_rows(self._evaluated(theta, slopes=False)[0])

    def scores(self, theta: Floats) -> Floats:
        """Return the derivatives of ``loglik``, shape (n, K)."""
        return self._scores(theta, None)

    def evaluate(self, theta: Floats) -> tuple[float, Floats, Floats]:
        """Return the log-likelihood, its gradient (K,) and its Hessian (K, K), by differences of the scores.

        Near a point each equilibrium is followed from where it is there.
        """
        value, gradient = self.value(theta), self.scores(theta).sum(axis=0)
        hessian = np.full((self.size, self.size), np.nan)
        if not np.isfinite(value):
            return value, gradient, hessian
        here = self._mixture(theta)
        for k, step in enumerate(_STEP / self.units):
            e = np.zeros(self.size)
            e[k] = step
            ahead, behind = (self._scores(theta + sign * e, here).sum(axis=0) for sign in (1, -1))
            hessian[k] = (ahead - behind) / (2 * step)
        return value, gradient, (hessian + hessian.T) / 2

    def _scores(self, theta: Floats, near: Sequence[_Component] | None) -> Floats:
        _, cost, log_scale, odds = self._evaluated(theta, slopes=True, near=near)
        columns = []
        for design, slope in zip(self.designs, (cost, log_scale), strict=False):
            product = slope.reshape(-1, 1) * design.matrix
            columns.append(product.reshape(len(slope), self.members, product.shape[1]).sum(axis=1))
        columns.append(odds[:, None] * self.designs[2].matrix[:: self.members])
        result = np.zeros((self.rows, self.size))
        result[:: self.members] = np.concatenate(columns, axis=1) * self.weights[:: self.members, None]
        return result

    def _first_rows(self, values: Floats) -> Floats:
        result = np.zeros(self.rows)
        weight = self.weights[:: self.members]
        result[:: self.members] = np.where(weight > 0, weight * values, 0.0)
        return result

    def _evaluated(
        self, theta: Floats, *, slopes: bool, near: Sequence[_Component] | None = None
    ) -> tuple[Floats, Floats, Floats, Floats]:
        """Return the log-likelihood of each occasion, and its derivatives in locations, log scales and log odds."""
        if self.came is None:
            raise ParameterError("these rows do not say who came")
        location, scale, odds = self._numbers(theta)
        zero = np.zeros_like(location)
        with np.errstate(all="ignore"):
            try:
                mixture = self._mixture(theta) if near is None else self._followed(theta, near)
            except (SolverError, ParameterError):  # an extreme point, at which a scale is not finite
                return np.full(len(location), -np.inf), zero, zero, np.zeros_like(odds)
            logs, odds_slopes = self._log_weights(mixture, odds)
            by_cost, by_scale = [], []
            for i, part in enumerate(mixture):
                z, turn = _standardised(self.model.family, part.cutpoints, location, scale)
                log_come, log_stay, come, stay = _chances(self.model.family, z, part.stage.position)
                logs[i] += np.where(self.came == 1, log_come, np.where(self.came == 0, log_stay, 0.0)).sum(axis=1)
                if slopes:
                    gain = np.where(self.came == 1, come, np.where(self.came == 0, -stay, 0.0))
                    own = self._own_effects(part, part.stage.stakes * turn / scale, z, gain)
                    by_cost.append(-own / scale)
                    by_scale.append(-own * z)
            total = np.asarray(logsumexp(logs, axis=0))
            if not slopes:
                return total, zero, zero, np.zeros_like(odds)
            share = np.exp(logs - np.where(np.isfinite(total), total, 0.0))
            wide = share[..., None]
            means = [np.where(wide > 0, wide * np.stack(parts), 0.0).sum(axis=0) for parts in (by_cost, by_scale)]
        return total, means[0], means[1], (share * odds_slopes).sum(axis=0)

    def _own_effects(self, part: _Component, rate: Any, z: Floats, gain: Floats) -> Floats:
        """Return what raising each member's own z does to the log-likelihood, all responses to it included.

        With D the densities times positions, k the derivatives of z in the gains and G' the slopes of these:
        u = D g + D G'^T k u, where D g is ``gain``.
        """
        density = part.stage.position * _density(self.model.family, z)
        defence, q = batch_defence(part.stage), part.probabilities
        slopes = np.stack([gain_slopes(defence, q, i) for i in range(self.members)], axis=-2)  # (O, i, j)
        matrix = density[..., :, None] * np.swapaxes(slopes, -1, -2) * np.broadcast_to(rate, z.shape)[..., None, :]
        effects: Floats = np.linalg.solve(np.eye(self.members) - matrix, gain[..., None])[..., 0]
        return effects

    # -- what can be asked of it ------------------------------------------------------------------------------------

    def probabilities(self, theta: Floats) -> Floats:
        """Return the chance that each row's member comes and that it stays out, shape (n, 2)."""
        mixture = self._mixture(theta)
        logs, _ = self._log_weights(mixture, self._numbers(theta)[2])
        share = np.exp(logs - logsumexp(logs, axis=0))
        come = (share[..., None] * np.stack([part.probabilities for part in mixture])).sum(axis=0)
        come = come.mean(axis=1) if self.alike else come.ravel()
        come = come if self.back is None else come[self.back]
        return np.stack([come, 1 - come], axis=1)

    def at(self, data: pd.DataFrame) -> Self:
        """Return the model at other rows: whole occasions, or rows that each stand for members alike."""
        model = self.model
        alike = not {model.occasion, model.member} <= set(data.columns)
        frame, back = data, None
        if alike:
            frame = data.loc[data.index.repeat(self.members)].reset_index(drop=True)
            who: Any = {model.member: list(model.game.names) * len(data)}
            who[model.occasion] = np.repeat(np.arange(len(data)), self.members)
            frame = frame.assign(**who)
        else:
            order, _ = _order(frame, model.occasion, model.member, model.game.names, [model.occasion], "raise")
            frame, back = frame.iloc[order], np.argsort(order)
        if model.invoked is not None and model.invoked not in frame.columns:
            model = replace(model, invoked=None)
        changes = model.changes(frame)
        return replace(
            self, designs=tuple(design.at(frame) for design in self.designs), weights=np.ones(len(frame)), model=model,
            stages=model.stages(frame, changes), came=None, given=changes, alike=alike, back=back, _memory={},
        )  # fmt: skip

    def reweight(self, factors: Floats) -> Self:
        """Return the likelihood with the weight of each row multiplied by a factor, the same within an occasion."""
        return replace(self, weights=self.weights * factors)

    def outcome_counts(self) -> Floats | None:
        """Return who came and who stayed out, shape (n, 2); None where some were not seen."""
        if self.came is None or np.isnan(self.came).any():
            return None
        return np.stack([self.came.ravel(), 1 - self.came.ravel()], axis=1)

    def simulate(self, theta: Floats, generator: np.random.Generator) -> Self:
        """Return the likelihood of participation that the model generates; what was not seen stays so."""
        mixture = self._mixture(theta)
        logs, _ = self._log_weights(mixture, self._numbers(theta)[2])
        share = np.exp(logs - logsumexp(logs, axis=0))
        chosen = (generator.uniform(size=share.shape[1]) > np.cumsum(share, axis=0)).sum(axis=0)
        q = np.stack([part.probabilities for part in mixture])[
            np.minimum(chosen, len(mixture) - 1), np.arange(share.shape[1])
        ]
        came = (generator.uniform(size=q.shape) < q).astype(np.float64)
        if self.came is not None:
            came = np.where(np.isnan(self.came), np.nan, came)
        return replace(self, came=came)

    def outcome_frame(self) -> Any:
        """Return who came."""
        import pandas as pd

        if self.came is None:
            raise ParameterError("these rows do not say who came")
        return pd.DataFrame({self.model.outcome: self.came.ravel()})

    def symbol_values(self, theta: Floats) -> dict[str, Floats]:
        """Return location and scale of each member's cost, and the given numbers, on each occasion."""
        location, scale, _ = self._numbers(theta)
        values = {}
        for i, name in enumerate(self.model.game.names):
            values[f"members.{name}.cost.location"] = location[:, i]
            values[f"members.{name}.cost.scale"] = scale[:, i]
        return values | dict(self.given)

    def starts(self, generator: np.random.Generator, number: int) -> list[Start]:
        """Return the cost at which as many would come as did, were others to come in these numbers; random ones."""
        if self.came is None:
            raise ParameterError("these rows do not say who came")
        share = float(np.clip(np.nanmean(self.came), 0.02, 0.98))
        stage, _ = self.stages[0]
        q = np.full((len(self.came), self.members), share)
        cut = stage.stakes * batch_defence(stage).gains(q) + stage.penalties
        logarithmic = self.model.family == "lognormal"
        mean = float(np.mean(cut))
        usual = float(np.log(max(mean, 1e-6))) if logarithmic else mean
        spread = 1.0 if logarithmic else max(float(np.std(cut)), 0.5 * abs(mean), 1e-6)
        log_odds = float(np.log(share) - np.log1p(-share))
        level = {COST: usual - spread * log_odds / 1.7, SCALE: np.log(spread), SELECTION: 0.0}
        base = np.array([
            level[name.partition(":")[0]] if name.endswith(":Intercept") else 0.0 for name in self.names
        ])  # fmt: skip
        unit = np.array([spread if name.startswith(f"{COST}:") else 0.5 for name in self.names]) / self.units
        random = [base + generator.normal(0, 0.7, self.size) * unit for _ in range(number - 1)]
        labels = ["level of participation", *(f"random {i + 1}" for i in range(number - 1))]
        return [Start(label, point) for label, point in zip(labels, [base, *random], strict=True)]


def _all_components(stage: ParticipationStage, log_state: Floats, occasions: int) -> list[_Component]:
    """Return all equilibria of each occasion, one after another; those that an occasion lacks have no weight."""
    each = [stage_equilibria(stage.at(o)) for o in range(occasions)]
    most = max(len(found.holds) for found in each)
    components = []
    for k in range(most):
        there = np.array([k < len(found.holds) for found in each])
        place = [min(k, len(found.holds) - 1) for found in each]
        share = np.log([len(found.holds) for found in each])
        components.append(
            _Component(
                log_state=np.where(there, log_state - share, -np.inf),
                highest=None,
                cutpoints=np.stack([found.cutpoints[i] for found, i in zip(each, place, strict=True)]),
                probabilities=np.stack([found.probabilities[i] for found, i in zip(each, place, strict=True)]),
                stage=stage,
            )
        )
    return components


# -- families of costs ------------------------------------------------------------------------------------------------


def _costs(family: str, location: Floats, scale: Floats) -> DistributionRow:
    return DistributionRow([
        Distribution(family=family, location=location[:, i], scale=scale[:, i]) for i in range(location.shape[1])
    ])  # fmt: skip


def _standardised(family: str, cut: Floats, location: Floats, scale: Floats) -> tuple[Floats, Floats]:
    """Return z with q = e F(z), and the derivative in the cutpoint of what z is made of."""
    if family != "lognormal":
        return (cut - location) / scale, np.ones_like(cut)
    positive = np.maximum(cut, 1e-300)
    return np.where(cut > 0, (np.log(positive) - location) / scale, -np.inf), np.where(cut > 0, 1 / positive, 0.0)


def _density(family: str, z: Floats) -> Floats:
    if family == "logistic":
        return np.asarray(expit(z) * expit(-z))
    return np.asarray(np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi))


def _chances(family: str, z: Floats, position: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the logarithms of e F(z) and 1 - e F(z), and the density e f(z) over each of these probabilities."""
    below, above = (log_expit(z), log_expit(-z)) if family == "logistic" else (log_ndtr(z), log_ndtr(-z))
    log_density = below + above if family == "logistic" else -0.5 * z * z - 0.5 * np.log(2 * np.pi)
    e = np.broadcast_to(position, z.shape)
    log_come = np.log(e) + below
    log_stay = np.where(e >= 1, above, np.log1p(-np.minimum(e * np.exp(below), 1.0)))
    come = np.exp(log_density - below)
    stay = e * np.exp(log_density - log_stay)
    return log_come, log_stay, np.where(np.isfinite(z), come, 0.0), np.where(np.isfinite(z), stay, 0.0)
