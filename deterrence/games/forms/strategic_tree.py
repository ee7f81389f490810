"""The reduced strategic form of a tree: a strategy says what to do wherever it lets the player's turn come."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import lcm, prod

import numpy as np

from deterrence.games.behavior import BehaviorProfile
from deterrence.games.errors import GameError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.forms.folding import Reduction
from deterrence.games.play import reach_by_slots
from deterrence.games.quantities import Array
from deterrence.games.strategic import MixedProfile, StrategicGame
from deterrence.games.topology import Topology

MOST_CELLS = 2_000_000  # cells of the payoff table
_MOST_BITS = 2**62
NO_MOVE = "(no move)"

Plan = tuple[int, ...]  # the slots that a reduced strategy chooses, in order


def to_strategic(game: ExtensiveGame, *, limit: int = MOST_CELLS) -> Reduction[StrategicGame]:
    """Return the reduced strategic form.

    A reduced strategy chooses an action at each information set that the strategy's own earlier actions leave
    reachable. Its label is the action, or for players with several information sets ``"set: action; set: action"``.

    Parameters
    ----------
    game : ExtensiveGame
        No batch.
    limit : int
        Most cells of the payoff table; the default takes some 16 MB a player.

    Returns
    -------
    Reduction
        ``lift`` takes a ``MixedProfile`` to the behaviour strategies of the same outcome (Kuhn's theorem); where no
        strategy in a mixture lets the player's turn come, all actions are equally likely. There are no beliefs.

    Raises
    ------
    GameError
        If the game is a batch, lacks perfect recall, or has more than ``limit`` cells.
    """
    if game.batch_shape:
        raise GameError("a batch of games has no single strategic form; index it first, as in game[0]")
    topology = game.topology
    topology.require_perfect_recall("the strategic form")
    game = game.exact() if game.kind == "exact" else game
    sizes = [_count(topology, player) for player in range(len(game.players))]
    if prod(sizes) > limit:
        raise GameError(
            f"the strategic form has {' x '.join(map(str, sizes))} reduced strategies, more than {limit:,} cells; "
            "solve the tree itself, or use the sequence form (dt.nash and dt.qre choose it)"
        )
    plans = [_plans(topology, player) for player in range(len(game.players))]
    strategic = StrategicGame(
        _table(game, plans),
        players=game.players,
        strategies=[_labels(topology, player, mine) for player, mine in enumerate(plans)],
        title=game.title,
    )
    return Reduction(strategic, lambda profile: _lift(topology, plans, profile))


def _following(topology: Topology, player: int) -> dict[int, list[int]]:
    """Return the player's information sets by its own last action before them (-1: none), each list in preorder."""
    after: dict[int, list[int]] = {}
    for i, s in enumerate(topology.infosets):
        if s.player == player:
            after.setdefault(int(topology.last_own[s.nodes[0]]), []).append(i)
    return after


def _bottom_up(topology: Topology, after: dict[int, list[int]]) -> list[int]:
    """Return a player's information sets, later ones first."""
    order: list[int] = []
    stack = list(after.get(-1, ()))
    while stack:
        i = stack.pop()
        order.append(i)
        s = topology.infosets[i]
        for slot in range(s.slots.start, s.slots.stop):
            stack.extend(after.get(slot, ()))
    return order[::-1]


def _count(topology: Topology, player: int) -> int:
    after = _following(topology, player)
    count: dict[int, int] = {}
    for i in _bottom_up(topology, after):
        s = topology.infosets[i]
        count[i] = sum(prod(count[j] for j in after.get(slot, ())) for slot in range(s.slots.start, s.slots.stop))
    return prod(count[j] for j in after.get(-1, ()))


def _plans(topology: Topology, player: int) -> list[Plan]:
    after = _following(topology, player)
    plans: dict[int, list[Plan]] = {}

    def combined(sets: list[int]) -> list[Plan]:
        return [tuple(slot for part in parts for slot in part) for parts in product(*(plans[j] for j in sets))]

    for i in _bottom_up(topology, after):
        s = topology.infosets[i]
        plans[i] = [
            (slot, *rest) for slot in range(s.slots.start, s.slots.stop) for rest in combined(after.get(slot, []))
        ]
    return combined(after.get(-1, []))


def _labels(topology: Topology, player: int, plans: list[Plan]) -> list[str]:
    several = sum(s.player == player for s in topology.infosets) > 1
    if plans == [()]:
        return [NO_MOVE]

    def text(slot: int) -> str:
        s = topology.infosets[topology.slot_infoset[slot]]
        return f"{s.name}: {topology.labels[slot]}" if several else topology.labels[slot]

    return ["; ".join(map(text, plan)) for plan in plans]


def _table(game: ExtensiveGame, plans: list[list[Plan]]) -> Array:
    """Sum, over ends, chance times payoff into the block of strategies that lead there.

    Rationals are summed as whole numbers over one denominator, in 64 bits where they fit.
    """
    topology = game.topology
    ones = np.ones(topology.action_count, dtype=np.int64)
    chance = reach_by_slots(topology, np.concatenate([ones, game.chance]) if game.chance.size else ones)
    worth = np.asarray(chance)[topology.terminal][:, None] * game.payoffs
    unit = 1
    if worth.dtype == object:
        numbers = [Fraction(x) for x in worth.ravel().tolist()]
        unit = lcm(*(x.denominator for x in numbers))
        whole = [x.numerator * (unit // x.denominator) for x in numbers]
        small = sum(map(abs, whole)) < _MOST_BITS
        worth = np.array(whole, dtype=np.int64 if small else object).reshape(worth.shape)
    table = np.zeros((*(len(p) for p in plans), len(plans)), dtype=worth.dtype)
    holding = [_holding(topology, player, mine) for player, mine in enumerate(plans)]
    for z, node in enumerate(topology.terminal):
        rows = [np.arange(len(mine)) for mine in plans]
        line = int(node)
        met: set[int] = set()
        while line > 0:
            slot, line = int(topology.slot[line]), int(topology.parent[line])
            player = int(topology.owner[line])
            if player >= 0 and player not in met:  # the last own action implies all earlier ones
                met.add(player)
                rows[player] = holding[player][slot]
        table[np.ix_(*rows)] += worth[z]
    if object not in (game.chance.dtype, game.payoffs.dtype):
        return table
    values, where = np.unique(table, return_inverse=True)
    rationals = np.empty(len(values), dtype=object)
    rationals[:] = [Fraction(int(x), unit) for x in values.tolist()]
    return rationals[where].reshape(table.shape)


def _holding(topology: Topology, player: int, plans: list[Plan]) -> dict[int, Array]:
    found: dict[int, list[int]] = {
        slot: [] for s in topology.infosets if s.player == player for slot in range(s.slots.start, s.slots.stop)
    }
    for k, plan in enumerate(plans):
        for slot in plan:
            found[slot].append(k)
    return {slot: np.array(rows, dtype=np.int64) for slot, rows in found.items()}


def _lift(topology: Topology, plans: list[list[Plan]], profile: MixedProfile) -> BehaviorProfile:
    exact = any(mix.dtype == object for mix in profile.mixed)
    actions = np.zeros(topology.action_count, dtype=object if exact else np.float64)
    for player, (mine, mix) in enumerate(zip(plans, profile.mixed, strict=True)):
        holding = _holding(topology, player, mine)
        for s in topology.infosets:
            if s.player != player:
                continue
            mass = np.array([mix[holding[slot]].sum() for slot in range(s.slots.start, s.slots.stop)], dtype=mix.dtype)
            total = mass.sum()
            even = (mix.sum() if exact else 1.0) / len(s.actions)
            actions[s.slots] = mass / total if total > 0 else even
    return BehaviorProfile(actions)
