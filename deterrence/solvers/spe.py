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
from deterrence.games.quantities import Array, as_float
from deterrence.games.topology import Topology
from deterrence.solvers.arguments import check_tolerance, in_rationals, require_form
from deterrence.solvers.budget import Budget
from deterrence.solvers.logit.batches import BehaviorBatch
from deterrence.solvers.nash import nash
from deterrence.solvers.trees.backward_induction import backward, pure_profiles
from deterrence.solvers.trees.stages import Part, solve_by_stages
from deterrence.solvers.verification.tree import certify, subgame_verdict

_ROUNDING = 1e-8  # regret in floats, as a share of the payoff span, that rounding explains
_STAGE = 1_000  # units of work that ``nash`` may do on a stage
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
        If an equilibrium fails its certificate.

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
    profiles, tied = pure_profiles(numeric, budget)
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
    actions, tied = backward(numeric, tol)
    flagged = np.asarray(tied.any(axis=-1))
    return BehaviorBatch(
        game=numeric, concept="spe", actions=actions, flagged=flagged, failed=np.zeros(flagged.shape, dtype=bool)
    )


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
            profiles, tied = pure_profiles(stage, budget)
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
