"""Perfect Bayesian equilibrium; on signaling games all of them, as maximal components, each certified."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from deterrence.games.batch import BatchEquilibria
from deterrence.games.continuous_receiver import ContinuousReceiverGame
from deterrence.games.equilibrium import EquilibriumSet
from deterrence.games.errors import GameError, ParameterError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.signaling import SignalingGame
from deterrence.solvers.arguments import check_tolerance, numbers_in
from deterrence.solvers.continuous_receiver import continuous_receiver_batch, continuous_receiver_equilibria
from deterrence.solvers.pbe_batch import pbe_batch
from deterrence.solvers.signaling.equilibria import signaling_equilibria
from deterrence.solvers.trees.tree_pbe import pbe_of_tree

Number: TypeAlias = float | str | Fraction | Decimal | np.number[Any]


@overload
def pbe(
    game: SignalingGame | ExtensiveGame | ContinuousReceiverGame,
    *,
    at: Mapping[str, NDArray[Any]],
    exact: Literal[False] = False,
    tol: float = 0.0,
    limit: int = 2_000_000,
    time_limit: float | None = None,
) -> BatchEquilibria: ...
@overload
def pbe(
    game: SignalingGame | ExtensiveGame | ContinuousReceiverGame,
    *,
    at: Mapping[str, Number] | None = None,
    exact: bool = False,
    tol: float = 0.0,
    limit: int = 2_000_000,
    time_limit: float | None = None,
) -> EquilibriumSet: ...
@overload
def pbe(
    game: SignalingGame | ExtensiveGame | ContinuousReceiverGame,
    *,
    at: Mapping[str, object],
    exact: bool = False,
    tol: float = 0.0,
    limit: int = 2_000_000,
    time_limit: float | None = None,
) -> EquilibriumSet | BatchEquilibria: ...
def pbe(
    game: Any,
    *,
    at: Mapping[str, object] | None = None,
    exact: bool = False,
    tol: float = 0.0,
    limit: int = 2_000_000,
    time_limit: float | None = None,
) -> Any:
    """Find all perfect Bayesian equilibria.

    On a signaling game: every response is optimal at the receiver's belief, every message that a type sends
    is optimal given the responses, beliefs follow Bayes' rule from the receiver's prior at messages that it
    expects, and are free at others. The set of these equilibria is a finite union of products of polytopes
    (sender's strategies x receivers' strategies x beliefs off the path); each element of the result is a
    maximal one, with its vertices.

    Parameters
    ----------
    game : SignalingGame, ExtensiveGame or ContinuousReceiverGame
        One game, or a batch of signaling games of one shape (for a type checker, to which a batch looks like one
        game, ``pbe_batch`` says what it returns). A receiver whose private value is a continuum has a solver of its
        own, ``solvers.continuous_receiver``, which takes no options.
    at : mapping of str to number, optional
        Values of the game's parameters; arrays make a batch.
    exact : bool
        Results are ``Fraction`` rather than float; the equilibria are the same. Comparisons are exact either way: a
        float counts as the decimal that it prints as (0.1 is 1/10), and numbers tie if and only if they are equal,
        whatever the scale of the others. An irrational constant such as ``sqrt(2)`` counts as its float.
    tol : float
        For payoffs that come from a computation and carry its rounding: those of one player that differ by up to
        ``tol`` times their own size are made one number first. 0, the default, merges nothing. If it changes the
        equilibria, ``options["tolerance_matters"]`` of the result says so.
    limit : int
        Largest number of combinations of supports to look at, and a hundred times that of components to
        return. Either way about 20 s at the default.
    time_limit : float, optional
        Of one signaling game: seconds after which the search stops; what was found is returned with
        ``complete=False``.

    Returns
    -------
    EquilibriumSet or BatchEquilibria
        Of one game, a set with ``complete=True``: nothing is missing (see ``Notes``). Of a batch, counts,
        ranges of probabilities and flags.

    Raises
    ------
    GameError
        If parameters have no values, or the game needs more than ``limit`` combinations; the message says how
        many.
    SolverError
        If a result fails its certificate.

    Notes
    -----
    The search is complete because each step keeps every equilibrium. (1) At each message the belief simplex
    is cut into cells, each with its types and its exact set of best responses [1]_; an equilibrium lies in
    one cell per message. (2) Combinations of cells are dropped only by conditions that are necessary in every
    game, tied or not. (3) In the combinations left, each side faces linear constraints, and all vertices of
    its polytope are enumerated [2]_. Components are maximal by the argument in ``signaling_components``. A
    component holds the equilibria with one set of messages on the path; where a message's probability falls
    to zero, its free beliefs belong to another component.

    The cost grows with the number of cells, about ``2**T`` times the regions of best responses at each
    message, to the power M; ties add little to the search and much to the number of vertices.

    References
    ----------
    .. [1] B. von Stengel, "Computing equilibria for two-person games", Handbook of Game Theory 3 (2002),
       1723-1759 (best-response subdivisions; maximal sets of exchangeable equilibria).
    .. [2] K. Fukuda and A. Prodon, "Double description method revisited", Combinatorics and Computer Science
       (1996), 91-111.

    Examples
    --------
    >>> from deterrence.games.signaling import SignalingGame
    >>> beer_quiche = SignalingGame(
    ...     types=("strong", "weak"), messages=("beer", "quiche"), responses=("duel", "not"), prior=["1/10", "9/10"],
    ...     sender_payoffs=[[[1, 3], [0, 2]], [[0, 2], [1, 3]]], receiver_payoffs=[[[0, 1], [0, 1]], [[1, 0], [1, 0]]])
    >>> equilibria = pbe(beer_quiche, exact=True)
    >>> equilibria.kinds
    ('semi-separating: weak mixes',)
    >>> equilibria[0].strategies["Sender"]["weak"]["beer"]
    Fraction(1, 9)
    """
    if isinstance(game, ContinuousReceiverGame):
        if at or exact or tol or time_limit is not None:
            raise ParameterError("a game with a continuous receiver has numbers only, and is solved without options")
        return continuous_receiver_batch(game) if game.batch_shape else continuous_receiver_equilibria(game)
    numeric = numbers_in(game, at, "pbe", ("SignalingGame", "ExtensiveGame", "ContinuousReceiverGame"))
    check_tolerance(tol)
    if time_limit is not None and (not isinstance(numeric, SignalingGame) or numeric.batch_shape):
        raise ParameterError("time_limit= is for one signaling game; a tree that is one converts by .to_signaling()")
    if not isinstance(numeric, SignalingGame):
        return pbe_of_tree(numeric, exact=exact, tol=tol, limit=limit)
    if numeric.batch_shape:
        if exact:
            raise GameError("a batch of games is solved in floats; for exact=True index one game of it")
        return pbe_batch(numeric, tol=tol)
    numeric.require_numbers()
    return signaling_equilibria(numeric, exact=exact, tol=tol, limit=limit, time_limit=time_limit)
