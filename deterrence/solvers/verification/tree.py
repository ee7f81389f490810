"""Certificates for trees: what each player could gain at each information set, reckoned from the tree's own arrays.

Nothing here is shared with a solver or with the evaluation of strategies in ``games.play``: reach and values are
summed edge by edge over the levels of the tree, and best plans are settled from a player's last moves up (``plans``).
All of it is linear in the nodes, but for information sets whose belief later ones forget, which take a pass each, and
for beliefs that have to be found by a linear program (``excuses``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from deterrence.games.equilibrium import Certificate, Equilibrium
from deterrence.games.errors import GameError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.quantities import SUM_TOLERANCE, Array, as_float
from deterrence.solvers.verification.excuses import excused
from deterrence.solvers.verification.plans import TreeShape, added

_SELDOM = 1e-200  # in floats a set reached less often counts as not reached: its Bayes' rule would be noise
_MOST_GAINS = 20_000  # actions at nodes for which beliefs are found by a linear program
_ROUNDING = 1e-9  # beyond this a sum of probabilities is a mistake, not rounding


def verify_tree(game: ExtensiveGame, equilibrium: Equilibrium | Any, tol: float = 1e-9) -> Certificate:
    r"""Certify an equilibrium of a tree, or a bare profile.

    Parameters
    ----------
    game : ExtensiveGame
        A single game with numbers.
    equilibrium : Equilibrium or BehaviorProfile
        Of an Equilibrium every vertex is checked, and the worst counts.
    tol : float
        Gains up to ``tol`` times the span of the player's payoffs count as none; exact results are held to 0.

    Returns
    -------
    Certificate
        With beliefs: the largest gain from any change of a player's plan from an information set on, given its
        belief there, reached or not; and the largest distance of beliefs from Bayes' rule where a set is reached.
        Without beliefs (a Nash equilibrium): the largest gain from any plan for the whole game;
        ``sequentially_rational`` then says whether every subgame is in equilibrium and some belief supports what is
        played at each set (False, too, where finding it would take a linear program of more than 20,000 gains).
        With a ``precision`` :math:`\lambda` (a logit equilibrium): the largest gain in
        :math:`\sum_a p_a q_a + H(p)/\lambda`, whose maximum is the logit response; at :math:`\lambda = 0` the distance
        from uniform play.

    Raises
    ------
    GameError
        If the game has free parameters or batch dimensions, a strategy or belief is no distribution, or plans are to
        be compared and the game lacks perfect recall.
    """
    profiles = [*equilibrium.vertices, equilibrium.profile] if isinstance(equilibrium, Equilibrium) else [equilibrium]
    return certify(game, profiles, tol)


def certify(game: ExtensiveGame, profiles: Sequence[Any], tol: float) -> Certificate:
    """Certify profiles of one tree; the worst counts."""
    found = certify_each(game, list({id(p): p for p in profiles}.values()), tol)
    return Certificate(
        max_regret=max(c.max_regret for c in found),
        max_belief_error=max(c.max_belief_error for c in found),
        sequentially_rational=all(c.sequentially_rational for c in found),
        exact=all(c.exact for c in found),
    )


def certify_each(game: ExtensiveGame, profiles: Sequence[Any], tol: float) -> list[Certificate]:
    """Certify profiles of one tree, each on its own."""
    game.require_numbers()
    if game.batch_shape:
        raise GameError("verify checks one game at a time; index the batch, as in game[0]")
    shape = TreeShape(game)
    return [_Walk(game, p, shape).certificate(tol) for p in profiles]


def subgame_regret(game: ExtensiveGame, profile: Any) -> float:
    """Return the largest gain from a change of plan in any subgame, in payoff units: zero iff subgame perfect."""
    game.topology.require_perfect_recall("the regret of plans")
    walk = _Walk(game, profile, TreeShape(game))
    return float(max((gains.max(initial=0) for gains in walk.plan_gains(walk.shape.roots)), default=0))


def plan_regrets(game: ExtensiveGame, profile: Any) -> list[float]:
    """Return each player's largest gain from a change of its plan for the whole game, in payoff units."""
    game.topology.require_perfect_recall("the regret of plans")
    walk = _Walk(game, profile, TreeShape(game))
    return [float(gains[0]) for gains in walk.plan_gains(np.array([0]))]


