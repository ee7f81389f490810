"""Certificates for trees: what each player could gain at each information set, reckoned from the tree's own arrays.

Nothing here is shared with a solver or with the evaluation of strategies in ``games.play``: reach and values are
summed edge by edge over the levels of the tree, and best plans by settling a player's information sets from its last
moves up.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from deterrence.games.equilibrium import Certificate, Equilibrium
from deterrence.games.errors import GameError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.forms.subgames import subgame_roots
from deterrence.games.quantities import SUM_TOLERANCE, Array, as_float

_SELDOM = 1e-200  # in floats a set reached less often counts as not reached: its Bayes' rule would be noise
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
        played at each set. With a ``precision`` :math:`\lambda` (a logit equilibrium): the largest gain in
        :math:`\sum_a p_a q_a + H(p)/\lambda`, whose maximum is the logit response; at :math:`\lambda = 0` the distance
        from uniform play.

    Raises
    ------
    GameError
        If the game has free parameters or batch dimensions, or a strategy or belief is no distribution.
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
    shape = _Shape(game)
    return [_Walk(game, p, shape).certificate(tol) for p in profiles]


def subgame_regret(game: ExtensiveGame, profile: Any) -> float:
    """Return the largest gain from a change of plan in any subgame, in payoff units: zero iff subgame perfect."""
    walk = _Walk(game, profile, _Shape(game))
    return float(
        max(walk.plan_gain(i, np.array([r]), walk.one) for r in subgame_roots(game) for i in range(walk.players))
    )


def plan_regrets(game: ExtensiveGame, profile: Any) -> list[float]:
    """Return each player's largest gain from a change of its plan for the whole game, in payoff units."""
    walk = _Walk(game, profile, _Shape(game))
    return [float(walk.plan_gain(i, np.array([0]), walk.one)) for i in range(walk.players)]


class _Shape:
    """What all profiles of one tree share."""

    def __init__(self, game: ExtensiveGame) -> None:
        topology = game.topology
        self.topology = topology
        self.mover = np.full(topology.size, -3)  # who chooses the edge to a node
        self.mover[1:] = topology.owner[topology.parent[1:]]
        self.inner = topology.levels[1:]
        self.above = [topology.parent[level] for level in self.inner]
        self.heads = [np.flatnonzero(np.r_[True, np.diff(above) != 0]) for above in self.above]  # first children
        self.nodes = [np.array(s.nodes) for s in topology.infosets]
        self.children = [np.array([topology.children[x] for x in s.nodes]) for s in topology.infosets]
        spans = as_float(game.payoffs)
        self.spans = np.maximum(spans.max(axis=0) - spans.min(axis=0), np.finfo(float).tiny)

    @cached_property
    def own_depth(self) -> list[Array]:
        """By player, how many of its own moves stand before each node."""
        depths = []
        for player in range(len(self.topology.players)):
            depth = np.zeros(self.topology.size, dtype=np.int64)
            for level, above in zip(self.inner, self.above, strict=True):
                depth[level] = depth[above] + (self.mover[level] == player)
            depths.append(depth)
        return depths

    @cached_property
    def last_depth(self) -> list[int]:
        """By player, the own depth of its last moves."""
        owner = self.topology.owner
        return [int(d.max(where=owner == i, initial=-1)) for i, d in enumerate(self.own_depth)]

    def sum_up(self, values: Array, factor: Array) -> None:
        """Add to every node, from the last level up, what its children hold times the factor of the edge to them."""
        for level, above, heads in zip(reversed(self.inner), reversed(self.above), reversed(self.heads), strict=True):
            part = values[level] * (factor[level] if values.ndim == 1 else factor[level][:, None])
            width = len(level) // len(heads)
            if bool((np.diff(heads) == width).all()) and width * len(heads) == len(level):  # all have as many children
                values[above[heads]] += sum(part[k::width] for k in range(width))
            else:
                values[above[heads]] += np.add.reduceat(part, heads, axis=0)


