"""``fit``: the payoffs of a game from data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deterrence.estimation.choice import Link
from deterrence.estimation.correlation import EQUATION as CORRELATION
from deterrence.estimation.covariance import Kind, cluster_codes
from deterrence.estimation.data import Missing, check_columns, complete_rows, frame_of, numbers_of, row_name
from deterrence.estimation.formulas import Design, columns_of
from deterrence.estimation.identification import check_identified
from deterrence.estimation.likelihood import Floats
from deterrence.estimation.maximum_likelihood import STARTS, maximum_likelihood
from deterrence.estimation.optimise import ITERATIONS
from deterrence.estimation.outcomes import columns_of_outcome, end_names, observe
from deterrence.estimation.penalties import Penalty
from deterrence.estimation.result import Fit
from deterrence.estimation.special_forms import special_form
from deterrence.estimation.tree import Errors, TreeLikelihood, TreeModel
from deterrence.games.errors import GameError, ParameterError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.quantities import check_names

SCALE = "log scale"  # the equation of a modelled scale; by player, with the player's name behind it


def fit(
    game: Any,
    data: Any,
    *,
    outcome: Any,
    utilities: Mapping[str, Any] | None = None,
    errors: Errors = "agent",
    link: Link = "probit",
    scale: Any = 1.0,
    correlation: str | float | None = None,
    weights: str | Sequence[float] | None = None,
    cluster: str | Sequence[Any] | None = None,
    covariance: Kind | None = None,
    penalty: Penalty | str | None = None,
    starts: int | Any = STARTS,
    seed: int | None = 0,
    missing: Missing = "drop",
    iterations: int = ITERATIONS,
    **options: Any,
) -> Fit:
    r"""Estimate the payoffs of a game from observed outcomes, by maximum likelihood.

    What follows is about trees of perfect information. Other games have a function of their own, which this one calls
    with further ``options``: the crisis-signaling game (``dt.models.get("LS")``, see
    ``estimation.fit_crisis``), the ultimatum game (``dt.UltimatumGame``, see
    ``estimation.fit_ultimatum``), two-type signaling games (``dt.SignalingGame``, see
    ``estimation.fit_signaling``), the costs of members of an alliance (``dt.ParticipationGame``, see
    ``estimation.fit_participation``), and the precision of quantal responses in games with numbers
    (``StrategicGame`` or ``ExtensiveGame``, see ``estimation.fit_quantal_response``).

    Every symbol of the game is a linear combination of regressors; errors in what the players know or do make every
    outcome possible; the likelihood of the outcomes is maximised [1]_, [2]_.

    Parameters
    ----------
    game : ExtensiveGame
        Of perfect information, with symbols in its payoffs; any number of players, moves and actions.
    data : table
        A pandas frame, a mapping of columns, or any table that narwhals knows: a row for each play (or, with counts,
        for each group of plays).
    outcome : str, mapping or sequence of str
        A column of end labels. Or a mapping of end label to a column of counts. Or the columns of moves (the number of
        the action from 0, or its label; missing where it was not seen): one for each move in the order of the tree,
        one for each player, or a mapping of move or player to column. A move that was not reached is not looked at.
    utilities : mapping of str to str or number
        For each symbol what it is made of: a formula (``"x + log(z)"``, ``"C(region) - 1"``, ``"offset(y)"``; ``"1"``
        is a constant to be estimated, ``"0"`` none), or a number, which is fixed.
    errors : {"agent", "private"}
        Who errs: each action when it is taken, or each player's utility of each end, known to that player alone.
    link : {"probit", "logit"}
        The distribution of the errors; private information needs ``"probit"``.
    scale : number, formula, or mapping of player to these
        Of the errors, known (a number above 0) or ``exp`` of a linear combination (a formula such as ``"~ z"``); one
        for all players, or by player.
    correlation : formula or number, optional
        Between the errors of two stages, where no path has more than two moves and no move more than two actions
        (probit) [3]_: known, a number between -1 and 1, or ``tanh`` of a linear combination (``"1"`` for a constant; a
        formula such as ``"~ z"``). Players anticipate each other by marginal probabilities.
    weights : str or sequence of float, optional
        How often each row counts: a column or numbers, at least 0.
    cluster : str or sequence, optional
        The cluster of each row: a column or values. Standard errors are then clustered.
    covariance : {"hessian", "robust", "clustered", "opg"}, optional
        How standard errors are computed.
    penalty : {"jeffreys", "cauchy", "log-F"} or Penalty, optional
        Keeps estimates finite where the data are separated. ``"firth"`` is ``"jeffreys"``.
    starts : int, or array_like of shape (K,) or (S, K)
        Number of points that the search starts from (equation by equation, zero, random), or the points.
    seed : int or None
        Of random starts.
    missing : {"drop", "raise"}
        What becomes of rows with missing values: left out and counted, or an error.
    iterations : int
        Most steps of one search.

    Returns
    -------
    Fit
        With ``params``, ``bse``, ``llf``, ``status``, ``summary()``, ``predict(data)``, ``game(row)`` and more.

    Raises
    ------
    ParameterError
        If a column, symbol, formula, outcome or option is wrong, or a regressor cannot be identified; the message
        names it.
    GameError
        If the game is no tree of perfect information.

    References
    ----------
    .. [1] C. S. Signorino, "Strategic Interaction and the Statistical Analysis of International Conflict", Am. Polit.
       Sci. Rev. 93 (1999), 279-297.
    .. [2] C. S. Signorino, "Structure and Uncertainty in Discrete Choice Models", Polit. Anal. 11 (2003), 316-344.
    .. [3] L. Leemann, "Strategy and Sample Selection: A Strategic Selection Estimator", Polit. Anal. 22 (2014),
       374-397.

    Examples
    --------
    >>> import numpy as np, deterrence as dt
    >>> a = dt.symbols("war")
    >>> game = dt.ExtensiveGame(("A",), dt.move("A", {"refrain": dt.end("peace", A=0), "attack": dt.end("war", A=a)}))
    >>> data = {"x": [0, 1, 2, 3, 4, 5, 6, 7], "y": ["peace", "war", "peace", "peace", "war", "peace", "war", "war"]}
    >>> result = dt.fit(game, data, outcome="y", utilities={"war": "x"})
    >>> result.status, round(result.llf, 4)
    ('converged', -4.725)
    """
    other = special_form(game)
    if other is not None:
        given: dict[str, Any] = {"weights": weights, "cluster": cluster, "covariance": covariance, "seed": seed}
        given |= {"missing": missing, "iterations": iterations, "outcome": outcome}
        given |= {} if utilities is None else {"utilities": utilities}
        if not isinstance(starts, int) or starts != STARTS:
            given["starts"] = starts
        chosen = {"penalty": penalty, "scale": None if isinstance(scale, float) and scale == 1.0 else scale}
        chosen |= {"correlation": correlation}
        changed = {"errors": errors != "agent", "link": link != "probit"}
        ask = [*options, *(n for n, x in chosen.items() if x is not None), *(n for n, yes in changed.items() if yes)]
        return other(game, data, ask, **given, **options, **{n: x for n, x in chosen.items() if x is not None})
    if options:
        raise ParameterError(f"fit has no option {next(iter(options))!r} for a tree of perfect information")
    if not isinstance(game, ExtensiveGame):
        raise GameError(f"fit takes an ExtensiveGame with symbols or a form of its own, got {type(game).__name__}")
    if not isinstance(utilities, Mapping):
        raise ParameterError(f"utilities must map symbols of the game to formulas or numbers, got {utilities!r}")
    _check_options(errors, link)
    table = frame_of(data)
    scale_of, known, formulas = _scales(game, scale)
    tied = _correlation(correlation, link)
    model = TreeModel.of(game, errors, link, scale_of, known, correlated=bool(tied))
    equations = _equations(game, model, utilities) | formulas | tied
    form, columns = columns_of_outcome(game.topology, outcome)
    extra = [c for c in (weights, cluster) if isinstance(c, str)]
    check_columns(table, extra, "weights or cluster")
    check_columns(table, columns.values(), "outcome")
    used = [c for e, f in equations.items() for c in _known_columns(f, e, table)]
    need = [*used, *extra, *(columns.values() if form == "label" else ())]
    frame, kept = complete_rows(table, need, missing)
    observed = observe(game.topology, frame, form, columns)
    weight = _weights(frame, weights, kept)
    codes = None if cluster is None else cluster_codes(*_cluster(frame, cluster, kept))
    seen = observed.totals > 0
    if not seen.all():
        if missing == "raise":
            row = row_name(frame.index, np.flatnonzero(~seen)[0])
            raise ParameterError(f"row {row} holds no outcome; drop it, or pass missing='drop'")
        if not seen.any():
            raise ParameterError("no row holds an outcome that says anything")
        frame, observed, weight = frame.loc[seen], observed.rows(seen), weight[seen]
        codes = None if codes is None else cluster_codes(codes[seen], "cluster")
    designs = tuple(Design.of(f, frame, e) for e, f in equations.items())
    likelihood = TreeLikelihood(model=model, designs=designs, observed=observed, weights=weight)
    if not likelihood.size:
        raise ParameterError("nothing is left to estimate: every utility is a fixed number; give one a formula")
    _check_possible(likelihood)
    check_identified(likelihood)
    return maximum_likelihood(
        likelihood,
        frame=frame,
        dropped=len(table) - len(frame),
        game=game,
        clusters=codes,
        kind=covariance,
        penalty=penalty,
        starts=starts,
        seed=seed,
        iterations=iterations,
    )


def _check_possible(likelihood: TreeLikelihood) -> None:
    """Raise ParameterError if a row holds what cannot happen whatever the payoffs: a chance move of probability 0."""
    with np.errstate(divide="ignore"):
        impossible = np.flatnonzero(np.isneginf(likelihood.loglik(np.zeros(likelihood.size))))
    if len(impossible):
        row = int(impossible[0])
        pattern = likelihood.observed.patterns[int(likelihood.observed.counts[:, row].argmax())]
        names = end_names(likelihood.model.topology)
        raise ParameterError(
            f"the outcome {' or '.join(repr(names[z]) for z in pattern)} in row {row} is impossible: a chance move on "
            "the way to it has probability 0"
        )


def _check_options(errors: str, link: str) -> None:
    if errors not in ("agent", "private"):
        raise ParameterError(f"errors must be 'agent' or 'private', got {errors!r}")
    if link not in ("probit", "logit"):
        raise ParameterError(f"link must be 'probit' or 'logit', got {link!r}")
    if errors == "private" and link == "logit":
        raise ParameterError(
            "private information needs link='probit': a sum of logistic errors weighted by probabilities has no closed "
            "form; use errors='agent' for a logit"
        )


def _equations(game: ExtensiveGame, model: TreeModel, utilities: Mapping[str, Any]) -> dict[str, Any]:
    """Return the formula of each symbol that matters, in the order given."""
    given = {str(symbol): formula for symbol, formula in utilities.items()}
    check_names(given, game.parameters, "the game", complete=False)
    lacking = [symbol for symbol in game.parameters if symbol in model.relevant and symbol not in given]
    if lacking:
        raise ParameterError(
            f"utilities lacks the symbol {lacking[0]!r} of the game; give it a formula, or a number where it is known"
        )
    idle = [s for s in given if s not in model.relevant and columns_of(given[s], s)]
    if idle:
        raise ParameterError(
            f"the payoff {idle[0]!r} has no influence on any move (its player does not move above the end it belongs "
            "to), so its formula cannot be estimated; give it a number"
        )
    return {s: f for s, f in given.items() if s in model.relevant}


def _scales(game: ExtensiveGame, scale: Any) -> tuple[list[str | None], list[float], dict[str, Any]]:
    """Return for each player the equation of its log scale or None, its known scale, and the formulas."""
    players = game.players
    if isinstance(scale, Mapping):
        for name in scale:
            if name not in players:
                raise ParameterError(f"scale names {name!r}, who is no player; players are {list(players)}")
        given = [scale.get(p, 1.0) for p in players]
        names = [f"{SCALE} of {p}" for p in players]
    else:
        given, names = [scale] * len(players), [SCALE] * len(players)
    equations: list[str | None] = []
    known, formulas = [], {}
    for value, name in zip(given, names, strict=True):
        if isinstance(value, str):
            equations.append(name)
            known.append(1.0)
            formulas[name] = value
            continue
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 < float(value) < np.inf:
            raise ParameterError(f"scale must be a number above 0 or a formula such as '~ z', got {value!r}")
        equations.append(None)
        known.append(float(value))
    return equations, known, formulas


def _correlation(correlation: Any, link: str) -> dict[str, Any]:
    """Return the equation of the inverse hyperbolic tangent of the correlation; none where there is no correlation."""
    if correlation is None:
        return {}
    if link != "probit":
        raise ParameterError("correlation= needs link='probit': correlated errors are bivariate normal")
    if isinstance(correlation, str):
        return {CORRELATION: correlation}
    number = isinstance(correlation, int | float | np.number) and not isinstance(correlation, bool)
    if not number or not -1 < float(correlation) < 1:
        raise ParameterError(
            f"correlation must be a number between -1 and 1 or a formula such as '1' or '~ z', got {correlation!r}"
        )
    return {CORRELATION: float(np.arctanh(float(correlation)))}


def _known_columns(formula: Any, equation: str, table: Any) -> tuple[str, ...]:
    columns = columns_of(formula, equation)
    check_columns(table, columns, f"formula of {equation!r}")
    return columns


def _weights(frame: Any, weights: Any, kept: Any) -> Floats:
    if weights is None:
        return np.ones(len(frame))
    if isinstance(weights, str):
        values = numbers_of(frame, weights, "weights", low=0.0)
    else:
        try:
            given = np.asarray(weights, dtype=np.float64)
        except (TypeError, ValueError):
            raise ParameterError(f"weights must be a column or numbers, got {weights!r}") from None
        if given.shape != kept.shape:
            raise ParameterError(f"weights must have one number a row, {len(kept)}; got shape {given.shape}")
        values = given[kept]
        if not np.isfinite(values).all() or (values < 0).any():
            raise ParameterError("weights must be finite and at least 0")
    if not values.sum() > 0:
        raise ParameterError("weights must not all be zero")
    return values


def _cluster(frame: Any, cluster: Any, kept: Any) -> tuple[Any, str]:
    if isinstance(cluster, str):
        return frame[cluster].to_numpy(), f"cluster {cluster!r}"
    values = np.asarray(cluster)
    if values.shape != kept.shape:
        raise ParameterError(f"cluster must have one value a row, {len(kept)}; got shape {values.shape}")
    return values[kept], "cluster"
