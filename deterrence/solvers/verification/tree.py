"""Certificates for trees: what each player could gain at each information set, computed from the tree's own arrays.

Nothing here is shared with a solver or with the evaluation of strategies in ``games.play``: reach and values are
summed edge by edge over the levels of the tree, and best plans are settled from a player's last moves up (``plans``).
All of it is linear in the nodes, but for information sets whose belief later ones forget, which take a pass each, and
for beliefs that have to be found by a linear program (``excuses``).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from deterrence.games.equilibrium import Certificate, Equilibrium
from deterrence.games.errors import GameError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.quantities import Array, as_float
from deterrence.solvers.predicates import UNIT
from deterrence.solvers.verification.excuses import is_excused
from deterrence.solvers.verification.plans import TreeShape, sum_by_index

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
        Gains up to ``tol`` times the spread of the payoffs that are compared count as none (how far apart they lie, by
        their probabilities; what play does not meet, and a constant added to all, is not in it); exact results are
        held to 0.

    Returns
    -------
    Certificate
        With beliefs: the largest gain from any change of a player's plan from an information set on, given its
        belief there, reached or not; and the largest distance of beliefs from Bayes' rule where a set is reached.
        Without beliefs (a Nash equilibrium): the largest gain from any plan for the whole game;
        ``equilibrium`` says whether none gains, ``sequentially_rational`` whether every subgame is in equilibrium and
        some belief supports what is played at each set (False, too, where finding it would take a linear program of
        more than 20,000 gains).
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
        equilibrium=all(c.equilibrium for c in found),
    )


def certify_each(game: ExtensiveGame, profiles: Sequence[Any], tol: float) -> list[Certificate]:
    """Certify profiles of one tree, each on its own."""
    game.require_numbers()
    if game.batch_shape:
        raise GameError("verify checks one game at a time; index the batch, as in game[0]")
    shape = TreeShape(game)
    return [_certificate(game, p, shape, tol) for p in profiles]


def subgame_verdict(game: ExtensiveGame, profile: Any, tol: float) -> tuple[float, bool]:
    """Return the largest gain from a change of plan in any subgame, in payoff units, and whether it counts as none."""
    game.topology.require_perfect_recall("the regret of plans")
    shape = TreeShape(game)
    walk = _Walk(game, profile, shape)
    regret, none = walk.subgames(tol)
    return _Walk(game, profile, shape, in_full=True).subgames(tol) if walk.unsure else (regret, none)


def plan_regrets(game: ExtensiveGame, profile: Any) -> list[float]:
    """Return each player's largest gain from a change of its plan for the whole game, in payoff units."""
    game.topology.require_perfect_recall("the regret of plans")
    walk = _Walk(game, profile, TreeShape(game))
    return [float(gains[0]) for gains, _ in walk.plan_gains(np.array([0]))]


def _certificate(game: ExtensiveGame, profile: Any, shape: TreeShape, tol: float) -> Certificate:
    """Certify one profile in floats; in rationals where rounding might decide."""
    walk = _Walk(game, profile, shape)
    certificate = walk.certificate(tol)
    if walk.unsure:
        certificate = _Walk(game, profile, shape, in_full=True).certificate(tol)
    return certificate