class _Walk:
    """One profile on one tree: the probabilities of edges, the reach of nodes and what each is worth."""

    def __init__(self, game: ExtensiveGame, profile: Any, shape: TreeShape) -> None:
        topology = game.topology
        self.shape, self.game, self.topology, self.profile = shape, game, topology, profile
        self.players = len(topology.players)
        self.seldom = 0.0 if game.kind == "exact" else _SELDOM
        self.exact = game.kind == "exact" and profile.actions.dtype == object
        self.payoffs = game.payoffs if self.exact else as_float(game.payoffs)
        self.spans = shape.spans
        chance = game.chance if self.exact else as_float(game.chance)
        actions = profile.actions if self.exact else np.asarray(profile.actions, dtype=np.float64)
        if actions.shape != (topology.action_count,):
            raise GameError(f"a profile of this game has shape ({topology.action_count},), got {actions.shape}")
        self.actions = actions
        if len(shape.firsts):
            self._check_distributions(actions, shape.firsts, "the strategy")
        slots = np.concatenate([actions, chance])
        self.edge = np.zeros(topology.size, dtype=slots.dtype)
        self.edge[1:] = slots[topology.slot[1:]]
        self.zero = 0 * self.edge[:1].sum()
        self.reach = np.full(topology.size, self.zero + 1, dtype=slots.dtype)
        for level, above in zip(shape.inner, shape.above, strict=True):
            self.reach[level] = self.reach[above] * self.edge[level]
        self.set_nodes, self.set_starts = topology.set_nodes
        self.set_of = topology.infoset[self.set_nodes]
        self.sets = len(topology.infosets)
        self.known: Array = np.zeros(0, dtype=np.int64)
        self.whole: Any = None

    def certificate(self, tol: float) -> Certificate:
        held_to = 0.0 if self.exact else tol
        if getattr(self.profile, "precision", None) is not None:
            regret, error = self._logit_regret(), self._belief_error(self._bayes())
            return Certificate(
                float(regret), error, regret <= held_to * self.game.span and error <= held_to, self.exact
            )
        self.topology.require_perfect_recall("a certificate of plans")
        if self.profile.nodes is None:
            gains = [mine[0] for mine in self.plan_gains(np.array([0]))]
            rational = all(g <= held_to * s for g, s in zip(gains, self.spans, strict=True)) and self._supported(
                held_to
            )
            return Certificate(float(max(gains)), 0.0, rational, self.exact)
        beliefs = np.asarray(self.profile.nodes)
        if beliefs.shape != (self.topology.size,):
            raise GameError(f"beliefs of this game have shape ({self.topology.size},), got {beliefs.shape}")
        error = self._belief_error(beliefs)
        if not self.sets:
            return Certificate(0.0, error, True, self.exact)
        regrets = self._regrets(beliefs)
        rational = error <= held_to and bool((regrets <= held_to * self.spans[self.shape.owners]).all())
        return Certificate(float(max(regrets.max(), 0)), error, rational, self.exact)

    def plan_gains(self, roots: Array) -> list[Array]:
        """Return, by player, the gains of its best plan over its play from some roots of subgames on."""
        worth = self._worth(None)
        gains = []
        for player in range(self.players):
            if not (self.topology.owner == player).any():
                gains.append(worth[roots, player] * 0)
                continue
            weights = self.shape.stage_weights(player, self.edge)
            best = self.shape.best_values(player, self.payoffs[:, player], self.edge, weights)
            gains.append(best[roots] - worth[roots, player])
        return gains

    def _regrets(self, beliefs: Array) -> Array:
        """Return, by information set, the gain of the best plan from there on over the play, given the belief there."""
        shape, topology = self.shape, self.topology
        parents = topology.parent[shape.moves]
        believed = np.asarray(beliefs[parents] != 0, dtype=bool)
        moves, parents = shape.moves[believed], parents[believed]
        owner = topology.owner[parents]
        again = [player for player, twice in enumerate(shape.again) if twice]
        if again:
            worth = self._worth(None)
            after, now = worth[moves, owner], worth[parents, owner]
        else:  # one move a path: only what is played after the moves that are believed in counts
            wanted = np.zeros(topology.size, dtype=bool)
            wanted[moves] = wanted[parents] = True
            worth = self._worth(wanted)
            after, now = (
                worth[np.searchsorted(self.known, moves), owner],
                worth[np.searchsorted(self.known, parents), owner],
            )
        for player in again:
            best = shape.best_values(player, self.payoffs[:, player], self.edge, beliefs)
            after[owner == player] = best[moves[owner == player]]
        totals = added(beliefs[parents] * (after - now), topology.slot[moves], topology.action_count)
        regrets = np.maximum.reduceat(totals, shape.firsts)
        for player in again:
            for i in shape.forgetful(player, self.edge, beliefs):
                nodes = np.array(topology.infosets[i].nodes)
                weights = shape.weights_from(player, nodes, beliefs[nodes], self.edge)
                best = shape.best_values(player, self.payoffs[:, player], self.edge, weights)
                regrets[i] = (beliefs[nodes] * (best[nodes] - worth[nodes, player])).sum()
        return regrets

    def _worth(self, wanted: Array | None) -> Any:
        """Return what nodes are worth to each player, shape (nodes, P): all of them, or those that wanted ones rest on.

        In the second case ``self.known`` holds the nodes.
        """
        topology, shape = self.topology, self.shape
        dtype = np.result_type(self.edge.dtype, self.payoffs.dtype)
        if wanted is None and self.whole is None:
            self.whole = np.zeros((topology.size, self.players), dtype=dtype)
            self.whole[topology.terminal] = self.payoffs
            shape.sum_up(self.whole, self.edge)
        if wanted is None:
            return self.whole
        played = np.asarray(self.edge != 0, dtype=bool)
        for level, above in zip(shape.inner, shape.above, strict=True):
            wanted[level] |= wanted[above] & played[level]
        self.known = np.flatnonzero(wanted)
        place = np.cumsum(wanted) - 1
        ends = wanted[topology.terminal]
        worth = np.zeros((len(self.known), self.players), dtype=dtype)
        worth[place[topology.terminal[ends]]] = self.payoffs[ends]
        for level, above in zip(reversed(shape.inner), reversed(shape.above), strict=True):
            counts = wanted[above] & played[level]
            below, parents = level[counts], above[counts]
            if len(below):
                heads = np.flatnonzero(np.r_[True, np.diff(parents) != 0])
                worth[place[parents[heads]]] = np.add.reduceat(
                    worth[place[below]] * self.edge[below][:, None], heads, axis=0
                )
        return worth

    def _bayes(self) -> Array:
        """Return beliefs by Bayes' rule; where a set is not reached, those given, or NaN."""
        given = self.profile.nodes
        beliefs = np.full(self.topology.size, np.nan, dtype=self.reach.dtype) if given is None else np.array(given)
        mass = self.reach[self.set_nodes]
        total = added(mass, self.set_of, self.sets)[self.set_of]
        met = np.asarray(total > self.seldom, dtype=bool)
        beliefs[self.set_nodes[met]] = mass[met] / total[met]
        return beliefs

    def _belief_error(self, beliefs: Array) -> float:
        if not self.sets:
            return 0.0
        mine = beliefs[self.set_nodes]
        self._check_distributions(mine, self.set_starts, "the belief")
        mass = self.reach[self.set_nodes]
        total = added(mass, self.set_of, self.sets)[self.set_of]
        met = np.asarray(total > self.seldom, dtype=bool)
        return float(np.abs(mine[met] - mass[met] / total[met]).max(initial=0))

    def _supported(self, held_to: float) -> bool:
        """Whether every subgame is in equilibrium, and at each information set some belief makes the play optimal."""
        for gains, span in zip(self.plan_gains(self.shape.roots), self.spans, strict=True):
            if (gains > held_to * span).any():
                return False
        moves = self.shape.moves
        parents, slots = self.topology.parent[moves], self.topology.slot[moves]
        owner, sets = self.topology.owner[parents], self.topology.infoset[parents]
        worth = self._worth(None)
        gains = (worth[moves, owner] - worth[parents, owner]) / self.spans[owner]
        bound = max(held_to, SUM_TOLERANCE)
        total = added(self.reach[self.set_nodes], self.set_of, self.sets)
        met = np.asarray(total > self.seldom, dtype=bool)[sets]
        mean = added(self.reach[parents[met]] / total[sets[met]] * gains[met], slots[met], self.topology.action_count)
        if (mean > bound).any():
            return False
        off = ~met
        return excused(sets[off], parents[off], slots[off], as_float(gains[off]), bound, _MOST_GAINS)

    def _logit_regret(self) -> float:
        """Largest gain in expected payoff plus entropy over precision."""
        worth, beliefs = self._worth(None), self._bayes()
        moves = self.shape.moves
        if not len(moves):
            return 0.0
        parents = self.topology.parent[moves]
        after = np.asarray(beliefs[parents] * worth[moves, self.topology.owner[parents]], dtype=np.float64)
        value = added(after, self.topology.slot[moves], self.topology.action_count)
        played = np.asarray(self.actions, dtype=np.float64)
        firsts, sizes = self.shape.firsts, np.diff(np.append(self.shape.firsts, len(played)))
        precision = np.asarray(self.profile.precision, dtype=np.float64)[self.shape.owners]
        uniform = precision == 0
        worst = float(np.abs(played - np.repeat(1 / sizes, sizes))[np.repeat(uniform, sizes)].max(initial=0))
        if uniform.all():
            return worst
        sure = np.where(uniform, 1.0, precision)
        top = np.maximum.reduceat(value, firsts)
        weight = np.exp(np.repeat(sure, sizes) * (value - np.repeat(top, sizes)))
        best = top + np.log(np.add.reduceat(weight, firsts)) / sure
        logs = np.log(np.where(played > 0, played, 1)) / np.repeat(sure, sizes)
        return max(worst, float((best - np.add.reduceat(played * (value - logs), firsts))[~uniform].max()))

    def _check_distributions(self, values: Array, starts: Array, what: str) -> None:
        """Raise GameError unless the values of each information set are a distribution."""
        odd = np.abs(as_float(np.add.reduceat(values, starts)) - 1) > _ROUNDING
        odd |= np.asarray(np.minimum.reduceat(values, starts) < 0, dtype=bool)
        odd |= np.isnan(as_float(np.add.reduceat(values, starts)))
        for i in np.flatnonzero(odd)[:1]:
            end = [*starts[1:], len(values)][i]
            raise GameError(
                f"{what} at information set {self.topology.infosets[i].key!r} must be a distribution, got "
                f"{[float(x) for x in values[starts[i] : end]]}"
            )
