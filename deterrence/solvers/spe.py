"""Subgame perfection: backward induction with every tie kept, and subgame by subgame where information is imperfect.

With perfect information a pure strategy profile is subgame perfect iff at every node the mover picks an action that
is best given what follows [1]_. Where two actions are equally good both are kept, for what is chosen there may
decide what is best before: the number of equilibria is the number of consistent choices.

Beyond perfect information the tree is solved from its smallest subgames up: each subgame, with smaller ones replaced by
the payoffs of one of their equilibria, is a game without proper subgames whose Nash equilibria are listed by ``nash``.

References
----------
.. [1] R. Selten, "Reexamination of the Perfectness Concept for Equilibrium Points in Extensive Games", 1975; H. W.
   Kuhn, "Extensive Games and the Problem of Information", 1953.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np

from deterrence.games.behavior import BehaviorProfile
from deterrence.games.equilibrium import Certificate, Equilibrium, EquilibriumSet
from deterrence.games.errors import GameError, SolverError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.forms.subgames import subgame_roots
from deterrence.games.play import node_values, slot_probabilities
from deterrence.games.quantities import Array, as_float
from deterrence.games.topology import CHANCE, TERMINAL, Topology
from deterrence.solvers.logit.batches import BehaviorBatch
from deterrence.solvers.trees.stages import Part, solve_by_stages
from deterrence.solvers.verification.tree import certify, subgame_regret

_NEAR = 100  # times tol: what near ties may add up to in a profile that is then left out
_MOST_ENTRIES = 50_000_000  # equilibria times nodes that are listed, in memory
_ENTRIES = 1_000_000  # profiles times nodes that are certified together


def spe(
    game: ExtensiveGame,
    *,
    at: Mapping[str, object] | None = None,
    exact: bool = False,
    tol: float = 1e-9,
    limit: int = 10_000,
) -> EquilibriumSet:
    """Find all pure subgame-perfect equilibria; beyond perfect information, those that ``nash`` finds stage by stage.

    Parameters
    ----------
    game : ExtensiveGame
        A single game; ``spe_batch`` solves batches.
    at : mapping of str to number, optional
        Values of the game's parameters.
    exact : bool
        Rational arithmetic, no tolerance.
    tol : float
        Payoffs of a player that differ by at most ``tol`` times the span of its payoffs are tied. A profile in which a
        player loses more than that by several near ties together is left out.
    limit : int
        Most equilibria to list; ties multiply, so a large tree with many may have very many.

    Returns
    -------
    EquilibriumSet
        ``complete`` says, with perfect information, that every *pure* equilibrium is listed; ``options["ties"]``
        names the information sets with tied best actions (none: the equilibrium is the only one, mixed ones
        included). Beyond perfect information mixed equilibria of the stages are listed too, and ``complete`` says
        that none is missing.

    Raises
    ------
    GameError
        If the game is a batch, or lacks perfect recall and perfect information.
    SolverError
        If there are more than ``limit`` equilibria, or one fails its certificate.

    Examples
    --------
    >>> import deterrence as dt
    >>> game = dt.ExtensiveGame(("A", "D"), dt.move("A", {
    ...     "refrain": dt.end("peace", A=0, D=1),
    ...     "attack": dt.move("D", {"fight": dt.end("war", A=-1, D=-1), "yield": dt.end("conquest", A=1, D=0)})}))
    >>> [e.kind for e in spe(game)]
    ['attack, yield']
    """
    numeric = game.at(**(at or {}))
    numeric.require_numbers()
    if numeric.batch_shape:
        raise GameError("spe solves one game; solve a batch with spe_batch, or index it, as in game[0]")
    numeric = numeric.exact() if exact else numeric
    options: dict[str, object] = {"exact": exact, "tol": tol, "limit": limit}
    if numeric.perfect_information:
        profiles, tied = _pure_profiles(numeric, tol, limit)
        options |= {"ties": tuple(numeric.infosets[i].key for i in tied), "strategies": "pure"}
        profiles, certificates = _certified(numeric, profiles, tol)
        sure = np.ones(numeric.topology.size)  # one node at each information set: beliefs are certain
        found = [
            Equilibrium(
                game=numeric,
                concept="spe",
                kind=path_of_play(numeric, actions),
                profile=BehaviorProfile(actions, sure),
                certificate=certificate,
            )
            for actions, certificate in zip(profiles, certificates, strict=True)
        ]
        return EquilibriumSet(
            game=numeric,
            concept="spe",
            method="backward induction",
            equilibria=tuple(found),
            complete=True,
            options=options,
        )
    return _by_stages(numeric, tol, limit, options)


def spe_batch(game: ExtensiveGame, *, at: Mapping[str, object] | None = None, tol: float = 1e-9) -> BehaviorBatch:
    """Solve a batch of perfect-information games of one tree by backward induction, as arrays.

    Parameters
    ----------
    game : ExtensiveGame
        Payoffs and chance may carry leading batch dimensions.
    at : mapping of str to number or array, optional
        Values of parameters; arrays make the batch.
    tol : float
        As in ``spe``; where a best action is tied on the way, ``flagged`` is True and the first tied action is taken.

    Returns
    -------
    BehaviorBatch
        ``flagged`` marks games with a tie at some information set (use ``spe`` there to see every equilibrium).

    Raises
    ------
    GameError
        If information is imperfect.

    Examples
    --------
    >>> import numpy as np
    >>> import deterrence as dt
    >>> w = dt.symbols("w")
    >>> game = dt.ExtensiveGame(("A", "D"), dt.move("A", {
    ...     "refrain": dt.end("peace", A=0, D=1),
    ...     "attack": dt.move("D", {"fight": dt.end("war", A=-1, D=w), "yield": dt.end("conquest", A=1, D=0)})}))
    >>> solved = spe_batch(game, at={"w": np.array([-1.0, 0.0, 1.0])})
    >>> solved.probability("attack"), solved.flagged
    (array([1., 0., 0.]), array([False,  True, False]))
    """
    numeric = game.at(**(at or {}))
    numeric.require_numbers()
    if not numeric.perfect_information:
        raise GameError("spe_batch needs perfect information; solve the games of the batch one at a time with spe")
    actions, tied = _backward(numeric, tol)
    flagged = np.asarray(tied.any(axis=-1))
    return BehaviorBatch(
        game=numeric, concept="spe", actions=actions, flagged=flagged, failed=np.zeros(flagged.shape, dtype=bool)
    )


def _pure_profiles(game: ExtensiveGame, tol: float, limit: int) -> tuple[Array, list[int]]:
    """Return every pure subgame-perfect profile, shape (K, A), and the information sets where some tie was met."""
    if game.kind == "float":
        actions, tied = _backward(game, tol)
        if not tied.any():
            return actions[None], []
    return _all_choices(game, 0.0 if game.kind == "exact" else tol, limit)


def _backward(game: ExtensiveGame, tol: float) -> tuple[Array, Array]:
    """One pass from the last level up: pure actions, shape (..., A), and whether sets are tied, shape (..., I)."""
    topology = game.topology
    payoffs, chance = as_float(game.payoffs), as_float(game.chance)
    batch, count = game.batch_shape, topology.action_count
    values = np.zeros((topology.size, len(game.players), *batch))  # batch last: rows of nodes are contiguous
    values[topology.terminal] = np.moveaxis(np.broadcast_to(payoffs, batch + payoffs.shape[-2:]), (-2, -1), (0, 1))
    chance = np.moveaxis(np.broadcast_to(chance, batch + chance.shape[-1:]), -1, 0)
    slack = tol * _spans(game)
    chosen = np.zeros((count, *batch))
    tied = np.zeros((len(game.infosets), *batch), dtype=bool)
    for level in reversed(topology.levels[:-1]):
        moves = level[topology.owner[level] == CHANCE]
        for node in moves:
            below = np.array(topology.children[node])
            weights = chance[topology.slot[below] - count]
            values[node] = (weights[:, None] * values[below]).sum(axis=0)
        owners = topology.owner[level]
        widths = np.array([len(topology.children[node]) for node in level])
        for player, width in {(int(o), int(w)) for o, w in zip(owners, widths, strict=True) if o >= 0}:
            nodes = level[(owners == player) & (widths == width)]
            below = np.array([topology.children[node] for node in nodes])  # (nodes, actions)
            mine = values[below, player]  # (nodes, actions, ...)
            best = mine.max(axis=1)
            near = mine >= (best - slack[..., player])[:, None]
            pick = near.argmax(axis=1)  # first of the tied
            tied[topology.infoset[nodes]] = near.sum(axis=1) > 1
            values[nodes] = np.take_along_axis(values[below], pick[:, None, None], axis=1)[:, 0]
            marks = np.arange(width).reshape(1, width, *[1] * len(batch)) == pick[:, None]
            chosen[topology.slot[below]] = marks
    return np.ascontiguousarray(np.moveaxis(chosen, 0, -1)), np.moveaxis(tied, 0, -1)


def _spans(game: ExtensiveGame) -> Array:
    payoffs = as_float(game.payoffs)
    spans: Array = np.maximum(payoffs.max(axis=-2) - payoffs.min(axis=-2), np.finfo(float).tiny)
    return spans


def _all_choices(game: ExtensiveGame, tol: float, limit: int) -> tuple[Array, list[int]]:
    """Backward induction on K profiles at once; a tie makes copies of the profiles that meet it."""
    topology = game.topology
    exact = game.kind == "exact"
    payoffs, chance = (game.payoffs, game.chance) if exact else (as_float(game.payoffs), as_float(game.chance))
    slack = [0] * len(game.players) if exact else list(tol * _spans(game))
    values: dict[int, Array] = {}  # node -> (K, P), kept until its parent is settled
    ends = {int(node): z for z, node in enumerate(topology.terminal)}
    choice = np.zeros((1, len(game.infosets)), dtype=np.int32)
    tied = set()
    for node in range(topology.size - 1, -1, -1):
        if topology.owner[node] == TERMINAL:
            values[node] = np.broadcast_to(payoffs[ends[node]], (len(choice), payoffs.shape[1]))
            continue
        below = topology.children[node]
        if topology.owner[node] == CHANCE:
            weights = [chance[topology.slot[c] - topology.action_count] for c in below]
            values[node] = sum((w * values.pop(c) for w, c in zip(weights, below, strict=True)), start=0 * payoffs[0])
            continue
        player, infoset = int(topology.owner[node]), int(topology.infoset[node])
        options = np.stack([values.pop(c) for c in below], axis=1)  # (K, actions, P)
        mine = options[:, :, player]
        near = np.asarray(mine >= (mine.max(axis=1) - slack[player])[:, None], dtype=bool)
        rows, picks = np.nonzero(near)
        if len(rows) > len(choice):
            tied.add(infoset)
            if len(rows) > limit:
                raise SolverError(
                    f"more than limit={limit} subgame-perfect equilibria: actions tie at {len(tied)} information sets, "
                    f"the last {game.infosets[infoset].key!r}; raise limit, or break ties in the payoffs"
                )
            if len(rows) * topology.size > _MOST_ENTRIES:
                raise SolverError(
                    f"at least {len(rows):,} subgame-perfect equilibria of a tree of {topology.size:,} nodes are too "
                    f"many to hold: actions tie at {len(tied)} information sets, the last "
                    f"{game.infosets[infoset].key!r}; break ties in the payoffs, or solve subgames"
                )
            choice = choice[rows]
            values = {n: v[rows] for n, v in values.items()}
        choice[:, infoset] = picks
        values[node] = options[rows, picks]
    actions = np.zeros((len(choice), topology.action_count), dtype=payoffs.dtype)
    first = np.array([s.first for s in game.infosets], dtype=np.int64)
    np.put_along_axis(actions, first + choice, 1, axis=1)
    return actions, sorted(tied)


def _certified(game: ExtensiveGame, profiles: Array, tol: float) -> tuple[Array, list[Certificate]]:
    """Certify profiles of shape (K, A) with perfect information: one pass up the tree for the best plans of all.

    Ties at several moves of one player add up: a profile that loses more than ``tol`` by them together is left out.
    """
    topology, count = game.topology, len(profiles)
    exact = game.kind == "exact"
    players = np.arange(len(topology.players))
    regrets = np.zeros((count, len(players)), dtype=object if exact else np.float64)
    rows = max(1, _ENTRIES // topology.size)
    for start in range(0, count, rows):
        part = profiles[start : start + rows]
        played = node_values(game, part)
        best = played.copy()  # of each player, by the best of its plans from the node on against what the others do
        slots = slot_probabilities(game, part)
        for level in reversed(topology.levels[1:]):
            parents = topology.parent[level]  # sorted: children of one node stand together
            heads = np.flatnonzero(np.r_[True, np.diff(parents) != 0])
            nodes = parents[heads]
            after = best[:, level]
            mean = np.add.reduceat(after * slots[:, topology.slot[level], None], heads, axis=1)
            own = topology.owner[nodes][:, None] == players
            best[:, nodes] = np.where(own, np.maximum.reduceat(after, heads, axis=1), mean)
        moves = np.flatnonzero(topology.owner >= 0)
        gains = (best - played)[:, moves]
        for i in players:
            mine = gains[:, topology.owner[moves] == i, i]
            if mine.shape[1]:
                regrets[start : start + len(part), i] = mine.max(axis=1)
    bounds = [0] * len(players) if exact else list(tol * _spans(game))
    worst = regrets.max(axis=1)
    kept = np.flatnonzero(np.asarray(regrets <= bounds, dtype=bool).all(axis=1))
    if not len(kept):
        raise SolverError(
            f"backward induction gave a profile with a regret of {float(worst.min()):g}; raise tol (now {tol:g}), "
            "or solve with exact=True",
            residual=float(worst.min()),
        )
    return profiles[kept], [Certificate(float(worst[k]), 0.0, True, exact) for k in kept]


def path_of_play(game: ExtensiveGame, actions: Array) -> str:
    """Return what is done on the path, in words: actions for sure, and who mixes where."""
    topology: Topology = game.topology
    slots = slot_probabilities(game, actions)
    reached = np.zeros(topology.size, dtype=bool)
    reached[0] = True
    for level in topology.levels[1:]:
        reached[level] = reached[topology.parent[level]] & (slots[topology.slot[level]] > 0)
    met = np.zeros(len(game.infosets), dtype=bool)
    met[topology.infoset[reached & (topology.owner >= 0)]] = True
    words = []
    for i in np.flatnonzero(met):
        s = game.infosets[i]
        played = [label for label, p in zip(s.actions, actions[s.slots], strict=True) if p > 0]
        words.append(played[0] if len(played) == 1 else f"{game.players[s.player]} mixes at {s.name}")
    return ", ".join(words) or "no moves"


def _by_stages(game: ExtensiveGame, tol: float, limit: int, options: dict[str, object]) -> EquilibriumSet:
    from deterrence.solvers.nash import nash

    game.topology.require_perfect_recall("spe")

    def solve(stage: ExtensiveGame, first: bool) -> Part:
        if stage.perfect_information and len(stage.infosets) == 1:
            profiles, tied = _pure_profiles(stage, tol, limit)
            return Part(list(profiles), complete=first or not tied)
        solved = nash(stage, tol=tol, exact=stage.kind == "exact")
        points = [
            v.actions
            for e in solved
            for v in cast("list[BehaviorProfile]", [e.profile] if e.isolated else [e.profile, *e.vertices])
        ]
        return Part(_distinct(points), solved.complete and (first or all(e.isolated for e in solved)))

    actions, complete = solve_by_stages(game, solve, limit)
    found = []
    for mine in actions:
        profile = BehaviorProfile(mine)
        regret = subgame_regret(game, profile)
        if regret > max(tol, 0.0 if game.kind == "exact" else 1e-12) * game.span:
            complete = False
            if regret <= _NEAR * tol * game.span:  # near ties of several stages add up
                continue
            raise SolverError(
                f"an equilibrium put together from {len(subgame_roots(game))} subgames has a regret of {regret:g}; "
                f"raise tol (now {tol:g}), or solve with exact=True",
                residual=regret,
            )
        certificate = certify(game, [profile], tol)
        kind = path_of_play(game, mine)
        found.append(Equilibrium(game=game, concept="spe", kind=kind, profile=profile, certificate=certificate))
    if not found:
        raise SolverError(f"no subgame-perfect equilibrium was certified within tol={tol:g}; solve with exact=True")
    return EquilibriumSet(
        game=game,
        concept="spe",
        method="subgame decomposition",
        equilibria=tuple(found),
        complete=complete,
        options=options,
    )


def _distinct(points: list[Array]) -> list[Array]:
    return list({tuple(np.round(as_float(p), 12)): p for p in points}.values())