class _Walk:
    """One profile on one tree: the probabilities of edges, the reach of nodes and what each is worth.

    Attributes
    ----------
    exact : bool
        Whether game and profile are rational, so that no gain is excused.
    unsure : bool
        Whether the rounding of floats may have decided a comparison. ``in_full`` computes in rationals: payoffs are the
        decimals that floats print as, probabilities are the floats themselves, of which the largest of each
        distribution makes up for what is missing to one.
    """

    def __init__(self, game: ExtensiveGame, profile: Any, shape: TreeShape, in_full: bool = False) -> None:
        topology = game.topology
        self.shape, self.game, self.topology, self.profile = shape, game, topology, profile
        self.players = len(topology.players)
        self.exact = game.kind == "exact" and profile.actions.dtype == object
        self.seldom = 0.0 if game.kind == "exact" else _SELDOM
        rational = self.exact or in_full
        self.payoffs = (game.exact() if in_full else game).payoffs if rational else as_float(game.payoffs)
        chance = (game.exact() if in_full else game).chance if rational else as_float(game.chance)
        actions = profile.actions if rational else np.asarray(profile.actions, dtype=np.float64)
        if actions.shape != (topology.action_count,):
            raise GameError(f"a profile of this game has shape ({topology.action_count},), got {actions.shape}")
        if len(shape.firsts):
            self._check_distributions(actions, shape.firsts, "the strategy")
            actions = _completed(actions, shape.firsts) if rational else actions
        self.in_full = in_full and not self.exact
        self.actions = actions
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
        self.unsure = False
        plain = rational or bool(((self.edge[1:] == 0) | (self.edge[1:] == 1)).all())  # values are payoffs as given
        size = np.zeros(self.players) if plain else np.abs(self.payoffs).max(axis=0, initial=0)
        self.rounding = shape.operations * UNIT * size  # of values, by player

    def certificate(self, tol: float) -> Certificate:
        held_to = 0.0 if self.exact else tol
        if getattr(self.profile, "precision", None) is not None:
            regret, good = self._logit_regret(held_to)
            error = self._belief_error(self._bayes())
            return Certificate(float(regret), error, good and error <= held_to, self.exact)
        self.topology.require_perfect_recall("a certificate of plans")
        if self.profile.nodes is None:
            plans = [(gains, spreads) for gains, spreads in self.plan_gains(np.array([0]))]
            best = [bool(self.counts_as_none(g, s, held_to, i).all()) for i, (g, s) in enumerate(plans)]
            rational = all(best) and self._supported(held_to)
            worst = float(max(gains[0] for gains, _ in plans))
            return Certificate(worst, 0.0, rational, self.exact, equilibrium=all(best))
        beliefs = np.asarray(self.profile.nodes)
        if beliefs.shape != (self.topology.size,):
            raise GameError(f"beliefs of this game have shape ({self.topology.size},), got {beliefs.shape}")
        error = self._belief_error(beliefs)
        if not self.sets:
            return Certificate(0.0, error, True, self.exact)
        if self.in_full:
            beliefs = self._beliefs_in_full(beliefs)
        elif beliefs.dtype != object and not ((beliefs == 0) | (beliefs == 1)).all():
            self.rounding = self.shape.operations * UNIT * np.abs(as_float(self.payoffs)).max(axis=0)
        regrets, rational = self._regrets(beliefs, held_to)
        rational = rational and error <= held_to
        return Certificate(float(max(regrets.max(), 0)), error, rational, self.exact)

    def subgames(self, tol: float) -> tuple[float, bool]:
        """Return the largest gain from a change of plan in any subgame, and whether all count as none."""
        held_to = 0.0 if self.exact else tol
        worst, none = 0.0, True
        for player, (gains, spreads) in enumerate(self.plan_gains(self.shape.roots)):
            none = bool(self.counts_as_none(gains, spreads, held_to, player).all()) and none
            worst = max(worst, float(gains.max(initial=0)))
        return worst, none

    def counts_as_none(self, gains: Array, spreads: Array, tol: float, player: int | Array) -> Array:
        """Return which gains are at most a share of the spread of the payoffs that are compared.

        What rounding may have decided is noted in ``unsure``, unless something else fails for certain.
        """
        if gains.dtype == object:
            share = Fraction(repr(float(tol)))
            return np.asarray(gains <= share * spreads, dtype=bool)
        rounding = self.rounding[player]
        small = gains + rounding <= tol * np.maximum(spreads - rounding, 0)
        large = gains - rounding > tol * (spreads + rounding)
        self.unsure |= not bool((small | large).all())
        return np.asarray(small, dtype=bool)

    def plan_gains(self, roots: Array) -> list[tuple[Array, Array]]:
        """Return, by player, the gains of its best plan over its play from some roots of subgames on, and spreads."""
        worth, spread = self._worth(None)
        result = []
        for player in range(self.players):
            if not (self.topology.owner == player).any():
                result.append((worth[roots, player] * 0, worth[roots, player] * 0))
                continue
            weights = self.shape.stage_weights(player, self.edge)
            best, far = self.shape.best_values(player, self.payoffs[:, player], self.edge, weights)
            gains = best[roots] - worth[roots, player]
            result.append((gains, np.maximum(far[roots], spread[roots, player])))
        return result

    def _regrets(self, beliefs: Array, tol: float) -> tuple[Array, bool]:
        """Return by information set the gain of the best plan from there on, given the belief, and whether all pass."""
        shape, topology = self.shape, self.topology
        parents = topology.parent[shape.moves]
        believed = np.asarray(beliefs[parents] != 0, dtype=bool)
        moves, parents = shape.moves[believed], parents[believed]
        owner = topology.owner[parents]
        again = [player for player, twice in enumerate(shape.again) if twice]
        if again:
            worth, spread = self._worth(None)
            after, now = worth[moves, owner], worth[parents, owner]
            far, near = spread[moves, owner], spread[parents, owner]
        else:  # one move a path: only what is played after the moves that are believed in counts
            wanted = np.zeros(topology.size, dtype=bool)
            wanted[moves] = wanted[parents] = True
            worth, spread = self._worth(wanted)
            below, here = np.searchsorted(self.known, moves), np.searchsorted(self.known, parents)
            after, now = worth[below, owner], worth[here, owner]
            far, near = spread[below, owner], spread[here, owner]
        for player in again:
            best, spans = shape.best_values(player, self.payoffs[:, player], self.edge, beliefs)
            after[owner == player], far[owner == player] = best[moves[owner == player]], spans[moves[owner == player]]
        slots, count = topology.slot[moves], topology.action_count
        gains = sum_by_index(beliefs[parents] * (after - now), slots, count)
        spreads = sum_by_index(beliefs[parents] * (far + near + np.abs(after - now)), slots, count)
        owners = np.repeat(shape.owners, np.diff(np.append(shape.firsts, count)))
        sure = self._pure & (not again)  # with another plan to follow even it may gain
        good = self.counts_as_none(gains[~sure], spreads[~sure], tol, owners[~sure])
        regrets, passed = np.maximum.reduceat(gains, shape.firsts), bool(good.all())
        for player in again:
            for i in shape.forgetful(player, self.edge, beliefs):
                nodes = np.array(topology.infosets[i].nodes)
                weights = shape.weights_from(player, nodes, beliefs[nodes], self.edge)
                best, spans = shape.best_values(player, self.payoffs[:, player], self.edge, weights)
                apart = best[nodes] - worth[nodes, player]
                regrets[i] = (beliefs[nodes] * apart).sum()
                wide = (beliefs[nodes] * (spans[nodes] + spread[nodes, player] + np.abs(apart))).sum()
                gain, width = (np.array([x], dtype=regrets.dtype) for x in (regrets[i], wide))
                passed = bool(self.counts_as_none(gain, width, tol, player).all()) and passed
        return regrets, passed

    @cached_property
    def _pure(self) -> Array:
        """Which actions are all that is played at their information set, shape (A,)."""
        used = np.asarray(self.actions != 0, dtype=bool)
        count = np.add.reduceat(used.astype(np.int64), self.shape.firsts) if len(self.shape.firsts) else used
        sizes = np.diff(np.append(self.shape.firsts, len(used)))
        return np.asarray(used & (np.repeat(count, sizes) == 1))

    def _beliefs_in_full(self, beliefs: Array) -> Array:
        result = np.zeros(len(beliefs), dtype=object)
        result[self.set_nodes] = _completed(beliefs[self.set_nodes], self.set_starts)
        return result

    def _worth(self, wanted: Array | None) -> tuple[Any, Any]:
        """Return what nodes are worth to each player, shape (nodes, P), and spreads: of all, or what wanted ones need.

        In the second case ``self.known`` holds the nodes.
        """
        topology, shape = self.topology, self.shape
        dtype = np.result_type(self.edge.dtype, self.payoffs.dtype)
        if wanted is None and self.whole is None:
            worth = np.zeros((topology.size, self.players), dtype=dtype)
            worth[topology.terminal] = self.payoffs
            shape.sum_up(worth, self.edge)
            self.whole = worth, shape.spread_below(worth, self.edge)
        if wanted is None:
            return self.whole[0], self.whole[1]
        played = np.asarray(self.edge != 0, dtype=bool)
        for level, above in zip(shape.inner, shape.above, strict=True):
            wanted[level] |= wanted[above] & played[level]
        self.known = np.flatnonzero(wanted)
        place = np.cumsum(wanted) - 1
        ends = wanted[topology.terminal]
        worth = np.zeros((len(self.known), self.players), dtype=dtype)
        spread = worth.copy()
        worth[place[topology.terminal[ends]]] = self.payoffs[ends]
        for level, above in zip(reversed(shape.inner), reversed(shape.above), strict=True):
            counts = wanted[above] & played[level]
            below, parents = level[counts], above[counts]
            if len(below):
                heads = np.flatnonzero(np.r_[True, np.diff(parents) != 0])
                chances, here = self.edge[below][:, None], place[parents[heads]]
                worth[here] = np.add.reduceat(worth[place[below]] * chances, heads, axis=0)
                apart = np.abs(worth[place[below]] - worth[place[parents]])
                spread[here] = np.add.reduceat((spread[place[below]] + apart) * chances, heads, axis=0)
        return worth, spread

    def _bayes(self) -> Array:
        """Return beliefs by Bayes' rule; where a set is not reached, those given, or NaN."""
        given = self.profile.nodes
        beliefs = np.full(self.topology.size, np.nan, dtype=self.reach.dtype) if given is None else np.array(given)
        mass = self.reach[self.set_nodes]
        total = sum_by_index(mass, self.set_of, self.sets)[self.set_of]
        met = np.asarray(total > self.seldom, dtype=bool)
        beliefs[self.set_nodes[met]] = mass[met] / total[met]
        return beliefs

    def _belief_error(self, beliefs: Array) -> float:
        if not self.sets:
            return 0.0
        mine = beliefs[self.set_nodes]
        self._check_distributions(mine, self.set_starts, "the belief")
        mass = self.reach[self.set_nodes]
        total = sum_by_index(mass, self.set_of, self.sets)[self.set_of]
        met = np.asarray(total > self.seldom, dtype=bool)
        return float(np.abs(mine[met] - mass[met] / total[met]).max(initial=0))

    def _supported(self, tol: float) -> bool:
        """Whether every subgame is in equilibrium, and at each information set some belief makes the play optimal."""
        for player, (gains, spreads) in enumerate(self.plan_gains(self.shape.roots)):
            if not self.counts_as_none(gains, spreads, tol, player).all():
                return False
        moves = self.shape.moves
        sure = self._pure[self.topology.slot[moves]]
        parents, slots = self.topology.parent[moves], self.topology.slot[moves]
        owner, sets = self.topology.owner[parents], self.topology.infoset[parents]
        worth, spread = self._worth(None)
        gains = worth[moves, owner] - worth[parents, owner]
        spreads = spread[moves, owner] + spread[parents, owner] + np.abs(gains)
        total = sum_by_index(self.reach[self.set_nodes], self.set_of, self.sets)
        met = np.asarray(total > self.seldom, dtype=bool)[sets]
        share, count = self.reach[parents[met]] / total[sets[met]], self.topology.action_count
        used = np.zeros(count, dtype=bool)
        used[slots[met & ~sure]] = True
        mean, wide = (
            sum_by_index(share * gains[met], slots[met], count),
            sum_by_index(share * spreads[met], slots[met], count),
        )
        who = np.repeat(self.shape.owners, np.diff(np.append(self.shape.firsts, count)))
        if not self.counts_as_none(mean[used], wide[used], tol, who[used]).all():
            return False
        off = ~met
        share = Fraction(repr(float(tol))) if gains.dtype == object else tol
        least = gains[off] - share * spreads[off]
        if gains.dtype != object:
            close = np.abs(least) <= self.rounding[owner[off]] * (1 + tol)
            self.unsure |= bool((close & ~sure[off] & (self.rounding[owner[off]] > 0)).any())
        return is_excused(sets[off], parents[off], slots[off], least, _MOST_GAINS)

    def _logit_regret(self, tol: float) -> tuple[float, bool]:
        """Largest gain in expected payoff plus entropy over precision, and whether all count as none.

        A gain counts as none up to a share of the largest number that is compared at its information set.
        """
        (worth, _), beliefs = self._worth(None), self._bayes()
        moves = self.shape.moves
        if not len(moves):
            return 0.0, True
        parents = self.topology.parent[moves]
        after = np.asarray(beliefs[parents] * worth[moves, self.topology.owner[parents]], dtype=np.float64)
        value = sum_by_index(after, self.topology.slot[moves], self.topology.action_count)
        size = sum_by_index(np.abs(after), self.topology.slot[moves], self.topology.action_count)
        played = np.asarray(self.actions, dtype=np.float64)
        firsts, sizes = self.shape.firsts, np.diff(np.append(self.shape.firsts, len(played)))
        precision = np.asarray(self.profile.precision, dtype=np.float64)[self.shape.owners]
        uniform = precision == 0
        worst = float(np.abs(played - np.repeat(1 / sizes, sizes))[np.repeat(uniform, sizes)].max(initial=0))
        if uniform.all():
            return worst, worst <= tol
        sure = np.where(uniform, 1.0, precision)
        top = np.maximum.reduceat(value, firsts)
        weight = np.exp(np.repeat(sure, sizes) * (value - np.repeat(top, sizes)))
        best = top + np.log(np.add.reduceat(weight, firsts)) / sure
        logs = np.log(np.where(played > 0, played, 1)) / np.repeat(sure, sizes)
        gains = (best - np.add.reduceat(played * (value - logs), firsts))[~uniform]
        allowed = (np.maximum.reduceat(size, firsts) + 1 / sure)[~uniform]
        return max(worst, float(gains.max())), worst <= tol and bool((gains <= tol * allowed).all())

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


def _completed(values: Array, starts: Array) -> Array:
    """Return floats or rationals in rationals, the largest of each distribution making up for what misses one."""
    rational = np.array([Fraction(x) for x in values.tolist()], dtype=object)
    for first, end in zip(starts, [*starts[1:], len(values)], strict=True):
        mine = rational[first:end]
        missing = 1 - mine.sum()
        if missing:
            mine[int(np.argmax(mine))] += missing
    return rational
