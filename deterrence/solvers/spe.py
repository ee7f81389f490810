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
from dataclasses import replace
from fractions import Fraction
from typing import cast

import numpy as np

from deterrence.games.behavior import BehaviorProfile
from deterrence.games.equilibrium import Certificate, Equilibrium, EquilibriumSet
from deterrence.games.errors import GameError, SolverError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.forms.subgames import subgame_roots
from deterrence.games.play import node_values, slot_probabilities
from deterrence.games.quantities import Array, as_float, exact_distribution
from deterrence.games.topology import CHANCE, TERMINAL, Topology
from deterrence.solvers.arguments import check_tolerance, in_rationals, require_form
from deterrence.solvers.budget import Budget
from deterrence.solvers.logit.batches import BehaviorBatch
from deterrence.solvers.nash import nash
from deterrence.solvers.predicates import UNIT, merge, read
from deterrence.solvers.trees.stages import Part, solve_by_stages
from deterrence.solvers.verification.tree import certify, subgame_verdict

_ROUNDING = 1e-8  # regret in floats, as a share of the payoff span, that rounding explains
_LEAST = 2.0**-1000
_STAGE = 1_000  # units of work that ``nash`` may do on a stage
_MOST_ENTRIES = 5_000_000  # equilibria times nodes that are listed, in memory
_ENTRIES = 1_000_000  # profiles times nodes that are certified together