class _Walk:
    """One profile on one tree: the probabilities of edges, the reach of nodes and what each is worth."""

    def __init__(self, game: ExtensiveGame, profile: Any, shape: _Shape) -> None:
        topology = game.topology
        self.shape, self.mover, self.spans = shape, shape.mover, shape.spans
        self.game, self.topology, self.profile = game, topology, profile
        self.players = len(topology.players)
        self.seldom = 0.0 if game.kind == "exact" else _SELDOM
        self.exact = game.kind == "exact" and profile.actions.dtype == object
        self.payoffs = game.payoffs if self.exact else as_float(game.payoffs)
        chance = game.chance if self.exact else as_float(game.chance)
        actions = profile.actions if self.exact else np.asarray(profile.actions, dtype=np.float64)
        if actions.shape != (topology.action_count,):
            raise GameError(f"a profile of this game has shape ({topology.action_count},), got {actions.shape}")
        self.actions = actions
        for s in topology.infosets:
            self._check_distribution(actions[s.slots], f"the strategy at information set {s.key!r}")
        slots = np.concatenate([actions, chance])
        self.edge = np.zeros(topology.size, dtype=slots.dtype)
        self.edge[1:] = slots[topology.slot[1:]]
        self.one = np.array([1], dtype=slots.dtype)
        self.reach = self._reach(np.array([0]), self.one, -5)
        self.worth = np.zeros((topology.size, self.players), dtype=np.result_type(self.edge.dtype, self.payoffs.dtype))
        self.worth[topology.terminal] = self.payoffs
        shape.sum_up(self.worth, self.edge)

    def certificate(self, tol: float) -> Certificate:
        held_to = 0.0 if self.exact else tol
        if getattr(self.profile, "precision", None) is not None:
            regret, error = self._logit_regret(), self._belief_error(self._bayes())
            return Certificate(
                float(regret), error, regret <= held_to * self.game.span and error <= held_to, self.exact
            )
        if self.profile.nodes is None:
            gains = [self.plan_gain(i, np.array([0]), self.one) for i in range(self.players)]
            rational = all(g <= held_to * s for g, s in zip(gains, self.spans, strict=True)) and self._supported(
                held_to
            )
            return Certificate(float(max(gains)), 0.0, rational, self.exact)
        beliefs = np.asarray(self.profile.nodes)
        if beliefs.shape != (self.topology.size,):
            raise GameError(f"beliefs of this game have shape ({self.topology.size},), got {beliefs.shape}")
        error = self._belief_error(beliefs)
        worst, rational = 0.0, error <= held_to
        for s, nodes in zip(self.topology.infosets, self.shape.nodes, strict=True):
            gain = self.plan_gain(s.player, nodes, beliefs[nodes])
            rational = rational and bool(gain <= held_to * self.spans[s.player])
            worst = max(worst, float(gain))
        return Certificate(worst, error, rational, self.exact)

    def plan_gain(self, player: int, start: Array, weights: Array) -> Any:
        """Gain over a player's play of its best plan from some nodes (a set of its own, or a root) on, by weights."""
        topology = self.topology
        now = (weights * self.worth[start, player]).sum()
        depth = self.shape.own_depth[player]
        here = int(topology.infoset[start[0]])
        if here >= 0 and topology.infosets[here].player == player and depth[start[0]] == self.shape.last_depth[player]:
            children = self.shape.children[here]  # the player's last move: no plan beyond it
            return (weights[:, None] * self.worth[children, player]).sum(axis=0).max() - now
        reach = self._reach(start, weights, player)
        below = reach != 0
        mine = [s for s in topology.infosets if s.player == player and below[list(s.nodes)].any()]
        ends = topology.terminal
        plan = np.where(self.mover == player, 0 * self.edge, 0 * self.edge + 1)
        for d in sorted({int(depth[s.nodes[0]]) for s in mine}, reverse=True):
            value = np.zeros(topology.size, dtype=reach.dtype)
            value[ends] = reach[ends] * self.payoffs[:, player]
            self.shape.sum_up(value, plan)
            for s in mine:
                if depth[s.nodes[0]] == d:
                    children = np.array([topology.children[x] for x in s.nodes if below[x]])
                    best = int(np.argmax(value[children].sum(axis=0)))
                    plan[np.array([topology.children[x][best] for x in s.nodes])] = 1
        # a player whose own moves all lie behind the start has nothing to plan
        value = np.zeros(topology.size, dtype=reach.dtype)
        value[ends] = reach[ends] * self.payoffs[:, player]
        self.shape.sum_up(value, plan)
        return value[start].sum() - now

    def _reach(self, start: Array, weights: Array, player: int) -> Array:
        """Weight of each node below some start, as if the player did all it could to get there."""
        topology = self.topology
        reach = np.zeros(topology.size, dtype=self.edge.dtype)
        reach[start] = weights
        for level in topology.levels[1:]:
            pass_on = np.where(self.mover[level] == player, self.one, self.edge[level])
            reach[level] = reach[level] + reach[topology.parent[level]] * pass_on
        return reach

    def _bayes(self) -> Array:
        beliefs = np.full(self.topology.size, np.nan)
        for s in self.topology.infosets:
            nodes = list(s.nodes)
            total = self.reach[nodes].sum()
            given = self.profile.nodes
            beliefs[nodes] = (
                self.reach[nodes] / total if total > self.seldom else (np.nan if given is None else given[nodes])
            )
        return beliefs

    def _belief_error(self, beliefs: Array) -> float:
        worst = 0.0
        for s, nodes in zip(self.topology.infosets, self.shape.nodes, strict=True):
            mine = beliefs[nodes]
            self._check_distribution(mine, f"the belief at information set {s.key!r}")
            total = self.reach[nodes].sum()
            if total > self.seldom:
                worst = max(worst, float(np.abs(mine - self.reach[nodes] / total).max()))
        return worst

    def _supported(self, held_to: float) -> bool:
        """Whether every subgame is in equilibrium, and at each information set some belief makes the play optimal."""
        bounds = held_to * self.spans
        for r in subgame_roots(self.game):
            for i in range(self.players):
                if self.plan_gain(i, np.array([r]), self.one) > bounds[i]:
                    return False
        for s in self.topology.infosets:
            nodes = list(s.nodes)
            total = self.reach[nodes].sum()
            after = np.array([[self.worth[c, s.player] for c in self.topology.children[x]] for x in nodes])
            gains = after - self.worth[nodes, s.player][:, None]  # (nodes, actions)
            if total > self.seldom:
                least = ((self.reach[nodes] / total)[:, None] * gains).sum(axis=0).max()
            else:
                least = _least_regret(np.asarray(gains, dtype=np.float64))
            if least > max(bounds[s.player], SUM_TOLERANCE * self.spans[s.player]):
                return False
        return True

    def _logit_regret(self) -> float:
        """Largest gain in expected payoff plus entropy over precision."""
        beliefs = self._bayes()
        worst = 0.0
        for s in self.topology.infosets:
            nodes = list(s.nodes)
            precision = float(self.profile.precision[s.player])
            after = np.array(
                [[self.worth[c, s.player] for c in self.topology.children[x]] for x in nodes], dtype=np.float64
            )
            value = (np.asarray(beliefs[nodes], dtype=np.float64)[:, None] * after).sum(axis=0)
            played = np.asarray(self.actions[s.slots], dtype=np.float64)
            if precision == 0:
                worst = max(worst, float(np.abs(played - 1 / len(played)).max()))
                continue
            top = value.max()
            best = top + np.log(np.exp(precision * (value - top)).sum()) / precision
            logs = np.log(np.where(played > 0, played, 1))
            worst = max(worst, float(best - (played * (value - logs / precision)).sum()))
        return worst

    def _check_distribution(self, values: Array, what: str) -> None:
        if bool((values < 0).any()) or not abs(float(values.sum()) - 1) <= _ROUNDING:
            raise GameError(f"{what} must be a distribution, got {[float(x) for x in values]}")


def _least_regret(gains: Array) -> float:
    """Least over beliefs of the largest expected gain, ``gains[node, action]``: one small linear program."""
    sure = float(gains.max(axis=1).min())  # the best of the beliefs that are sure of one node
    if len(gains) == 1 or sure <= 0:
        return sure
    from scipy.optimize import linprog

    nodes, actions = gains.shape
    scale = max(float(np.abs(gains).max()), np.finfo(float).tiny)
    bound = np.hstack([gains.T / scale, -np.ones((actions, 1))])
    solved = linprog(
        np.r_[np.zeros(nodes), 1.0],
        A_ub=bound,
        b_ub=np.zeros(actions),
        A_eq=np.r_[np.ones(nodes), 0.0][None],
        b_eq=[1.0],
        bounds=[(0, None)] * nodes + [(None, None)],
    )
    return float(solved.fun or 0.0) * scale
