r"""Cutpoint equilibria of participation games: who would come, given who is expected to come.

In one state of the treaty member i assists iff its cost is at most its cutpoint, and in equilibrium

.. math:: c_i^* = s_i\,E[H(S_{-i} + w_i) - H(S_{-i})] + \text{penalty}_i, \qquad q_i = e_i F_i(c_i^*).

That is a fixed point q = T(q) in [0, e]. H is S-shaped, so contributions are complements where the defence is
weak and substitutes where it is strong, and there can be several. From each of many deterministic starts T is
iterated (from nobody and from everybody this leads to the lowest and the highest equilibrium where all are
complements, by monotonicity) and the rest is done by Newton's method. Whether anything can be missing is
decided by ``solving.bounds`` and, where the members that matter form one bloc of identical ones, by
isolating the roots in one dimension; only a proof sets ``complete``.

References
----------
.. [1] T. Palfrey and H. Rosenthal, "Participation and the Provision of Discrete Public Goods",
   J. Public Econ. 24 (1984), 171-193.
.. [2] P. Milgrom and J. Roberts, "Rationalizability, Learning, and Equilibrium in Games with Strategic
   Complementarities", Econometrica 58 (1990), 1255-1277.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.participation import STATES, ParticipationGame, ParticipationStage
from deterrence.alliances.participation_profile import ParticipationProfile
from deterrence.alliances.solving.batch import SAME, ParticipationBatch, participation_batch
from deterrence.alliances.solving.blocs import add_exchanges, bloc_equilibria, differing_starts, mixing_starts
from deterrence.alliances.solving.bounds import unique_by
from deterrence.alliances.solving.expected_defence import ExpectedDefence, expected_defence
from deterrence.alliances.solving.iteration import cutpoints_from, iterate_best_responses
from deterrence.alliances.solving.mixing import mixing_equilibria
from deterrence.alliances.solving.strength import RESOLUTION
from deterrence.alliances.solving.verification import verify_participation
from deterrence.games.equilibrium import Equilibrium, EquilibriumSet
from deterrence.games.errors import GameError, SolverError
from deterrence.games.paths import Change
from deterrence.solvers.arguments import require_form

Floats = NDArray[np.float64]

__all__ = ["ParticipationBatch", "StageEquilibria", "participation", "participation_batch", "stage_equilibria"]


@dataclass(frozen=True, eq=False)
class StageEquilibria:
    """The cutpoint equilibria found in one state of the treaty, from least to most expected defence.

    Attributes
    ----------
    cutpoints, probabilities : ndarray, shape (E, N)
    holds : ndarray, shape (E,)
        E[H].
    residuals : ndarray, shape (E,)
        Largest |q_i - e_i F_i(c_i)|.
    complete : bool
        Whether it is proven that there are no others.
    proof : str
        Why, or how they were found.
    error : float
        Bound on the numerical error of E[H].
    method : str
        How E[H] was computed: ``"exact"``, ``"spectral"`` or ``"lattice"``.
    """

    cutpoints: Floats
    probabilities: Floats
    holds: Floats
    residuals: Floats
    complete: bool
    proof: str
    error: float
    method: str


def participation(
    game: ParticipationGame,
    *,
    at: Mapping[str, Change] | None = None,
    attack: str | None = None,
    starts: int = 24,
    tol: float = 1e-12,
    method: str = "auto",
    resolution: int = RESOLUTION,
) -> EquilibriumSet:
    """Find the cutpoint equilibria of a participation game after one kind of attack.

    Parameters
    ----------
    game : ParticipationGame
        A single game (no batch).
    at : mapping of path to change, optional
        Changes to the game first, as in ``game.at``.
    attack : str, optional
        Kind of attack; may be left out if there is only one.
    starts : int
        Number of deterministic starts, at least 2 (nobody, everybody).
    tol : float
        Largest residual ``|q - e F(c*)|``, a probability.
    method, resolution
        How E[H] is computed; see ``expected_defence``.

    Returns
    -------
    EquilibriumSet
        An equilibrium per combination of one in each state of the treaty, from least to most probable defence
        (in a state of probability zero only the lowest is kept); ``complete`` only if that is proven in both
        states (``options`` say how).

    Raises
    ------
    GameError
        If the game is a batch, or the attack unknown.
    SolverError
        If no start leads to an equilibrium, or one found is not confirmed by ``verify_participation``.
    """
    require_form(game, "participation", "ParticipationGame")
    numeric = game.at(**dict(at or {}))
    if numeric.batch_shape:
        raise GameError(
            f"the game is a batch of shape {numeric.batch_shape}; use participation_batch, or index its parameters"
        )
    kind = numeric.attack(attack)
    chance = numeric.invocation(kind.name)
    stages = (
        numeric.stage(kind.name, invoked=True),
        numeric.stage(kind.name, invoked=False, position=chance.recognition_if_not),
    )
    found = [stage_equilibria(s, starts=starts, tol=tol, method=method, resolution=resolution) for s in stages]
    invoked = float(chance.probability)
    weights = np.array([invoked, 1 - invoked])
    ranges = [range(len(f.holds) if weight > 0 else 1) for f, weight in zip(found, weights, strict=True)]
    profiles = [_profile(kind.name, invoked, stages, found, pair) for pair in itertools.product(*ranges)]
    profiles.sort(key=lambda p: (float(weights @ p.holds), *p.holds.tolist(), *p.probabilities.ravel().tolist()))
    options = {
        "attack": kind.name,
        "starts": starts,
        "tol": tol,
        "method": tuple(f.method for f in found),
        "resolution": resolution,
        "proof": dict(zip(STATES, (f.proof for f in found), strict=True)),
        "error": dict(zip(STATES, (f.error for f in found), strict=True)),
    }
    certified = [_certified(numeric, profile, found, i, len(profiles)) for i, profile in enumerate(profiles)]
    return EquilibriumSet(
        game=numeric,
        concept="participation",
        method="fixed point of cutpoints",
        equilibria=tuple(certified),
        complete=all(f.complete for f in found),
        options=options,
    )


def stage_equilibria(
    stage: ParticipationStage,
    *,
    starts: int = 24,
    tol: float = 1e-12,
    method: str = "auto",
    resolution: int = RESOLUTION,
) -> StageEquilibria:
    """Find the cutpoint equilibria in one state of the treaty.

    Raises
    ------
    SolverError
        If no start leads to one; ``residual`` is the best that was reached.
    """
    defence = expected_defence(stage, method=method, resolution=resolution)
    blocs = bloc_equilibria(stage, defence, tol)
    complete, proof = blocs.complete, blocs.proof
    points, cuts = blocs.probabilities, blocs.cutpoints
    if not complete:
        reason = unique_by(stage, resolution=resolution, method=method)
        solved = cutpoints_from(stage, defence, _starts(stage, 2 if reason else starts), tol=tol)
        if reason and not solved.converged.any():
            solved = cutpoints_from(stage, defence, _starts(stage, starts), tol=tol)
        reached = solved.converged
        mixed = mixing_equilibria(stage, defence, tol)
        if not stage.costs.continuous:  # the map jumps: one at a time, best responses settle all the same
            rows = [iterate_best_responses(stage, defence, start) for start in _starts(stage, 3)]
            mixed = np.concatenate([mixed, [row for row in rows if _fixed(stage, defence, row, tol)] or mixed[:0]])
        points = np.concatenate([points, solved.probabilities[reached], mixed])
        cuts = np.concatenate([cuts, solved.cutpoints[reached], stage.stakes * defence.gains(mixed) + stage.penalties])
        if not reason:
            differing = _differing(stage, defence, points, tol)
            points = np.concatenate([points, differing])
            cuts = np.concatenate([cuts, stage.stakes * defence.gains(differing) + stage.penalties])
        complete, proof = bool(reason), reason or f"{starts} deterministic starts; others are not ruled out"
        if not len(points):
            best = float(solved.residual.min())
            raise SolverError(
                f"no start out of {len(solved.residual)} led to a cutpoint equilibrium within tol={tol:g}; "
                f"best residual {best:.3g}. Try more starts; costs with atoms (two-point, degenerate) may only have "
                "equilibria in which members mix",
                residual=best,
            )
    return _collected(stage, defence, points, cuts, complete, proof)


def _differing(stage: ParticipationStage, defence: ExpectedDefence, points: Floats, tol: float) -> Floats:
    """Return equilibria in which members of a bloc of identical ones differ, and those that exchange such members."""
    starts = differing_starts(stage)
    if not len(starts):
        return points[:0]
    settled_rows = [iterate_best_responses(stage, defence, start) for start in starts]
    starts = np.concatenate([settled_rows, starts, mixing_starts(stage, defence)])
    polished = cutpoints_from(stage, defence, starts, tol=tol, anywhere=True)
    reached = np.concatenate([points, polished.probabilities[polished.converged]])
    reached = np.concatenate(
        [reached, [row for row in settled_rows if _fixed(stage, defence, row, tol)] or reached[:0]]
    )
    return add_exchanges(stage, reached)


def _fixed(stage: ParticipationStage, defence: ExpectedDefence, q: Floats, tol: float) -> bool:
    cut = stage.stakes * defence.gains(q) + stage.penalties
    return bool(np.abs(stage.position * stage.costs.cdf(cut) - q).max() <= tol)


def _collected(
    stage: ParticipationStage, defence: ExpectedDefence, points: Floats, cuts: Floats, complete: bool, proof: str
) -> StageEquilibria:
    holds = np.clip(defence.value(points), 0.0, 1.0)
    kept: list[int] = []
    for i in np.lexsort((*points.T[::-1], holds)):
        if all(np.abs(points[i] - points[j]).max() > SAME for j in kept):
            kept.append(int(i))
    q, c = points[kept], cuts[kept]
    with_atoms = stage.position * stage.costs.cdf(c)
    residual = np.abs(with_atoms - q).max(axis=-1)
    if not stage.costs.continuous:  # a member whose cost is its cutpoint for sure may mix: distance to the whole step
        slack = 1e-9 * (1 + np.abs(c))
        low, high = stage.position * stage.costs.cdf(c - slack), stage.position * stage.costs.cdf(c + slack)
        residual = np.maximum(np.maximum(low - q, q - high), 0.0).max(axis=-1)
    return StageEquilibria(
        cutpoints=c,
        probabilities=q,
        holds=holds[kept],
        residuals=residual,
        complete=complete,
        proof=proof,
        error=float(np.max(defence.error)),
        method=defence.method,
    )


def _starts(stage: ParticipationStage, count: int) -> Floats:
    """Return nobody, everybody, the heaviest k members, then points of a Kronecker sequence; shape (count, N)."""
    e = np.broadcast_to(stage.position, (*stage.batch_shape, len(stage.names)))
    n = e.shape[-1]
    order = np.argsort(-stage.weights, kind="stable")
    rows = [np.zeros(n), np.ones(n), np.full(n, 0.5)]
    for k in sorted({max(1, round(n * share)) for share in (0.125, 0.25, 0.5, 0.75)} - {n}):
        for chosen in (order[:k], order[-k:]):
            row = np.zeros(n)
            row[chosen] = 1.0
            rows.append(row)
    golden = np.sqrt(np.arange(2, n + 2) + 0.5)  # irrational steps
    rows += [((j + 1) * golden) % 1.0 for j in range(max(0, count - len(rows)))]
    return np.array(rows[:count]) * e


def _profile(
    attack: str,
    invoked: float,
    stages: tuple[ParticipationStage, ...],
    found: list[StageEquilibria],
    pair: tuple[int, ...],
) -> ParticipationProfile:
    q = np.stack([f.probabilities[k] for f, k in zip(found, pair, strict=True)])
    return ParticipationProfile(
        attack=attack,
        invoked=invoked,
        cutpoints=np.stack([f.cutpoints[k] for f, k in zip(found, pair, strict=True)]),
        probabilities=q,
        holds=np.array([f.holds[k] for f, k in zip(found, pair, strict=True)]),
        strength=np.array([float(s.weights @ row) for s, row in zip(stages, q, strict=True)]),
        residual=np.array([f.residuals[k] for f, k in zip(found, pair, strict=True)]),
    )


def _certified(
    game: ParticipationGame, profile: ParticipationProfile, found: list[StageEquilibria], rank: int, count: int
) -> Equilibrium:
    kind = "single" if count == 1 else "lowest" if rank == 0 else "highest" if rank == count - 1 else "in between"
    bare = Equilibrium(game=game, concept="participation", kind=kind, profile=profile)
    certificate = verify_participation(game, bare)
    if not certificate.sequentially_rational:
        raise SolverError(
            f"an equilibrium of participation after {profile.attack!r} failed its check: a member gains "
            f"{certificate.max_regret:.3g} by deviating (numerical error of E[H] up to "
            f"{max(f.error for f in found):.3g}); raise resolution",
            residual=certificate.max_regret,
        )
    return Equilibrium(game=game, concept="participation", kind=kind, profile=profile, certificate=certificate)
