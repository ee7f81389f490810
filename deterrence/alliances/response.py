"""What an attack would meet: who comes, with what strength, and whether the defence holds; for each kind of attack.

Arrays have an axis for the equilibrium (lowest, then highest participation), then the batch dimensions, then
the kinds of attack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.participation import ParticipationGame
from deterrence.alliances.participation_profile import ParticipationProfile
from deterrence.alliances.solving.batch import defence_holds, participation_batch
from deterrence.alliances.solving.participation import participation
from deterrence.games.equilibrium import EquilibriumSet
from deterrence.games.values import Value

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Response(Value):
    """The response to each of X kinds of attack by N members.

    Attributes
    ----------
    attacks, members : tuple of str
    invoked : ndarray, shape (..., X)
        P(treaty invoked | attack).
    holds : ndarray, shape (2, ..., X)
        P(defence holds | attack), in the lowest and in the highest equilibrium.
    strength : ndarray, shape (2, ..., X)
        Expected assisting strength, in units of strength.
    comes : ndarray, shape (2, ..., X, N)
        Probability that each member assists.
    nobody : ndarray, shape (2, ..., X)
        Probability that no member assists.
    payoffs : ndarray, shape (2, ..., X, N)
        Each member's expected payoff after the attack.
    cutpoints : ndarray, shape (2, 2, ..., X, N)
        Cutpoints; the second axis is the state: invoked, not invoked. In a batch, nan in a state that has
        probability zero at every point.
    converged : ndarray of bool, shape (...)
        Whether each point of a batch was solved.
    error : float
        Bound on the numerical error of ``holds``.
    strength_invoked : ndarray, shape (2, ..., X)
        Expected assisting strength if the treaty is invoked; nan where that state was not solved.
    alarmed : ndarray, shape (2, ..., X)
        Strength expected to act on incidents that look like each kind, before it is known whether there is one.
    proven : ndarray of bool, shape (...)
        Whether it is proven that no equilibrium is missing: for a batch, that there is one only.
    equilibria : mapping of str to EquilibriumSet
        By kind of attack, with certificates; empty for a batch, and where members misperceive.
    """

    attacks: tuple[str, ...]
    members: tuple[str, ...]
    invoked: Floats
    holds: Floats
    strength: Floats
    comes: Floats
    nobody: Floats
    payoffs: Floats
    cutpoints: Floats
    converged: Flags
    error: float
    strength_invoked: Floats
    alarmed: Floats
    proven: Flags
    equilibria: Mapping[str, EquilibriumSet] = field(default_factory=dict)

    @property
    def several(self) -> bool:
        """Whether some attack has more than one equilibrium response."""
        return bool(np.abs(self.comes[1] - self.comes[0]).max() > 1e-7)

    @property
    def complete(self) -> bool:
        """Whether all equilibria are proven to be known."""
        return bool(self.equilibria) and bool(np.all(self.proven))


def response(game: ParticipationGame, *, every_state: bool = False) -> Response:
    """Return the equilibrium response to each kind of attack.

    Parameters
    ----------
    game : ParticipationGame
        A single game, solved from many starts and certified, or a batch, solved from nobody and from everybody.
    every_state : bool
        Whether a batch is also solved in states of the treaty that have probability zero at every point; a
        single game always is.

    Raises
    ------
    SolverError
        If a single game has no equilibrium that can be found.
    """
    chances = _chances(game)
    solved = [
        _batch(game, a.name, chances[:, ..., x], every_state) if game.batch_shape else _single(game, a.name)
        for x, a in enumerate(game.attacks)
    ]
    sets = {a.name: one.equilibria for a, one in zip(game.attacks, solved, strict=True) if one.equilibria is not None}
    return _summary(
        game,
        chances,
        np.stack([one.cutpoints for one in solved], axis=-2),
        np.stack([one.probabilities for one in solved], axis=-2),
        np.stack([one.holds for one in solved], axis=-1),
        converged=_all_of([one.converged for one in solved]),
        error=max(one.error for one in solved),
        proven=_all_of([one.proven for one in solved]),
        equilibria=sets,
    )


def mean_response(parts: Sequence[tuple[str, Any, Any, Response]]) -> Response:
    """Return the mean of responses over the states of a common shock.

    Parameters
    ----------
    parts : sequence of (str, array_like, array_like, Response)
        Name of each state, its probability, shape (...), that by the check of a quadrature (the same where states are
        finite), and the response in it. Cutpoints are means too. The sets of equilibria are kept under
        ``"ATTACK | STATE"``, and that of the most probable state under ``"ATTACK"`` as well. The error is that of the
        worst state, or the largest difference that the check makes to a probability.
    """
    batch = np.broadcast_shapes(
        *(np.shape(weight) for _, weight, _, _ in parts), *(p.invoked.shape[:-1] for *_, p in parts)
    )

    def mean(name: str, front: int, back: int, rule: int = 1) -> Floats:
        total: Any = 0.0
        for part in parts:
            w, values = np.asarray(part[rule]), getattr(part[3], name)
            if not w.any():
                continue
            core = values.ndim - front - back
            gap = (1,) * (len(batch) - core)
            values = values.reshape(values.shape[:front] + gap + values.shape[front:])
            total = total + w.reshape(w.shape + (1,) * back) * values
        return np.asarray(total)

    first = parts[0][3]
    states = [(name, one) for name, weight, _, one in parts if np.any(weight)]
    likely = max(parts, key=lambda part: float(np.mean(part[1])))[3]
    means = {"holds": mean("holds", 1, 1), "comes": mean("comes", 1, 2), "nobody": mean("nobody", 1, 1)}
    checks = {"holds": mean("holds", 1, 1, 2), "comes": mean("comes", 1, 2, 2), "nobody": mean("nobody", 1, 1, 2)}
    return Response(
        attacks=first.attacks,
        members=first.members,
        invoked=mean("invoked", 0, 1),
        strength=mean("strength", 1, 1),
        **means,
        payoffs=mean("payoffs", 1, 2),
        cutpoints=mean("cutpoints", 2, 2),
        converged=_all_of([one.converged for _, one in states]),
        error=max(
            *(one.error for _, one in states),
            *(float(np.max(np.abs(means[name] - checks[name]))) for name in means),
        ),
        strength_invoked=mean("strength_invoked", 1, 1),
        alarmed=mean("alarmed", 1, 1),
        proven=_all_of([one.proven for _, one in states]),
        equilibria={
            **likely.equilibria,
            **{f"{attack} | {state}": found for state, one in states for attack, found in one.equilibria.items()},
        },
    )


def response_at(found: Response, index: int) -> Response:
    """Return one of the responses that lie side by side on the first axis of a batch."""
    ends = ("holds", "strength", "comes", "nobody", "payoffs", "strength_invoked", "alarmed")
    return replace(
        found,
        invoked=found.invoked[index],
        converged=found.converged[index],
        proven=found.proven[index],
        cutpoints=found.cutpoints[:, :, index],
        **{name: getattr(found, name)[:, index] for name in ends},
    )


def respond_to_incidents(game: ParticipationGame, found: Response, incidents: Sequence[Any]) -> Response:
    """Return a response with the strength that acts on incidents: those invoke the treaty, and members come as to it.

    Parameters
    ----------
    game : ParticipationGame
    found : Response
        Of that game, solved in every state of the treaty.
    incidents : sequence of array_like, shape (...)
        By kind of attack: the probability that something happens that looks like it.
    """
    acting = [
        [chance * game.false_invocation(name) * found.strength_invoked[k][..., x] for k in (0, 1)]
        for x, (name, chance) in enumerate(zip(found.attacks, incidents, strict=True))
    ]
    ends = np.broadcast_arrays(*(one for pair in acting for one in pair))
    return replace(found, alarmed=np.stack([np.stack(ends[k::2], axis=-1) for k in (0, 1)]))


def realised_response(
    game: ParticipationGame, expected: Response, plans: Mapping[int, Response], *, every_state: bool = False
) -> Response:
    """Return what happens if some members act on other values than the true ones.

    Parameters
    ----------
    game : ParticipationGame
        At the true values.
    expected : Response
        Of that game; members who misperceive nothing act on it.
    plans : mapping of int to Response
        By index of a member who misperceives: the response of the game as it sees it, in every state; its
        cutpoint comes from there.
    every_state : bool
        Whether states of the treaty that have probability zero at every point count too.
    """
    chances = _chances(game)
    cuts = np.array(
        np.broadcast_to(expected.cutpoints, (2, 2, *game.batch_shape, len(game.attacks), len(game.members)))
    )
    for i, plan in plans.items():
        cuts[..., i] = plan.cutpoints[..., i]
    probabilities, holds = np.empty_like(cuts), np.zeros(cuts.shape[:-1])
    error = 0.0
    for x, attack in enumerate(game.attacks):
        for j, invoked in enumerate((True, False)):
            if not (every_state or (chances[j, ..., x] > 0).any()):
                probabilities[:, j, ..., x, :] = np.nan
                continue
            stage = game.stage(attack.name, invoked=invoked)
            probabilities[:, j, ..., x, :] = stage.position * stage.costs.cdf(cuts[:, j, ..., x, :])
            for k in (0, 1):
                holds[k, j, ..., x], bound = defence_holds(stage, probabilities[k, j, ..., x, :])
                error = max(error, bound)
    return _summary(
        game,
        chances,
        cuts,
        probabilities,
        holds,
        converged=expected.converged,
        error=error,
        proven=expected.proven,
        equilibria={},
    )


@dataclass(frozen=True, eq=False)
class _Solved:
    """Equilibria after one kind of attack: arrays of shape (2, 2, ..., N) and (2, 2, ...); nan where not solved."""

    cutpoints: Floats
    probabilities: Floats
    holds: Floats
    converged: Flags
    error: float
    proven: Flags
    equilibria: EquilibriumSet | None = None


def _single(game: ParticipationGame, attack: str) -> _Solved:
    found = participation(game, attack=attack)
    ends = [cast("ParticipationProfile", found[k].profile) for k in (0, -1)]
    return _Solved(
        np.stack([e.cutpoints for e in ends]),
        np.stack([e.probabilities for e in ends]),
        np.stack([e.holds for e in ends]),
        np.asarray(True),
        max(cast("dict[str, float]", found.options["error"]).values()),
        np.asarray(found.complete),
        found,
    )


def _batch(game: ParticipationGame, attack: str, chances: Floats, every_state: bool) -> _Solved:
    wide = (2, 2, *game.batch_shape)
    cuts, probabilities = (np.full((*wide, len(game.members)), np.nan) for _ in range(2))
    holds = np.zeros(wide)
    converged, error = np.ones(game.batch_shape, dtype=bool), 0.0
    proven = np.ones(game.batch_shape, dtype=bool)
    for j, invoked in enumerate((True, False)):
        if not (every_state or (chances[j] > 0).any()):
            continue
        found = participation_batch(game.stage(attack, invoked=invoked))
        for k, end in enumerate((found.lowest, found.highest)):
            cuts[k, j], probabilities[k, j], holds[k, j] = end.cutpoints, end.probabilities, found.holds[k]
        converged, error = converged & found.converged, max(error, found.error)
        proven = proven & found.unique
    return _Solved(cuts, probabilities, holds, converged, error, proven)


def _all_of(flags: Sequence[Flags]) -> Flags:
    return np.asarray(np.logical_and.reduce(np.broadcast_arrays(*flags)))


def _chances(game: ParticipationGame) -> Floats:
    """Return the probabilities of both states of the treaty after each attack, shape (2, ..., X)."""
    invoked = [np.broadcast_to(game.invocation(a.name).probability, game.batch_shape) for a in game.attacks]
    return np.stack([np.stack(invoked, axis=-1), 1 - np.stack(invoked, axis=-1)])


def _summary(
    game: ParticipationGame,
    chances: Floats,
    cuts: Floats,
    probabilities: Floats,
    held: Floats,
    *,
    converged: Flags,
    error: float,
    proven: Flags,
    equilibria: Mapping[str, EquilibriumSet],
) -> Response:
    """Return the means over the states of the treaty of all that follows from who comes."""
    shape = (2, *game.batch_shape, len(game.attacks))
    holds, strength, nobody, invoked = (np.zeros(shape) for _ in range(4))
    comes, payoffs = np.zeros((*shape, len(game.members))), np.zeros((*shape, len(game.members)))
    for x, attack in enumerate(game.attacks):
        for j in (0, 1):
            weight = chances[j, ..., x]
            stage = game.stage(attack.name, invoked=j == 0)
            if j == 0:
                invoked[..., x] = (stage.weights * probabilities[:, 0, ..., x, :]).sum(axis=-1)
            if not (weight > 0).any():
                continue
            same = np.array_equal(probabilities[0, j, ..., x, :], probabilities[1, j, ..., x, :])
            for k in (0,) if same else (0, 1):
                q, cut = probabilities[k, j, ..., x, :], cuts[k, j, ..., x, :]
                to = slice(None) if same else k
                holds[to, ..., x] += weight * held[k, j, ..., x]
                strength[to, ..., x] += weight * (stage.weights * q).sum(axis=-1)
                nobody[to, ..., x] += weight * (1 - q).prod(axis=-1)
                comes[to, ..., x, :] += weight[..., None] * q
                payoffs[to, ..., x, :] += weight[..., None] * stage.payoffs(cut, q, held[k, j, ..., x])
    return Response(
        attacks=tuple(a.name for a in game.attacks),
        members=game.names,
        invoked=chances[0],
        holds=holds,
        strength=strength,
        comes=comes,
        nobody=nobody,
        payoffs=payoffs,
        cutpoints=cuts,
        converged=converged,
        error=error,
        strength_invoked=invoked,
        alarmed=np.zeros_like(invoked),
        proven=proven,
        equilibria=equilibria,
    )
