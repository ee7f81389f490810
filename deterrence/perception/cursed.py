r"""Cursed equilibrium: players who see too little of the link between what others do and what others know.

With :math:`\chi \in [0, 1]`, a cursed player replies as if with probability :math:`\chi` the others' play were that
of their average type (Eyster and Rabin 2005 [1]_, :math:`\chi`-CE, for moves without observation), or, at each
history, updates only in part (Fong, Lin and Palfrey 2025 [2]_, :math:`\chi`-cursed sequential equilibrium): after
message m

.. math:: \mu'(t) = \chi \mu(t) + (1 - \chi) \nu(t),

with :math:`\mu` the belief before and :math:`\nu` Bayes' posterior on the path, and any distribution off it, so that
:math:`\mu'(t) \ge \chi \mu(t)` everywhere. :math:`\chi = 0` is (perfect) Bayesian equilibrium; at :math:`\chi = 1`
nothing is learned.

Both are ordinary equilibria of a *virtual* game. Expected payoffs are linear in beliefs, so that for a receiver of
type q

.. math:: \sum_t \mu'(t) v(t, m, r) = \sum_t \nu(t) \bigl[\chi \textstyle\sum_s \mu(s) v(s, m, r) + (1 - \chi) v(t,
m, r)\bigr]:

it replies like an uncursed receiver with the payoffs in brackets; and a sender who neglects that the receiver's
responses depend on the receiver's type, like one with payoffs averaged over these types in the same way. So every
solver, and the proof that none is missing, carries over.

References
----------
.. [1] E. Eyster and M. Rabin, "Cursed Equilibrium", Econometrica 73 (2005), 1623-1672.
.. [2] M.-J. Fong, P.-H. Lin and T. R. Palfrey, "Cursed Sequential Equilibrium", American Economic Review 115 (2025).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from deterrence.games.distributions import Distribution, uniform
from deterrence.games.equilibrium import Equilibrium, EquilibriumSet, Verdict
from deterrence.games.errors import GameError, ParameterError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.lazy_sequence import LazySequence
from deterrence.games.quantities import Array, as_float, rational
from deterrence.games.signaling import SignalingGame
from deterrence.games.signaling_profile import SignalingProfile
from deterrence.games.topology import CHANCE
from deterrence.games.values import Value
from deterrence.perception.cursed_stages import cursed_stages
from deterrence.solvers.algebra.thresholds import maximum
from deterrence.solvers.nash import nash
from deterrence.solvers.pbe import pbe


def cursed(
    game: Any,
    *,
    chi: float,
    at: Mapping[str, object] | None = None,
    exact: bool = False,
    tol: float = 1e-9,
) -> EquilibriumSet:
    r"""Find :math:`\chi`-cursed sequential equilibria, or the :math:`\chi`-cursed ones of a static game.

    Parameters
    ----------
    game : SignalingGame or ExtensiveGame
        A tree has the shape of a signaling game; or it is static: nature moves first, and no player moves twice or
        sees what another did; or nature moves first, and all players see all that is done (see ``cursed_stages``).
    chi : float
        Degree of cursedness, in [0, 1]; the same for all players.
    at : mapping of str to number, optional
        Values of the game's parameters.
    exact : bool
        Rational arithmetic, of signaling games and static ones.
    tol : float
        As in ``dt.pbe``.

    Returns
    -------
    EquilibriumSet
        Of signaling games all of them (``complete``), with the *cursed* beliefs :math:`\mu'`; probabilities and
        payoffs are those of the game itself. ``options["virtual"]`` holds the virtual game; certificates refer to
        it, and so do refinements. Of other trees all pure ones that one error in a type explains, and those mixed
        ones that are found: never ``complete``.

    Raises
    ------
    ParameterError
        If ``chi`` lies outside [0, 1].
    GameError
        If the tree has none of these shapes.

    Examples
    --------
    >>> import deterrence as dt
    >>> game = dt.SignalingGame(
    ...     types=("strong", "weak"), messages=("beer", "quiche"), responses=("duel", "not"), prior=["1/10", "9/10"],
    ...     sender_payoffs=[[[1, 3], [0, 2]], [[0, 2], [1, 3]]], receiver_payoffs=[[[0, 1], [0, 1]], [[1, 0], [1, 0]]])
    >>> [float(cursed(game, chi=chi, exact=True)[0].strategies["Sender"]["weak"]["beer"]) for chi in (0, 0.25)]
    [0.1111111111111111, 0.06432748538011696]
    """
    degree = _degree(chi)
    numeric = game.at(**at) if at else game
    if isinstance(numeric, ExtensiveGame):
        numeric.require_numbers()
        if is_static(numeric):
            return cursed_static(numeric.floats(), degree, exact=exact, tol=tol)
        try:
            numeric = numeric.to_signaling()
        except GameError:
            if exact:
                raise
            return cursed_stages(numeric.floats(), degree, tol=tol)
    if not isinstance(numeric, SignalingGame):
        raise GameError(f"cursed equilibrium needs a signaling game or a tree, got a {type(numeric).__name__}")
    numeric.require_numbers()
    numeric = numeric.exact() if exact else numeric.floats()
    virtual = cursed_game(numeric, chi)
    found = pbe(virtual, exact=exact, tol=tol)
    hold = partial(_with_cursed_beliefs, numeric, rational(chi) if exact else degree)
    return EquilibriumSet(
        game=numeric,
        concept=f"cursed {degree:g}",
        method=f"virtual game: {found.method}",
        equilibria=tuple(_moved(numeric, e, f"cursed {degree:g}", hold) for e in found),
        complete=found.complete,
        options={**found.options, "chi": chi, "virtual": virtual},
    )


def cursed_game(game: SignalingGame, chi: Any) -> SignalingGame:
    r"""Return the virtual game whose perfect Bayesian equilibria are the :math:`\chi`-cursed sequential ones of a game.

    Parameters
    ----------
    game : SignalingGame
        One game, or a batch.
    chi : float
        In [0, 1].

    Raises
    ------
    ParameterError
        If ``chi`` lies outside [0, 1].
    """
    _degree(chi)
    share = rational(chi) if game.kind == "exact" else float(chi)
    before = (game.receiver_view[..., None, None] * game.V).sum(axis=-4, keepdims=True)
    average = (game.sender_view[..., None, None] * game.U).sum(axis=-3, keepdims=True)
    V = share * np.broadcast_to(before, np.broadcast_shapes(before.shape, game.V.shape)) + (1 - share) * game.V
    U = share * np.broadcast_to(average, np.broadcast_shapes(average.shape, game.U.shape)) + (1 - share) * game.U
    without = game.receiver_types is None
    return SignalingGame(
        game.types,
        game.messages,
        game.responses,
        prior=game.prior,
        sender_payoffs=U[..., :, 0, :, :] if without else U,
        receiver_payoffs=V[..., :, 0, :, :] if without else V,
        receiver_types=game.receiver_types,
        sender_prior=game.sender_prior,
        receiver_prior=game.receiver_prior,
        events=game.events,
        players=game.players,
    )


@dataclass(frozen=True, eq=False)
class CursedOffer(Value):
    """What a cursed player offers to a better informed partner.

    Attributes
    ----------
    offer : float
        In units of the partner's value.
    perceived_payoff, true_payoff : float
        What the offerer expects, and what it gets on average; the difference is the winner's curse.
    """

    offer: float
    perceived_payoff: float
    true_payoff: float


def cursed_offer(alpha: float, chi: float, partner: Distribution | None = None) -> CursedOffer:
    r"""Return the best offer of a cursed player under adverse selection (Eyster and Rabin 2005, bilateral trade).

    The partner knows the value v of the deal to itself and accepts x iff :math:`v \le x`; to the offerer it is worth
    :math:`\alpha v`. The offerer underrates that acceptance is bad news: it maximises :math:`P(v \le x)\,[(1 - \chi)
    \alpha E(v \mid v \le x) + \chi \alpha E(v) - x]`.

    Parameters
    ----------
    alpha : float
        Value of the deal to the offerer, per unit of the partner's; >= 0.
    chi : float
        In [0, 1].
    partner : Distribution, optional
        Of v, with a bounded support; uniform on [0, 1] by default.

    Raises
    ------
    ParameterError
        If ``alpha`` is negative, ``chi`` outside [0, 1], or the support unbounded.

    Examples
    --------
    >>> offer = cursed_offer(1.5, 1.0)
    >>> round(offer.offer, 9), round(offer.true_payoff, 9)
    (0.375, -0.03515625)
    """
    degree = _degree(chi)
    if not alpha >= 0:
        raise ParameterError(
            f"alpha must not be negative (value to the offerer per unit of the partner's), got {alpha!r}"
        )
    law = uniform(0.0, 1.0) if partner is None else partner
    low, high = float(law.ppf(0.0)), float(law.ppf(1.0))
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ParameterError(f"the partner's values must be bounded, got the support [{low:g}, {high:g}]")

    def perceived(x: Any) -> Any:
        accepted = law.cdf(x)
        return (1 - degree) * alpha * law.partial_mean(x) + accepted * (degree * alpha * law.mean() - x)

    offer, value = maximum(perceived, low, high)
    true = float(alpha * law.partial_mean(offer) - law.cdf(offer) * offer)
    return CursedOffer(offer, value, true)


def _degree(chi: Any) -> float:
    try:
        degree = float(rational(chi)) if isinstance(chi, str) else float(chi)
    except (TypeError, ValueError):
        raise ParameterError(f"chi must be a number in [0, 1], the degree of cursedness, got {chi!r}") from None
    if not 0 <= degree <= 1:
        raise ParameterError(f"chi must lie in [0, 1], the degree of cursedness, got {chi!r}")
    return degree


def _moved(game: SignalingGame, e: Equilibrium, concept: str, hold: Callable[[Any], SignalingProfile]) -> Equilibrium:
    """Return an equilibrium of the virtual game as one of the game itself, with the beliefs that are held in it."""
    return Equilibrium(
        game=game,
        concept=concept,
        kind=e.kind,
        kinds=e.kinds,
        profile=hold(e.profile),
        vertices=() if e.isolated else LazySequence(e.vertices, hold),
        certificate=e.certificate,
        refine=partial(_refined_virtual, e, hold),
    )


def _refined_virtual(
    virtual: Equilibrium,
    hold: Callable[[Any], SignalingProfile],
    _: Equilibrium,
    name: str,
    __: Sequence[Equilibrium] | None,
) -> Verdict:
    """Return what a refinement says of an equilibrium of the virtual game, for the one of the game itself."""
    verdict = virtual.verdict(name)
    return replace(verdict, surviving=tuple(hold(p) for p in verdict.surviving))


def _with_cursed_beliefs(game: SignalingGame, chi: Any, profile: SignalingProfile) -> SignalingProfile:
    before = np.moveaxis(game.receiver_view, -1, 0)[:, None, :]  # (Q, 1, T)
    return replace(profile, posterior=chi * before + (1 - chi) * profile.posterior)


# ---------------------------------------------------------------- static games


def is_static(game: ExtensiveGame) -> bool:
    """Return whether nature moves first, no player moves twice, and none sees what another did."""
    topology = game.topology
    for node in range(1, topology.size):
        above = int(topology.parent[node])
        moved = [int(topology.owner[a]) for a in _above(game, node) if topology.owner[a] != CHANCE]
        if len(set(moved)) < len(moved) or (topology.owner[above] == CHANCE and moved):
            return False
    for s in topology.infosets:
        met: dict[int, int] = {}  # how many nodes of the set there are in each state of nature
        for n in s.nodes:
            met[_state(game, n)] = met.get(_state(game, n), 0) + 1
        before = [len(topology.infosets[topology.infoset[a]].actions) for a in _above(game, s.nodes[0])
                  if topology.owner[a] != CHANCE]  # fmt: skip
        if any(count != int(np.prod(before, initial=1)) for count in met.values()):
            return False
    return True


def cursed_static(game: ExtensiveGame, chi: float, *, exact: bool, tol: float) -> EquilibriumSet:
    r"""Return the cursed equilibria of a static game: the Nash equilibria of its virtual game.

    Player i of type :math:`t_i` replies as if, with probability :math:`\chi`, the others' actions had nothing to do
    with their types. That is Bayesian equilibrium of the virtual game with payoffs
    :math:`\chi E[u_i(a, t) \mid t_i] + (1 - \chi) u_i(a, t)` (Eyster and Rabin 2005, section 2).
    """
    topology = game.topology
    slots = [[int(topology.slot[n]) for n in (int(z), *_above(game, int(z))) if n > 0] for z in topology.terminal]
    count = topology.action_count
    nature = np.array([np.prod([game.chance[s - count] for s in path if s >= count], initial=1.0) for path in slots])
    actions = [tuple(sorted((_owner(game, s), topology.labels[s]) for s in path if s < count)) for path in slots]
    payoffs = np.array(game.payoffs)
    for i in range(len(game.players)):
        groups: dict[tuple[object, ...], list[int]] = {}  # ends after the same actions, of one type of player i
        for z, path in enumerate(slots):
            own = [int(topology.slot_infoset[s]) for s in path if s < count and _owner(game, s) == i]
            groups.setdefault((*own, *actions[z]), []).append(z)
        for ends in groups.values():
            payoffs[ends, i] = _towards_mean(game.payoffs[ends, i], nature[ends], chi)
    virtual = ExtensiveGame.of(topology, game.chance, payoffs, game.title)
    found = nash(virtual, exact=exact, tol=tol)
    return EquilibriumSet(
        game=game,
        concept=f"cursed {chi:g}",
        method=f"virtual game: {found.method}",
        equilibria=tuple(replace(e, game=game, concept=f"cursed {chi:g}", siblings=None) for e in found),
        complete=found.complete,
        options={**found.options, "chi": chi, "virtual": virtual},
    )


def _towards_mean(values: Array, weights: Array, chi: float) -> Array:
    total = float(as_float(weights).sum())
    return values if total == 0 else chi * float(values @ weights) / total + (1 - chi) * values


def _above(game: ExtensiveGame, node: int) -> list[int]:
    nodes = []
    while node > 0:
        node = int(game.topology.parent[node])
        nodes.append(node)
    return nodes


def _state(game: ExtensiveGame, node: int) -> int:
    """Return the last node that nature's moves lead to on the way to a node."""
    topology = game.topology
    for n in (node, *_above(game, node)):
        if n > 0 and topology.owner[topology.parent[n]] == CHANCE:
            return n
    return 0


def _owner(game: ExtensiveGame, slot: int) -> int:
    topology = game.topology
    return topology.infosets[int(topology.slot_infoset[slot])].player
