r"""Estimate a two-type signaling game from repeated plays: a mixture over its perfect Bayesian equilibria.

A row is a session: plays of one game, all in one equilibrium, which the analyst does not see. Symbols in the payoffs
are linear in regressors, symbols in the prior logistic of them. At every point of the search all perfect Bayesian
equilibria of each row's game are found (``dt.pbe``). A session plays equilibrium e of kind k with probability

.. math:: w_e = e^{s_k} \Big/ \sum_{e'} e^{s_{k(e')}},

where :math:`s_k` is linear in regressors for the kinds that are named, zero for others [1]_. A play is a mistake with
probability :math:`\epsilon`, and then every message and response is as likely as any other; without mistakes a single
play that no equilibrium allows would end the likelihood. With :math:`n_c` plays that ended in cell c,

.. math:: \ell = \log \sum_e w_e \prod_c \big( (1 - \epsilon) P_{ec} + \epsilon / C \big)^{n_c}.

The likelihood is maximised directly. Between the points where equilibria come and go it is smooth: derivatives follow
each equilibrium as the solution of the conditions under which those who mix are indifferent. Where one disappears it
jumps, so that a supremum may lie at such a border; the status then says that the gradient is not small. What the data
say about payoffs comes from the borders and from equilibria in mixed strategies; where all are pure and stay, payoffs
have no influence on what happens, and the status says ``ridge``.

References
----------
.. [1] P. Bajari, H. Hong and S. P. Ryan, "Identification and Estimation of a Discrete Game of Complete Information",
   Econometrica 78 (2010), 1529-1568 (a selection equation over all equilibria).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
from scipy.special import expit, logsumexp

from deterrence.estimation.covariance import Kind
from deterrence.estimation.data import Missing, check_columns, frame_of, numbers_of, row_name
from deterrence.estimation.formulas import Design, columns_of
from deterrence.estimation.index_models import IndexLikelihood, Terms, prepare
from deterrence.estimation.likelihood import Floats, Start
from deterrence.estimation.maximum_likelihood import maximum_likelihood
from deterrence.estimation.optimise import ITERATIONS
from deterrence.estimation.result import Fit
from deterrence.games.errors import GameError, ParameterError, SolverError
from deterrence.games.quantities import check_names, parameter_names
from deterrence.games.signaling import SignalingGame
from deterrence.solvers.pbe import pbe

if TYPE_CHECKING:
    import pandas as pd

Support: TypeAlias = tuple[tuple[int, ...], ...]

TREMBLE = "logit tremble"
SELECTION = "selection of "

_STARTS = 4
_DRAWS = 25  # points at which the likelihood is looked at for each start
_STEP = 2e-3  # of differences in an equation's value: error of order h^4, rounding 1e-16 / h^2
_NEWTON = 8  # most steps from one point to the next
_SAME = 1e-9  # of outcome probabilities within which two equilibria are one
_KEPT = 4000  # games whose equilibria are remembered


def fit_signaling(
    game: SignalingGame,
    data: Any,
    *,
    outcome: Sequence[str] | Mapping[Any, str],
    utilities: Mapping[str, Any] | None = None,
    selection: str | Mapping[str, Any] = "uniform",
    tremble: str | float = "1",
    session: str | None = None,
    weights: str | Sequence[float] | None = None,
    cluster: str | Sequence[Any] | None = None,
    covariance: Kind | None = None,
    penalty: Any = None,
    starts: Any = _STARTS,
    seed: int | None = 0,
    missing: Missing = "drop",
    iterations: int = ITERATIONS,
) -> Fit:
    """Estimate a signaling game.

    Parameters
    ----------
    game : SignalingGame
        Of two sender types and no receiver types; with symbols, or with numbers where only the selection of
        equilibria and the mistakes are to be estimated.
    data : table
    outcome : pair of str, or mapping
        The columns of message and response: a row for each play. Or a mapping of (message, response), or of
        ``"message/response"``, to a column of counts: a row for each session.
    utilities : mapping of str to formula or number
        Of every symbol. A symbol that stands in a prior is the logistic function of its formula; a number is its value.
    selection : "uniform", or mapping of kind to formula
        How a session comes to its equilibrium: all alike, or by the logarithm of the weight of each equilibrium of a
        kind (``"separating"``, ``"pooling on deter"``, ``"semi-separating: weak mixes"``; see ``dt.pbe(...).kinds``).
        Kinds that are left out have the weight one; at least one that occurs must be.
    tremble : formula or number
        Log odds that a play is a mistake; a number between 0 and 1 is a known probability.
    session : str, optional
        A column: plays of one session are in one equilibrium. All regressors must be the same in a session. By default
        each row is a session.
    weights, cluster, covariance, penalty, starts, seed, missing, iterations
        As in ``fit``. Each start is the best of 25 random points: between borders there are local maxima.

    Returns
    -------
    Fit
        ``fit.likelihood.equilibria(fit.theta)`` tells, for each session, how likely each kind of equilibrium is given
        what was played.

    Raises
    ------
    ParameterError
        If a symbol, column, label, kind or option is wrong, or regressors differ within a session.
    GameError
        If the game has other than two sender types, or receiver types.
    """
    if game.receiver_types is not None or len(game.types) != 2:
        raise GameError(
            "fit takes signaling games with two sender types and no receiver types, got "
            f"{len(game.types)} types" + (" and receiver types" if game.receiver_types is not None else "")
        )
    if game.batch_shape:
        raise GameError("fit takes one game, got a batch; the rows of the data are the batch")
    given = {str(symbol): formula for symbol, formula in (utilities or {}).items()}
    check_names(given, game.parameters, "the game")
    in_prior = parameter_names([game.prior, game.sender_prior, game.receiver_prior])
    formulas = {s: _log_odds(given[s], f"the symbol {s!r} of a prior") if s in in_prior else given[s] for s in given}
    formulas[TREMBLE] = _log_odds(tremble, "tremble")
    kinds = _selection(game, selection)
    formulas |= {f"{SELECTION}{kind}": formula for kind, formula in kinds.items()}
    cells = [f"{m}/{r}" for m, r in itertools.product(game.messages, game.responses)]
    columns = _outcome_columns(outcome, cells)
    table = frame_of(data)
    if session is not None:
        table = _sessions(
            table, session, columns, cells, formulas, [c for c in (weights, cluster) if isinstance(c, str)]
        )
        columns = {cell: _count_column(cell) for cell in cells} if len(columns) == 2 else columns
    ready = prepare(table, formulas, list(columns.values()), weights=weights, cluster=cluster, missing=missing)
    likelihood = SignalingLikelihood(
        designs=ready.designs,
        weights=ready.weights,
        game=game,
        logistic=tuple(s in in_prior for s in given),
        kinds=tuple(kinds),
        columns=columns,
        counts=_counts(game, ready.frame, columns, cells),
        outcomes=tuple(cells),
    )
    if not likelihood.size:
        raise ParameterError(
            "nothing is left to estimate: every symbol and the tremble are numbers; give one a formula"
        )
    return maximum_likelihood(
        likelihood, frame=ready.frame, dropped=ready.dropped, clusters=ready.clusters, kind=covariance, game=game,
        penalty=penalty, starts=starts, seed=seed, iterations=iterations,
    )  # fmt: skip


def _log_odds(formula: Any, what: str) -> Any:
    if isinstance(formula, str) and formula.strip() not in ("0", "-1", "+0"):
        return formula
    try:
        chance = float(formula)
    except (TypeError, ValueError):
        chance = np.nan
    if not 0 < chance < 1:
        raise ParameterError(f"{what} must be a formula of its log odds or a number between 0 and 1, got {formula!r}")
    return float(np.log(chance) - np.log1p(-chance))


def _selection(game: SignalingGame, selection: Any) -> dict[str, Any]:
    """Return the formula of each kind of equilibrium that is named."""
    if isinstance(selection, str) and selection == "uniform":
        return {}
    if not isinstance(selection, Mapping):
        raise ParameterError(f"selection must be 'uniform' or map kinds of equilibria to formulas, got {selection!r}")
    first, second = game.types
    known = ["separating", *(f"pooling on {m}" for m in game.messages)]
    known += [f"semi-separating: {who}" for who in (f"{first} mixes", f"{second} mixes", f"{first}, {second} mix")]
    check_names(selection, known, "kinds of equilibria", complete=False)
    return {str(kind): formula for kind, formula in selection.items()}


def _count_column(cell: str) -> str:
    return f"plays that ended in {cell}"


def _outcome_columns(outcome: Any, cells: Sequence[str]) -> dict[str, str]:
    """Return the column of message and response, or of the count of each cell."""
    if isinstance(outcome, Mapping):
        named = {"/".join(key) if isinstance(key, tuple) else str(key): str(column) for key, column in outcome.items()}
        try:
            check_names(named, cells, "the game")
        except ParameterError as error:
            text = str(error).replace("parameter", "outcome")
            raise ParameterError(f"outcome maps 'message/response' to columns of counts: {text}") from None
        return {cell: named[cell] for cell in cells}
    if isinstance(outcome, str) or len(tuple(outcome)) != 2:
        raise ParameterError(
            "outcome must name the columns of message and response, or map 'message/response' to counts; "
            f"got {outcome!r}"
        )
    message, response = outcome
    return {"message": str(message), "response": str(response)}


def _sessions(
    table: pd.DataFrame,
    session: str,
    columns: Mapping[str, str],
    cells: Sequence[str],
    formulas: Mapping[str, Any],
    same: Sequence[str],
) -> pd.DataFrame:
    """Return a row for each session, with counts; regressors, weights and clusters are those of its plays."""
    regressors = [c for equation, formula in formulas.items() for c in columns_of(formula, equation)]
    needed = list(dict.fromkeys([session, *regressors, *same]))
    check_columns(table, [*needed, *columns.values()], "session, outcome or formula")
    whole = table.dropna(subset=[session, *columns.values()])
    groups = whole.groupby(session, sort=False)
    for column in needed[1:]:
        several = groups[column].nunique(dropna=False) > 1
        if several.any():
            raise ParameterError(
                f"{column!r} takes several values in session {row_name(several.index, several.to_numpy().argmax())}: "
                "plays of one session are of one game; make sessions smaller, or leave session out"
            )
    rows = groups[needed[1:]].first() if len(needed) > 1 else groups.size().to_frame("plays")
    if len(columns) == 2:
        labels = whole[columns["message"]].astype(str) + "/" + whole[columns["response"]].astype(str)
        strange = [x for x in labels.unique() if x not in cells]
        if strange:
            raise ParameterError(f"{strange[0]!r} is no message and response of the game: {', '.join(cells)}")
        for cell in cells:
            rows[_count_column(cell)] = (labels == cell).groupby(whole[session], sort=False).sum().astype(float)
    else:
        for column in columns.values():
            rows[column] = groups[column].sum()
    return rows.reset_index()


def _counts(game: SignalingGame, frame: pd.DataFrame, columns: Mapping[str, str], cells: Sequence[str]) -> Floats:
    """Return how often each cell was reached in each row, shape (C, n)."""
    if len(columns) > 2 or "message" not in columns:
        counts = np.stack([numbers_of(frame, columns[cell], "counts", low=0.0) for cell in cells])
        empty = np.flatnonzero(counts.sum(axis=0) == 0)
        if empty.size:
            raise ParameterError(f"row {row_name(frame.index, empty[0])} holds no play; drop it")
        return counts
    for role, known in (("message", game.messages), ("response", game.responses)):
        for row, label in enumerate(frame[columns[role]].astype(str)):
            if label not in known:
                place = row_name(frame.index, row)
                raise ParameterError(
                    f"column {columns[role]!r} holds {label!r} in row {place}, which is no {role}; "
                    f"they are {', '.join(map(repr, known))}"
                )
    labels = frame[columns["message"]].astype(str) + "/" + frame[columns["response"]].astype(str)
    return np.array([labels == cell for cell in cells], dtype=np.float64)


# -- one equilibrium, followed over parameters ------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Pattern:
    """Who sends and answers what with positive probability: an equilibrium is the solution of its equations.

    Attributes
    ----------
    sends : tuple of tuple of int
        Messages of each type.
    answers : tuple of tuple of int
        Responses to each message; none to a message that nobody sends.
    """

    sends: Support
    answers: Support

    def unknowns(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Return the (type, message) and (message, response) pairs whose probabilities are unknown."""
        sent = [(t, m) for t, messages in enumerate(self.sends) for m in messages]
        return sent, [(m, r) for m, responses in enumerate(self.answers) for r in responses]

    def solve(self, U: Floats, V: Floats, belief: Floats, start: Floats) -> Floats:
        """Return the probabilities at other payoffs and priors, by Newton's method from those at nearby ones.

        Parameters
        ----------
        U, V : ndarray, shape (n, T, M, R)
        belief : ndarray, shape (n, T)
            The receiver's prior.
        start : ndarray, shape (n, X)

        Returns
        -------
        ndarray, shape (n, X)
        """
        x = start.copy()
        for _ in range(_NEWTON):
            value, slope = self._equations(U, V, belief, x)
            step = np.einsum("nij,nj->ni", np.linalg.pinv(slope, rcond=1e-10), value)
            x = x - step
            if not np.abs(step).max(initial=0.0) > 1e-14:
                break
        return x

    def _equations(self, U: Floats, V: Floats, belief: Floats, x: Floats) -> tuple[Floats, Floats]:
        """Return what must vanish, shape (n, X), and its derivatives: sums of probabilities and indifferences."""
        sent, answered = self.unknowns()
        place = {("s", *pair): i for i, pair in enumerate(sent)}
        place |= {("a", *pair): len(sent) + i for i, pair in enumerate(answered)}
        size = len(place)
        value, slope = np.zeros((len(x), size)), np.zeros((len(x), size, size))
        row = 0
        for t, messages in enumerate(self.sends):
            value[:, row] = -1.0
            for m in messages:
                value[:, row] += x[:, place["s", t, m]]
                slope[:, row, place["s", t, m]] = 1.0
            row += 1
            for m in messages[1:]:
                for sign, n in ((1.0, m), (-1.0, messages[0])):
                    for r in self.answers[n]:
                        value[:, row] += sign * U[:, t, n, r] * x[:, place["a", n, r]]
                        slope[:, row, place["a", n, r]] += sign * U[:, t, n, r]
                row += 1
        for m, responses in enumerate(self.answers):
            if not responses:
                continue
            value[:, row] = -1.0
            for r in responses:
                value[:, row] += x[:, place["a", m, r]]
                slope[:, row, place["a", m, r]] = 1.0
            row += 1
            for r in responses[1:]:
                for t, messages in enumerate(self.sends):
                    if m in messages:
                        gain = belief[:, t] * (V[:, t, m, r] - V[:, t, m, responses[0]])
                        value[:, row] += gain * x[:, place["s", t, m]]
                        slope[:, row, place["s", t, m]] += gain
                row += 1
        return value, slope

    def cells(self, prior: Floats, x: Floats, shape: tuple[int, int]) -> Floats:
        """Return the probability of each message and response, shape (n, M R)."""
        sent, answered = self.unknowns()
        M, R = shape
        messages, replies = np.zeros((len(x), M)), np.zeros((len(x), M, R))
        for i, (t, m) in enumerate(sent):
            messages[:, m] += prior[:, t] * x[:, i]
        for i, (m, r) in enumerate(answered):
            replies[:, m, r] = x[:, len(sent) + i]
        return (messages[:, :, None] * replies).reshape(len(x), M * R)


