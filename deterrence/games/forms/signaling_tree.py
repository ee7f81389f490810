"""Signaling games as trees, and trees as signaling games.

A tree has the shape of a signaling game if chance moves first (or not at all), then one player, the sender, at one
information set per type; then another, the receiver, who sees the message (and its own type); and all that follows is
settled by players who know all (see ``folding``) and by chance. States of nature that neither player can tell apart
are one pair of types, with payoffs averaged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deterrence.games.behavior import BehaviorProfile
from deterrence.games.errors import GameError
from deterrence.games.events import Event
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.forms.folding import Reduction, Settled, backward_induction, in_numbers_of
from deterrence.games.play import reach_by_slots
from deterrence.games.quantities import Array, kind_of
from deterrence.games.signaling import SignalingGame
from deterrence.games.signaling_profile import SignalingProfile
from deterrence.games.topology import CHANCE, TERMINAL, Topology
from deterrence.games.tree import Node, chance, end, move


def to_signaling(
    game: ExtensiveGame, *, tol: float = 1e-9, named: Mapping[str, Event] | None = None
) -> Reduction[SignalingGame]:
    """Return the signaling game that a tree is, once last movers who know all are folded back.

    Parameters
    ----------
    game : ExtensiveGame
        May be a batch, and may hold parameters where no folded choice depends on them.
    tol : float
        Differences that count as a tie of a last mover, relative to the payoff span. A tie is refused in a single
        game (each way to break it may hold up other equilibria) and flagged in ``degenerate`` in a batch.
    named : mapping of str to event, optional
        More events for the signaling game, such as predicates over the paths of the tree.

    Returns
    -------
    Reduction
        ``game.events`` gives every label of the tree its probability by types, message and response. ``lift`` takes a
        ``SignalingProfile`` to the ``BehaviorProfile`` of the tree, beliefs included. Third players are paid there
        only.

    Raises
    ------
    GameError
        If the tree has another shape, or a last mover is indifferent; the message says where.
    """
    game = game.exact() if game.kind == "exact" else game
    shape = signaling_shape(game.topology)
    settled = backward_induction(game, tol=tol)
    degenerate = _check_settled(game, shape, settled)
    below, top = _reaches(game, shape, settled)

    T, Q, M, R = (len(x) for x in (shape.types, shape.receiver_types, shape.messages, shape.responses))
    joint = _zeros((*top.shape[:-1], T, Q), top)
    for i, (t, q) in enumerate(shape.state_types):
        joint[..., t, q] = joint[..., t, q] + top[..., i]
    share = _shares(game, shape, top, joint)

    cells = _cells(shape)
    weight = [below[..., z] * share[..., cell[0]] for z, cell in enumerate(cells)]

    def table(values: Array, ends: list[int]) -> Array:
        parts = [weight[z] * values[..., z] for z in ends]
        batch = np.broadcast_shapes(*(np.shape(x) for x in parts)) if parts else ()
        result = _zeros((*batch, T, Q, M, R), np.asarray(parts[0]) if parts else np.zeros(()))
        for z, part in zip(ends, parts, strict=True):
            i, m, r = cells[z]
            t, q = shape.state_types[i]
            result[..., t, q, m, r] = result[..., t, q, m, r] + part
        return result

    everywhere = list(range(len(cells)))
    events = {}
    for label, event in {**{label: label for label in game.event_names}, **(named or {})}.items():
        happens = game.event_ends(event)
        events[label] = _constant(table(happens.astype(np.int64), [z for z in everywhere if happens[z]]))
    arrays: dict[str, Any] = {
        "prior": joint,
        "sender_payoffs": _in_batch(game, table(game.payoffs[..., shape.sender], everywhere)),
        "receiver_payoffs": table(game.payoffs[..., shape.receiver], everywhere),
    }
    if Q == 1:
        arrays = {"prior": joint[..., 0], **{k: a[..., 0, :, :] for k, a in arrays.items() if k != "prior"}}
        events = {k: a[..., 0, :, :] for k, a in events.items()}
    reduced = SignalingGame(
        shape.types,
        shape.messages,
        shape.responses,
        receiver_types=None if Q == 1 else shape.receiver_types,
        events=events,
        players=(game.players[shape.sender], game.players[shape.receiver]),
        **arrays,
    )
    reduced = reduced.exact() if game.kind == "exact" else reduced
    return Reduction(reduced, _lift(game, shape, settled, reduced, share), (), degenerate)


def signaling_to_tree(game: SignalingGame) -> ExtensiveGame:
    """Return a signaling game as a tree.

    The sender's information sets are named by its types, the receiver's by the message, or ``"message | receiver
    type"``. Named events that are certain or impossible at each end become labels of ends, where one alone happens
    there.

    Raises
    ------
    GameError
        If the players' priors differ (a tree has one set of chance probabilities), or the game is a batch.
    """
    if game.batch_shape:
        raise GameError("a batch of signaling games is no single tree; index it first, as in game[0]")
    for name in ("sender_prior", "receiver_prior"):
        if not np.array_equal(getattr(game, name), game.prior):
            raise GameError(
                f"{name} differs from prior, and a tree has one set of chance probabilities; make them equal"
            )
    sender, receiver = game.players
    labels = _end_labels(game)
    joint, Q = game.joint_prior, game.shape[1]

    def after(t: int, q: int, m: int, message: str) -> Node:
        own = message if game.receiver_types is None else f"{message} | {game.receiver_types[q]}"
        ends = {
            response: end(labels[t, q, m, r], {sender: game.U[t, q, m, r], receiver: game.V[t, q, m, r]})
            for r, response in enumerate(game.responses)
        }
        return move(receiver, ends, infoset=own)

    def start(t: int, q: int) -> Node:
        return move(sender, {x: after(t, q, m, x) for m, x in enumerate(game.messages)}, infoset=game.types[t])

    def nature(t: int) -> Node:
        if game.receiver_types is None:
            return start(t, 0)
        return chance({x: (view[t][q], start(t, q)) for q, x in enumerate(game.receiver_types)})

    total = [sum(joint[t, 1:], joint[t, 0]) for t in range(len(game.types))]
    view = [[game.sender_view[t, q] for q in range(Q)] for t in range(len(game.types))]
    root = chance({name: (total[t], nature(t)) for t, name in enumerate(game.types)})
    return ExtensiveGame(game.players, root)


def _cells(shape: SignalingShape) -> list[tuple[int, int, int]]:
    """Return the indices of state, message and response that lead to each end."""
    topology = shape.topology
    index = {node: i for i, node in enumerate(shape.states)}
    cells = []
    for z in topology.terminal:
        line = _line(topology, int(z))
        at = next(k for k, node in enumerate(line) if node in index)
        message, response = (topology.labels[topology.slot[line[at - j]]] for j in (1, 2))
        cells.append((index[line[at]], shape.messages.index(message), shape.responses.index(response)))
    return cells


def _check_settled(game: ExtensiveGame, shape: SignalingShape, settled: Settled) -> Array:
    """Refuse what backward induction does not settle after the responses; return which games of a batch have ties."""
    topology = game.topology
    degenerate = np.zeros(game.batch_shape, dtype=bool)
    movers = {*shape.sender_sets, *shape.receiver_sets.values()}
    for which, tied in settled.ties.items():
        if which in movers:
            continue
        s = topology.infosets[which]
        if not game.batch_shape:
            raise GameError(
                f"{game.players[s.player]} is indifferent between its best actions at {s.key!r}, so the game cannot be "
                "folded back to a signaling game without losing equilibria; change a payoff, or solve the tree itself"
            )
        degenerate |= tied
    for which in settled.open:
        if which not in movers:
            s = topology.infosets[which]
            raise GameError(
                f"what {game.players[s.player]} does at {s.key!r} depends on the parameters "
                f"{', '.join(game.parameters)}; give them values first, with game.at(...)"
            )
    for which in shape.receiver_sets.values():
        for node in topology.infosets[which].nodes:
            for child in topology.children[node]:
                if not settled.nodes[child]:
                    raise other_shape(f"what follows {topology.name(child)!r} is not settled by players who know all")
    return degenerate


def _reaches(game: ExtensiveGame, shape: SignalingShape, settled: Settled) -> tuple[Array, Array]:
    """Return the probability of each end given state, message and response, (..., Z); and of each state, (..., K)."""
    topology = game.topology
    movers = {*shape.sender_sets, *shape.receiver_sets.values()}
    choice = np.array(_constant(settled.choice, keep=1))
    for which in movers:
        choice[..., topology.infosets[which].slots] = 1
    batch = np.broadcast_shapes(choice.shape[:-1], game.chance.shape[:-1])
    slots = np.concatenate([np.broadcast_to(x, (*batch, x.shape[-1])) for x in (choice, game.chance)], axis=-1)
    reach = reach_by_slots(topology, slots)
    top = reach[..., list(shape.states)]
    free = slots.copy()
    above = {int(topology.slot[n]) for state in shape.states for n in _line(topology, state)}
    free[..., sorted(above - {-1})] = 1
    below = reach_by_slots(topology, free)[..., topology.terminal]
    return below, np.array(_constant(top, keep=1))


def _line(topology: Topology, node: int) -> list[int]:
    line = []
    while node >= 0:
        line.append(node)
        node = int(topology.parent[node])
    return line


def _shares(game: ExtensiveGame, shape: SignalingShape, top: Array, joint: Array) -> Array:
    """Return the probability of each state given its pair of types, shape (..., K)."""
    share = np.ones_like(top) if top.dtype != object else in_numbers_of(top, np.ones(top.shape))
    alone = {pair for pair in shape.state_types if shape.state_types.count(pair) == 1}
    for i, (t, q) in enumerate(shape.state_types):
        if (t, q) in alone:
            continue
        total = joint[..., t, q]
        if kind_of(np.asarray(total)) != "symbolic" and bool(np.any(total == 0)):
            raise other_shape(
                f"states that nobody tells apart have probability 0 together: {game.topology.name(shape.states[i])!r}"
            )
        share[..., i] = top[..., i] / total
    return share


def _lift(
    game: ExtensiveGame, shape: SignalingShape, settled: Settled, reduced: SignalingGame, share: Array
) -> Callable[[SignalingProfile], BehaviorProfile]:
    topology = game.topology

    def lift(profile: SignalingProfile) -> BehaviorProfile:
        sender, receiver, posterior = profile.sender, profile.receiver, profile.posterior
        batch = np.broadcast_shapes(sender.shape[:-2], settled.choice.shape[:-1])
        choice = in_numbers_of(sender, settled.choice)
        actions = np.broadcast_to(choice, (*batch, topology.action_count)).copy()
        for t, which in enumerate(shape.sender_sets):
            s = topology.infosets[which]
            for m, message in enumerate(shape.messages):
                actions[..., s.first + s.actions.index(message)] = sender[..., t, m]
        for (q, m), which in shape.receiver_sets.items():
            s = topology.infosets[which]
            for r, response in enumerate(shape.responses):
                actions[..., s.first + s.actions.index(response)] = receiver[..., q, m, r]
        return BehaviorProfile(actions, beliefs(batch, posterior))

    def beliefs(batch: tuple[int, ...], posterior: Array) -> Array:
        alone = np.zeros(topology.size)
        alone[[s.nodes[0] for s in topology.infosets if len(s.nodes) == 1]] = 1
        nodes = np.broadcast_to(in_numbers_of(posterior, alone), (*batch, topology.size)).copy()
        shares, view = share, reduced.sender_view
        if posterior.dtype != object:
            shares, view = np.asarray(shares, dtype=np.float64), np.asarray(view, dtype=np.float64)
        for i, state in enumerate(shape.states):
            t, q = shape.state_types[i]
            nodes[..., state] = view[..., t, q] * shares[..., i]
            for child in topology.children[state]:
                m = shape.messages.index(topology.labels[topology.slot[child]])
                nodes[..., child] = posterior[..., q, m, t] * shares[..., i]
        return nodes

    return lift


def _zeros(shape: tuple[int, ...], like: Array) -> Array:
    return np.zeros(shape, dtype=object if like.dtype == object else np.float64)


def _in_batch(game: ExtensiveGame, table: Array) -> Array:
    return np.broadcast_to(table, (*game.batch_shape, *table.shape[-4:])) if game.batch_shape else table


def _constant(array: Array, keep: int = 4) -> Array:
    """Return an array without its batch dimensions where nothing in it differs from game to game."""
    if array.ndim <= keep or array.dtype == object or array.size == 0:
        return array
    one = array[(0,) * (array.ndim - keep)]
    return one if bool((array == one).all()) else array


def _end_labels(game: SignalingGame) -> dict[tuple[int, int, int, int], str | None]:
    """Return for each outcome the one named event, beyond labels of the game, that is certain there."""
    own = {*game.types, *game.messages, *game.responses, *(game.receiver_types or ())}
    certain = {name: game.event_weights(name) == 1 for name in game.events if name not in own}
    labels: dict[tuple[int, int, int, int], str | None] = {}
    for index in np.ndindex(*game.shape):
        here = [name for name, holds in certain.items() if holds[index]]
        labels[index] = here[0] if len(here) == 1 else None
    return labels


@dataclass(frozen=True, eq=False)
class SignalingShape:
    """The parts of a signaling game in a tree.

    Attributes
    ----------
    topology : Topology
    sender, receiver : int
        Indices of the players.
    types, receiver_types, messages, responses : tuple of str
        Labels.
    states : tuple of int
        The nodes of the sender, one for each state of nature.
    state_types : tuple of (int, int)
        The types (t, q) in each state.
    sender_sets : tuple of int
        The sender's information set by t.
    receiver_sets : dict of (int, int) to int
        The receiver's information set by (q, m).
    """

    topology: Topology
    sender: int
    receiver: int
    types: tuple[str, ...]
    receiver_types: tuple[str, ...]
    messages: tuple[str, ...]
    responses: tuple[str, ...]
    states: tuple[int, ...]
    state_types: tuple[tuple[int, int], ...]
    sender_sets: tuple[int, ...]
    receiver_sets: dict[tuple[int, int], int]


def signaling_shape(topology: Topology) -> SignalingShape:
    """Find the parts of a signaling game in a tree, down to the responses.

    Raises
    ------
    GameError
        If the tree has another shape; the message says what stands in the way.
    """
    states = _states(topology)
    sender = int(topology.owner[states[0]])
    first = topology.infosets[topology.infoset[states[0]]]
    sender_sets = tuple(dict.fromkeys(int(topology.infoset[s]) for s in states))
    for i in sender_sets:
        s = topology.infosets[i]
        if s.player != sender:
            raise other_shape(
                "two players move first, by the state of nature",
                topology.players[sender],
                topology.players[s.player],
            )
        if not set(s.nodes) <= set(states):
            raise other_shape(f"information set {s.key!r} holds a later move too")
        if set(s.actions) != set(first.actions):
            raise other_shape(
                f"messages at {first.key!r} and at {s.key!r} differ", list(first.actions), list(s.actions)
            )
    receiver, by_state, responses = _receiver_sets(topology, states, sender, first.actions)

    blocks: dict[tuple[int, ...], int] = {}
    keys = [tuple(by_state[i, m] for m in range(len(first.actions))) for i in range(len(states))]
    for key in keys:
        blocks.setdefault(key, len(blocks))
    for m in range(len(first.actions)):
        if len({key[m] for key in blocks}) < len(blocks):
            raise other_shape(f"what the receiver knows of its own type depends on the message {first.actions[m]!r}")
    state_types = tuple(
        (sender_sets.index(int(topology.infoset[s])), blocks[key]) for s, key in zip(states, keys, strict=True)
    )
    if len(set(state_types)) < len(sender_sets) * len(blocks):
        raise other_shape(
            "some pair of types cannot occur together, so beliefs cannot range over all; add it with probability 0"
        )
    return SignalingShape(
        topology=topology,
        sender=sender,
        receiver=receiver,
        types=_type_labels(
            topology, states, [t for t, _ in state_types], [topology.infosets[i].name for i in sender_sets]
        ),
        receiver_types=_type_labels(
            topology, states, [q for _, q in state_types], [topology.infosets[key[0]].name for key in blocks]
        ),
        messages=first.actions,
        responses=responses,
        states=states,
        state_types=state_types,
        sender_sets=sender_sets,
        receiver_sets={(q, m): key[m] for key, q in blocks.items() for m in range(len(first.actions))},
    )


def _states(topology: Topology) -> tuple[int, ...]:
    """Return the nodes at which a player moves for the first time."""
    states: list[int] = []
    stack = [0]
    while stack:
        node = stack.pop()
        if topology.owner[node] == CHANCE:
            stack.extend(reversed(topology.children[node]))
        elif topology.owner[node] == TERMINAL:
            raise other_shape(f"the game may end at {topology.name(node)!r} before the sender moves")
        else:
            states.append(node)
    return tuple(states)


def _receiver_sets(
    topology: Topology, states: tuple[int, ...], sender: int, messages: tuple[str, ...]
) -> tuple[int, dict[tuple[int, int], int], tuple[str, ...]]:
    """Return the receiver, its information set by state and message, and its responses."""
    found: dict[tuple[int, int], int] = {}
    nodes: dict[int, set[int]] = defaultdict(set)
    of_message: dict[int, int] = {}
    for i, state in enumerate(states):
        for child in topology.children[state]:
            m = messages.index(topology.labels[topology.slot[child]])
            if topology.owner[child] < 0:
                what = "chance" if topology.children[child] else "an end"
                raise other_shape(f"nobody responds at {topology.name(child)!r}: what follows is {what}")
            which = int(topology.infoset[child])
            if of_message.setdefault(which, m) != m:
                raise other_shape(f"information set {topology.infosets[which].key!r} does not tell all messages apart")
            found[i, m] = which
            nodes[which].add(child)
    sets = [topology.infosets[which] for which in nodes]
    receiver, responses = sets[0].player, sets[0].actions
    if receiver == sender:
        raise other_shape(f"{topology.players[sender]} moves twice in a row")
    for which, members in nodes.items():
        s = topology.infosets[which]
        if s.player != receiver:
            raise other_shape("two players respond", topology.players[receiver], topology.players[s.player])
        if set(s.nodes) != members:
            raise other_shape(f"information set {s.key!r} holds a later move too")
        if set(s.actions) != set(responses):
            raise other_shape(f"responses at {sets[0].key!r} and at {s.key!r} differ", list(responses), list(s.actions))
    return receiver, found, responses


def _type_labels(topology: Topology, states: tuple[int, ...], of_state: list[int], names: list[str]) -> tuple[str, ...]:
    """Return names of types: the branch of chance that tells them apart, else the names of information sets."""
    paths = [topology.path(state) for state in states]
    for position in range(min(len(path) for path in paths)):
        labels: list[set[str]] = [set() for _ in names]
        for path, i in zip(paths, of_state, strict=True):
            labels[i].add(path[position])
        if all(len(found) == 1 for found in labels) and len(set.union(*labels)) == len(names):
            return tuple(found.pop() for found in labels)
    return tuple(names)


def other_shape(why: str, *pair: object) -> GameError:
    """Return the error that says why a tree is no signaling game."""
    detail = f" ({pair[0]} and {pair[1]})" if pair else ""
    return GameError(
        f"the tree has not the shape of a signaling game: {why}{detail}; solve it as a tree, with dt.sequential"
    )
