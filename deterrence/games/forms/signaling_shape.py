"""Where the parts of a signaling game stand in a tree: states of nature, sender, messages, receiver, responses."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from deterrence.games.errors import GameError
from deterrence.games.topology import CHANCE, TERMINAL, Topology


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