@dataclass(frozen=True, eq=False)
class Play:
    """One equilibrium of one row's game: its kind, its pattern, and the probabilities that solve it."""

    kind: str
    pattern: Pattern
    solution: Floats


def plays_of(game: SignalingGame) -> tuple[Play, ...]:
    """Return every equilibrium of a game with numbers; those that differ off the path only are one."""
    found: list[tuple[Play, Floats]] = []
    prior = np.asarray(game.prior, dtype=np.float64)[None]
    for e in pbe(game):
        profile: Any = e.profile
        sender = np.asarray(profile.sender, dtype=np.float64)
        receiver = np.asarray(profile.receiver, dtype=np.float64)[0]
        sends = tuple(tuple(np.flatnonzero(row > 0).tolist()) for row in sender)
        path = {m for messages in sends for m in messages}
        answers = tuple(tuple(np.flatnonzero(row > 0).tolist()) if m in path else () for m, row in enumerate(receiver))
        pattern = Pattern(sends, answers)
        sent, answered = pattern.unknowns()
        x = np.array([*(sender[t, m] for t, m in sent), *(receiver[m, r] for m, r in answered)])
        cells = pattern.cells(prior, x[None], (len(game.messages), len(game.responses)))[0]
        if not any(p.kind == e.kind and np.abs(cells - c).max() < _SAME for p, c in found):
            found.append((Play(e.kind, pattern, x), cells))
    return tuple(play for play, _ in found)