def spe(
    game: ExtensiveGame,
    *,
    at: Mapping[str, object] | None = None,
    exact: bool = False,
    tol: float = 0.0,
    limit: int = 10_000,
    time_limit: float | None = None,
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
        Payoffs of a player that differ by no more than this share of their own size are made one number first, as in
        ``nash``; at 0 numbers tie if they are equal.
    limit : int
        Most equilibria to list (ties multiply, so a large tree with many may have very many), and most work that
        ``nash`` may do on a stage. What was found by then is returned, not ``complete``, and ``options["unsearched"]``
        says what is left.
    time_limit : float, optional
        Most seconds, alike.

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
        If nothing was found within the bounds, or an equilibrium fails its certificate.

    Examples
    --------
    >>> import deterrence as dt
    >>> game = dt.ExtensiveGame(("A", "D"), dt.move("A", {
    ...     "refrain": dt.end("peace", A=0, D=1),
    ...     "attack": dt.move("D", {"fight": dt.end("war", A=-1, D=-1), "yield": dt.end("conquest", A=1, D=0)})}))
    >>> [e.kind for e in spe(game)]
    ['attack, yield']
    """
    require_form(game, "spe", "ExtensiveGame")
    numeric = game.at(**(at or {}))
    numeric.require_numbers()
    if numeric.batch_shape:
        raise GameError("spe solves one game; solve a batch with spe_batch, or index it, as in game[0]")
    check_tolerance(tol)
    budget = Budget("spe", limit=limit, time_limit=time_limit, unit="equilibria")
    shown = numeric.exact() if exact or numeric.kind == "exact" else numeric.floats()
    options: dict[str, object] = {"exact": exact, "tol": tol}
    if not numeric.perfect_information:
        numeric, options["merged"] = in_rationals(numeric, tol)
        return _by_stages(numeric, shown, budget, options)
    if tol:
        numeric, options["merged"] = in_rationals(numeric, tol)
    profiles, tied = _pure_profiles(numeric, budget)
    options |= {"ties": tuple(numeric.infosets[i].key for i in tied), "strategies": "pure"}
    certificates = _certified(numeric, shown, profiles)
    sure = np.ones(numeric.topology.size)  # one node at each information set: beliefs are certain
    found = [
        Equilibrium(
            game=shown,
            concept="spe",
            kind=path_of_play(shown, actions),
            profile=BehaviorProfile(actions, sure),
            certificate=certificate,
        )
        for actions, certificate in zip(
            profiles.astype(np.int64).astype(object if shown.kind == "exact" else np.float64), certificates, strict=True
        )
    ]
    return EquilibriumSet(
        game=shown,
        concept="spe",
        method="backward induction",
        equilibria=tuple(found),
        complete=not budget.unsearched,
        options={**options, **budget.options()},
    )


def spe_batch(game: ExtensiveGame, *, at: Mapping[str, object] | None = None, tol: float = 0.0) -> BehaviorBatch:
    """Solve a batch of perfect-information games of one tree by backward induction, as arrays.

    Parameters
    ----------
    game : ExtensiveGame
        Payoffs and chance may carry leading batch dimensions.
    at : mapping of str to number or array, optional
        Values of parameters; arrays make the batch.
    tol : float
        Payoffs that differ by no more than this share of their own size tie. Where a best action is tied on the way,
        ``flagged`` is True and the first tied action is taken.

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
    require_form(game, "spe_batch", "ExtensiveGame")
    numeric = game.at(**(at or {}))
    numeric.require_numbers()
    if not numeric.perfect_information:
        raise GameError("spe_batch needs perfect information; solve the games of the batch one at a time with spe")
    actions, tied = _backward(numeric, tol)
    flagged = np.asarray(tied.any(axis=-1))
    return BehaviorBatch(
        game=numeric, concept="spe", actions=actions, flagged=flagged, failed=np.zeros(flagged.shape, dtype=bool)
    )


def _pure_profiles(game: ExtensiveGame, budget: Budget) -> tuple[Array, list[int]]:
    """Return every pure subgame-perfect profile, shape (K, A), and the information sets where some tie was met."""
    if game.kind == "float":
        actions, tied, unsure = _induction(game.topology, as_float(game.payoffs), as_float(game.chance))
        if not (tied.any() or unsure.any()):
            return actions[None], []
    # without chance values are payoffs as they were given: floats then compare as exactly as rationals
    return _all_choices(game.exact() if game.chance.size else game, budget)


def _backward(game: ExtensiveGame, tol: float) -> tuple[Array, Array]:
    """Pure actions, shape (..., A), and whether sets are tied, shape (..., I): in floats, in rationals where unsure."""
    topology = game.topology
    payoffs, chance = as_float(game.payoffs), as_float(game.chance)
    if tol:
        flat = payoffs.reshape(-1, *payoffs.shape[-2:])
        merged = [[merge(one[:, i], tol) for i in range(one.shape[1])] for one in flat]
        payoffs = as_float(np.moveaxis(np.array(merged, dtype=object), 1, 2)).reshape(payoffs.shape)
    actions, tied, unsure = _induction(topology, payoffs, chance)
    shape = game.batch_shape
    payoffs = np.broadcast_to(payoffs, (*shape, *payoffs.shape[-2:]))
    chance = np.broadcast_to(chance, (*shape, *chance.shape[-1:]))
    where = np.nonzero(unsure) if shape else ((np.array([], dtype=int),) if not unsure else ())
    if unsure.any():
        exact = [
            np.moveaxis(np.vectorize(read, otypes=[object])(payoffs[where]), 0, 0),
            _distributions(game, chance[where]),
        ]
        actions[where], tied[where], _ = _induction(topology, *exact)
    return actions, tied


def _distributions(game: ExtensiveGame, chance: Array) -> Array:
    """Return chance in rationals, the probabilities of each move of nature summing to one."""
    result = np.empty(chance.shape, dtype=object)
    for group in game.topology.chance_sets:
        for index in np.ndindex(chance.shape[:-1]):
            result[(*index, group)] = exact_distribution(chance[(*index, group)])
    return result


def _induction(topology: Topology, payoffs: Array, chance: Array) -> tuple[Array, Array, Array]:
    """One pass from the last level up: pure actions, whether sets are tied, and whether rounding may have decided.

    Payoffs of shape (..., Z, P) and chance of shape (..., C), floats or rationals. A value in floats comes with a bound
    on its error; payoffs as given have none, for floats are in the order of the decimals that they print as.
    """
    exact = payoffs.dtype == object
    batch = np.broadcast_shapes(payoffs.shape[:-2], chance.shape[:-1])
    count = topology.action_count
    shape = (topology.size, len(topology.players), *batch)  # batch last: rows of nodes are contiguous
    values = np.zeros(shape, dtype=payoffs.dtype)
    errors = np.zeros(shape)
    values[topology.terminal] = np.moveaxis(np.broadcast_to(payoffs, batch + payoffs.shape[-2:]), (-2, -1), (0, 1))
    chance = np.moveaxis(np.broadcast_to(chance, batch + chance.shape[-1:]), -1, 0)
    chosen = np.zeros((count, *batch))
    tied = np.zeros((len(topology.infosets), *batch), dtype=bool)
    unsure = np.zeros(batch, dtype=bool)
    for level in reversed(topology.levels[:-1]):
        for node in level[topology.owner[level] == CHANCE]:
            below = np.array(topology.children[node])
            weights = chance[topology.slot[below] - count][:, None]
            values[node] = (weights * values[below]).sum(axis=0)
            if not exact:
                size = (weights * np.abs(values[below])).sum(axis=0)
                errors[node] = (weights * errors[below]).sum(axis=0) + (len(below) + 3) * 2 * UNIT * size + _LEAST
        owners = topology.owner[level]
        widths = np.array([len(topology.children[node]) for node in level])
        for player, width in {(int(o), int(w)) for o, w in zip(owners, widths, strict=True) if o >= 0}:
            nodes = level[(owners == player) & (widths == width)]
            below = np.array([topology.children[node] for node in nodes])  # (nodes, actions)
            mine = values[below, player]  # (nodes, actions, ...)
            best = mine.max(axis=1)
            near = np.asarray(mine == best[:, None], dtype=bool)
            pick = near.argmax(axis=1)  # first of the tied
            several = near.sum(axis=1) > 1
            if not exact:
                bound = errors[below, player]
                top = np.take_along_axis(bound, pick[:, None], axis=1)[:, 0]
                reading = np.where((bound > 0) | (top[:, None] > 0), 4 * UNIT * np.abs(mine) + _LEAST, 0.0)
                close = mine + bound + top[:, None] + 2 * reading >= best[:, None]
                blurred = close.sum(axis=1) > 1
                blurred &= (np.where(close, bound, 0.0).max(axis=1) > 0) | (top > 0)
                unsure |= blurred.any(axis=0)
                errors[nodes] = np.take_along_axis(errors[below], pick[:, None, None], axis=1)[:, 0]
            tied[topology.infoset[nodes]] = several
            values[nodes] = np.take_along_axis(values[below], pick[:, None, None], axis=1)[:, 0]
            marks = np.arange(width).reshape(1, width, *[1] * len(batch)) == pick[:, None]
            chosen[topology.slot[below]] = marks
    return np.ascontiguousarray(np.moveaxis(chosen, 0, -1)), np.moveaxis(tied, 0, -1), unsure


def _all_choices(game: ExtensiveGame, budget: Budget) -> tuple[Array, list[int]]:
    """Backward induction on K profiles at once; a tie makes copies of the profiles that meet it."""
    topology = game.topology
    payoffs, chance = game.payoffs, game.chance
    most = min(budget.limit or _MOST_ENTRIES, max(1, _MOST_ENTRIES // topology.size))
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
        near = np.asarray(mine == mine.max(axis=1)[:, None], dtype=bool)
        rows, picks = np.nonzero(near)
        if len(rows) > len(choice):
            tied.add(infoset)
            if len(rows) > most or not budget.spend(0):
                if not budget.unsearched:
                    budget.skip(
                        f"all but {most:,} of the ways to break ties, from that at {game.infosets[infoset].key!r} on "
                        f"({budget.reason or f'limit={most:,} equilibria'} reached)"
                    )
                fill = most - len(choice)
                first = np.flatnonzero(np.r_[True, np.diff(rows) != 0])
                others = np.setdiff1d(np.arange(len(rows)), first)[: max(fill, 0)]
                kept = np.sort(np.r_[first, others])  # each profile so far goes on, and as many copies as there is room
                rows, picks = rows[kept], picks[kept]
        if len(rows) != len(choice):
            choice = choice[rows]
            values = {n: v[rows] for n, v in values.items()}
        choice[:, infoset] = picks
        values[node] = options[rows, picks]
    actions = np.zeros((len(choice), topology.action_count), dtype=payoffs.dtype)
    first = np.array([s.first for s in game.infosets], dtype=np.int64)
    np.put_along_axis(actions, first + choice, 1, axis=1)
    return actions, sorted(tied)


def _certified(game: ExtensiveGame, shown: ExtensiveGame, profiles: Array) -> list[Certificate]:
    """Certify profiles of shape (K, A) with perfect information: one pass up the tree for the best plans of all.

    In rationals, or in floats where these decided every comparison.
    """
    topology, count = game.topology, len(profiles)
    players = np.arange(len(topology.players))
    regrets = np.zeros((count, len(players)), dtype=profiles.dtype)
    judged = game if profiles.dtype != object else game.exact()
    rows = max(1, _ENTRIES // topology.size)
    for start in range(0, count, rows):
        part = profiles[start : start + rows]
        played = node_values(judged, part)
        best = played.copy()  # of each player, by the best of its plans from the node on against what the others do
        slots = slot_probabilities(judged, part)
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
    bounds = (
        0
        if profiles.dtype == object or not game.chance.size
        else _ROUNDING * np.abs(as_float(game.payoffs)).max(axis=0)
    )
    if not np.asarray(regrets <= bounds, dtype=bool).all():
        raise SolverError(
            f"backward induction gave a profile with a regret of {float(regrets.max()):g}; please report the game",
            residual=float(regrets.max()),
        )
    return [Certificate(float(worst), 0.0, True, shown.kind == "exact") for worst in regrets.max(axis=1)]


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


def _by_stages(game: ExtensiveGame, shown: ExtensiveGame, budget: Budget, options: dict[str, object]) -> EquilibriumSet:
    game.topology.require_perfect_recall("spe")

    def solve(stage: ExtensiveGame, first: bool) -> Part:
        if stage.perfect_information and len(stage.infosets) == 1:
            profiles, tied = _pure_profiles(stage, budget)
            return Part(list(profiles), complete=first or not tied)
        solved = nash(stage, exact=True, limit=budget.work_left(_STAGE), time_limit=budget.seconds_left())
        for what in solved.options.get("unsearched", ()):  # type: ignore[attr-defined]
            budget.skip(what)
        points = [
            v.actions
            for e in solved
            for v in cast("list[BehaviorProfile]", [e.profile] if e.isolated else [e.profile, *e.vertices])
        ]
        return Part(_distinct(points), solved.complete and (first or all(e.isolated for e in solved)))

    actions, complete = solve_by_stages(game, solve, budget)
    found = []
    for mine in actions:
        rational = all(isinstance(x, Fraction | int) for x in mine)
        profile = BehaviorProfile(mine if rational else as_float(mine))
        regret, none = subgame_verdict(game, profile, 0.0 if rational else _ROUNDING)
        if not none:
            raise SolverError(
                f"an equilibrium put together from {len(subgame_roots(game))} subgames has a regret of {regret:g}; "
                "please report the game",
                residual=regret,
            )
        certificate = certify(game, [profile], 0.0 if rational else _ROUNDING)
        if shown.kind != "exact":
            profile, certificate = BehaviorProfile(as_float(mine)), replace(certificate, exact=False)
        kind = path_of_play(shown, profile.actions)
        found.append(Equilibrium(game=shown, concept="spe", kind=kind, profile=profile, certificate=certificate))
    if not found:
        raise SolverError(
            f"no subgame-perfect equilibrium was found within {budget.reason or 'the bounds of a stage'}: left are "
            f"{'; '.join(budget.unsearched)}; raise limit or time_limit, or trace qre for one equilibrium"
        )
    return EquilibriumSet(
        game=shown,
        concept="spe",
        method="subgame decomposition",
        equilibria=tuple(found),
        complete=complete,
        options={**options, **budget.options()},
    )


def _distinct(points: list[Array]) -> list[Array]:
    return list({tuple(p): p for p in points}.values())