# -- the likelihood ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class SignalingLikelihood(IndexLikelihood):
    """Sessions of a signaling game, each in an equilibrium that is not seen.

    Attributes
    ----------
    designs : tuple of Design
        Of the symbols, of the tremble, of the kinds that are named.
    weights : ndarray, shape (n,)
    game : SignalingGame
    logistic : tuple of bool
        Which symbols are logistic.
    kinds : tuple of str
        With a selection equation.
    columns : mapping of str to str
    counts : ndarray, shape (C, n), or None
    """

    designs: tuple[Design, ...]
    weights: Floats
    game: SignalingGame
    logistic: tuple[bool, ...]
    kinds: tuple[str, ...]
    columns: Mapping[str, str]
    counts: Floats | None
    outcomes: tuple[str, ...]
    title: str = "Signaling game, mixture over perfect Bayesian equilibria"
    _memory: dict[bytes, tuple[Play, ...]] = field(default_factory=dict, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_memory": {}}

    # -- equilibria of all rows -------------------------------------------------------------------------------------

    def _symbols(self, values: Floats) -> dict[str, Floats]:
        rows = values[: len(self.logistic)]
        names = [design.equation for design in self.designs[: len(self.logistic)]]
        return {
            name: np.asarray(expit(row)) if logistic else row
            for name, row, logistic in zip(names, rows, self.logistic, strict=True)
        }

    def _arrays(self, values: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Return payoffs (n, T, M, R) and the priors of nature and receiver (n, T)."""
        known, rows = self._symbols(values), values.shape[1]
        game = self.game.at(**known) if known else self.game
        shape = (rows, len(self.game.types), len(self.game.messages), len(self.game.responses))

        def wide(array: Any, size: tuple[int, ...]) -> Floats:
            return np.broadcast_to(np.asarray(array, dtype=np.float64), size)

        return (
            wide(game.sender_payoffs, shape),
            wide(game.receiver_payoffs, shape),
            wide(game.prior, shape[:2]),
            wide(game.receiver_prior, shape[:2]),
        )

    def plays(self, values: Floats) -> list[tuple[Play, ...]]:
        """Return the equilibria of each row; none where the game has no numbers.

        Raises
        ------
        SolverError, GameError
            If a game cannot be solved.
        """
        symbols = self._symbols(values)
        if not symbols:
            return [self._solved(b"", {})] * values.shape[1]
        points = np.stack(list(symbols.values()), axis=1)
        return [self._solved(row.tobytes(), dict(zip(symbols, row.tolist(), strict=True))) for row in points]

    def _solved(self, key: bytes, point: Mapping[str, float]) -> tuple[Play, ...]:
        if key not in self._memory:
            if len(self._memory) > _KEPT:
                self._memory.clear()
            self._memory[key] = plays_of(self.game.at(**point) if point else self.game)
        return self._memory[key]

    def _grouped(self, plays: Sequence[Sequence[Play]]) -> Iterator[tuple[Pattern, Floats, Any, Any]]:
        """Yield for each pattern the solutions, and the slot and row of each equilibrium that has it."""
        groups: dict[tuple[Support, Support], list[tuple[int, int, Play]]] = {}
        for i, row in enumerate(plays):
            for slot, play in enumerate(row):
                groups.setdefault((play.pattern.sends, play.pattern.answers), []).append((slot, i, play))
        for members in groups.values():
            slots, rows, own = zip(*members, strict=True)
            yield own[0].pattern, np.stack([play.solution for play in own]), np.array(slots), np.array(rows)

    def _cells(self, values: Floats, plays: Sequence[Sequence[Play]]) -> Floats:
        """Return the probability of each cell in each equilibrium, followed from those given, shape (S, n, C)."""
        U, V, prior, belief = self._arrays(values)
        slots = max(map(len, plays))
        result = np.full((slots, values.shape[1], len(self.outcomes)), 1.0 / len(self.outcomes))
        shape = len(self.game.messages), len(self.game.responses)
        for pattern, start, slot, row in self._grouped(plays):
            x = pattern.solve(U[row], V[row], belief[row], start)
            result[slot, row] = pattern.cells(prior[row], x, shape)
        return result

    def _weights(self, values: Floats, plays: Sequence[Sequence[Play]]) -> tuple[Floats, Floats]:
        """Return the logarithm of each equilibrium's weight, (S, n), -inf where there is none; its kind, (K, S, n)."""
        slots, rows = max(map(len, plays)), values.shape[1]
        is_kind = np.zeros((len(self.kinds), slots, rows))
        logs = np.full((slots, rows), -np.inf)
        for i, row in enumerate(plays):
            for slot, play in enumerate(row):
                logs[slot, i] = 0.0
                if play.kind in self.kinds:
                    is_kind[self.kinds.index(play.kind), slot, i] = 1.0
        strength = values[len(self.logistic) + 1 :]
        logs = logs + (is_kind * strength[:, None, :]).sum(axis=0)
        return logs - logsumexp(logs, axis=0), is_kind

    def _seen(self, cells: Floats, values: Floats) -> Floats:
        mistake = expit(values[len(self.logistic)])[:, None]
        return np.asarray((1 - mistake) * cells + mistake / len(self.outcomes))

    # -- log-likelihood ---------------------------------------------------------------------------------------------

    def terms(self, values: Floats, order: int) -> Terms:
        """Return log-likelihoods with derivatives, each equilibrium followed while its pattern stays."""
        if self.counts is None:
            raise ParameterError("these rows have no plays")
        count, n = values.shape
        slopes, bends = np.zeros((count, n)), np.zeros((count, count, n))
        try:
            plays = self.plays(values)
        except (SolverError, GameError):  # an extreme point, at which numbers overflow
            return np.full(n, -np.inf), slopes, bends
        cells = self._cells(values, plays)
        logs, is_kind = self._weights(values, plays)
        seen = self._seen(cells, values)
        plays_in = self.counts.T[None]  # (1, n, C)
        own = logs + (plays_in * np.log(seen)).sum(axis=-1)
        total = np.asarray(logsumexp(own, axis=0))
        if not order:
            return total, slopes, bends
        share = np.exp(own - total)  # of each equilibrium, given the plays
        first, second = self._derivatives(values, plays, cells, seen, order)
        before = len(self.logistic) + 1
        a = np.zeros((count, *own.shape))  # derivatives of each equilibrium's term
        a[:before] = (plays_in[None] * first / seen).sum(axis=-1)
        prior_share = np.exp(logs)
        mean = (prior_share * is_kind).sum(axis=1)  # (K, n)
        a[before:] = is_kind - mean[:, None]
        slopes[:] = (share * a).sum(axis=1)
        if order < 2:
            return total, slopes, bends
        for i, j in itertools.combinations_with_replacement(range(count), 2):
            inner = a[i] * a[j]
            if j < before:
                inner = inner + (plays_in * (second[i, j] / seen - first[i] * first[j] / seen**2)).sum(axis=-1)
            elif i >= before:
                k, l = i - before, j - before
                inner = inner - (mean[k] * (k == l) - mean[k] * mean[l])
            bends[i, j] = bends[j, i] = (share * inner).sum(axis=0) - slopes[i] * slopes[j]
        return total, slopes, bends

    def _derivatives(
        self, values: Floats, plays: Sequence[Sequence[Play]], cells: Floats, seen: Floats, order: int
    ) -> tuple[Floats, dict[tuple[int, int], Floats]]:
        """Return derivatives of the probabilities that are seen, in the symbols and the tremble."""
        symbols = len(self.logistic)
        first = np.zeros((symbols + 1, *cells.shape))
        second = {
            pair: np.zeros(cells.shape) for pair in itertools.combinations_with_replacement(range(symbols + 1), 2)
        }
        mistake = expit(values[symbols])[:, None]
        rate = mistake * (1 - mistake)
        away = 1 / cells.shape[-1] - cells
        first[symbols] = rate * away
        second[symbols, symbols] = rate * (1 - 2 * mistake) * away

        def at(*moves: tuple[int, int]) -> Floats:
            shifted = values.copy()
            for j, steps in moves:
                shifted[j] += steps * _STEP
            return self._cells(shifted, plays)

        free = [j for j in range(symbols) if self.designs[j].names]
        for place, j in enumerate(free):
            two, one, back, back_two = (at((j, k)) for k in (2, 1, -1, -2))
            slope = (8 * (one - back) - (two - back_two)) / (12 * _STEP)
            first[j] = (1 - mistake) * slope
            second[j, symbols] = -rate * slope
            second[j, j] = (1 - mistake) * (16 * (one + back) - (two + back_two) - 30 * cells) / (12 * _STEP**2)
            for i in free[:place] if order == 2 else []:
                mixed = sum(a * b * at((i, a), (j, b)) for a in (1, -1) for b in (1, -1)) / (4 * _STEP**2)
                second[i, j] = (1 - mistake) * mixed
        return first, second

    # -- what can be asked of it ------------------------------------------------------------------------------------

    @property
    def nobs(self) -> float:
        """Number of plays."""
        return float((self.weights * (1.0 if self.counts is None else self.counts.sum(axis=0))).sum())

    def probabilities(self, theta: Floats) -> Floats:
        """Return the probability of each message and response, over equilibria and mistakes, shape (n, C)."""
        values = self.equation_values(theta)
        plays = self.plays(values)
        logs, _ = self._weights(values, plays)
        mixed: Floats = (np.exp(logs)[..., None] * self._seen(self._cells(values, plays), values)).sum(axis=0)
        return mixed

    def equilibria(self, theta: Floats, *, given_plays: bool = True) -> pd.DataFrame:
        """Return how likely each kind of equilibrium is in each row, given what was played there or before that.

        Parameters
        ----------
        theta : ndarray, shape (K,)
        given_plays : bool
        """
        import pandas as pd

        values = self.equation_values(theta)
        plays = self.plays(values)
        logs, _ = self._weights(values, plays)
        if given_plays:
            if self.counts is None:
                raise ParameterError("these rows have no plays")
            seen = self._seen(self._cells(values, plays), values)
            logs = logs + (self.counts.T[None] * np.log(seen)).sum(axis=-1)
            logs = logs - logsumexp(logs, axis=0)
        names = list(dict.fromkeys(play.kind for row in plays for play in row))
        table = np.zeros((values.shape[1], len(names)))
        for i, row in enumerate(plays):
            for slot, play in enumerate(row):
                table[i, names.index(play.kind)] += np.exp(logs[slot, i])
        return pd.DataFrame(table, columns=names)

    def outcome_counts(self) -> Floats | None:
        """Return how often each message and response was seen, shape (n, C)."""
        return None if self.counts is None else self.counts.T

    def at(self, data: Any) -> Self:
        """Return the model at other rows, whose plays are not looked at."""
        designs = tuple(design.at(data) for design in self.designs)
        return replace(self, designs=designs, weights=np.ones(len(data)), counts=None)

    def simulate(self, theta: Floats, generator: np.random.Generator) -> Self:
        """Return the likelihood of plays that the model generates, as many in each session as it has."""
        values = self.equation_values(theta)
        plays = self.plays(values)
        logs, _ = self._weights(values, plays)
        seen = self._seen(self._cells(values, plays), values)
        totals = np.ones(self.rows) if self.counts is None else self.counts.sum(axis=0)
        counts = np.zeros((len(self.outcomes), self.rows))
        for i, total in enumerate(totals):
            slot = generator.choice(len(logs), p=np.exp(logs[:, i]))
            chances = np.maximum(seen[slot, i], 0.0)
            counts[:, i] = generator.multinomial(round(float(total)), chances / chances.sum())
        return replace(self, counts=counts)

    def outcome_frame(self) -> Any:
        """Return the plays as columns, in the form in which they came."""
        import pandas as pd

        if self.counts is None:
            raise ParameterError("these rows have no plays")
        if "message" not in self.columns:
            return pd.DataFrame({self.columns[cell]: self.counts[i] for i, cell in enumerate(self.outcomes)})
        cells = [self.outcomes[i] for i in self.counts.argmax(axis=0)]
        pairs = dict(zip(self.outcomes, itertools.product(self.game.messages, self.game.responses), strict=True))
        return pd.DataFrame([pairs[cell] for cell in cells], columns=list(self.columns.values()))

    def symbol_values(self, theta: Floats) -> dict[str, Floats]:
        """Return the value of each symbol of the game in each row."""
        return self._symbols(self.equation_values(theta))

    def starts(self, generator: np.random.Generator, number: int) -> list[Start]:
        """Return the best of some random points for each start: the likelihood may jump between them."""
        tremble = np.array([name.startswith(f"{TREMBLE}:Intercept") for name in self.names])
        points = []
        for i in range(number):
            drawn = generator.normal(0, 1.0, (_DRAWS, self.size)) / self.units
            drawn = np.where(tremble, -2.0 + 0.5 * drawn, drawn)
            points.append(Start(f"best of {_DRAWS} points {i + 1}", max(drawn, key=self.value)))
        return points
