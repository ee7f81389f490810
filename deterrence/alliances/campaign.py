r"""Salami tactics: an attack cut into small steps, each below the threshold of response, or just above it.

An attack of share g may be taken in n steps of g / n each. Before step k the share :math:`h_k = (n - k + 1) / n` is
still held. The aggressor reaches for step k or stops, and keeps what it has. The step is seen as one of size
:math:`z_k = (1 + \mu (k - 1)) / n`, and crosses the threshold of response with probability
:math:`a_k = \Phi((z_k - \theta) / \sigma)` (drawn anew at each step; 1 or 0 if sigma = 0). A step that crosses it is
an attack like any other: the target resists it with probability R_k (1 without a doubtful target), members recognise
it, the treaty is invoked, members come, and a war over *all that is still held* ends the campaign; their stakes are
s_i h_k. Any other step is simply taken. With :math:`\rho_k = a_k R_k` and :math:`\pi_k = \prod_{l < k} (1 - \rho_l)`,
the plan to go j steps is worth

.. math:: U_j(v) = \sum_{k \le j} \pi_k \Big[ \rho_k \big( v g h_k (1 - E[H_k]) - \kappa
   - \lambda E[\text{strength}_k] \big) + (1 - \rho_k) \Big( \frac{v g}{n} - \kappa_{step} \Big) \Big],

a line in v. So an attack in steps is n lines in the aggressor's envelope, and how far it goes is the piece that v
falls on. Nothing is learned on the way but that nobody has answered, so the best plan is also the best thing to do at
each step. Members do not look ahead: they decide once a step is answered, when the war is about all that is left.

*A target that looks ahead.* With Z_k its payoff when step k is up to the aggressor (Z_{n+1} = 0) it resists iff its
cost, drawn anew at each step, is at most :math:`x_k = s h_k E[H_k] - Z_{k+1}`: so R_k = F(x_k), and

.. math:: Z_k = a_k \Big( R_k s h_k E[H_k] - E[c 1\{c \le x_k\}] + (1 - R_k) Z_{k+1} \Big) + (1 - a_k) Z_{k+1},

or s h_k where the aggressor would rather stop. Whether it would is computed for an aggressor whose value of the prize
is the mean of the distribution: exact where the value is known, a simplification otherwise (the target does not learn
from how far the aggressor has gone). With a known value, a known cost c and no allies these are the red lines of
salami tactics, the holdings from which a war is better than falling back to the next line.

The first step is solved and certified as any attack; later ones, of a single game too, from nobody and from everybody
as in a batch, with a flag for convergence.

References
----------
.. [1] T. C. Schelling, *Arms and Influence*, 1966, ch. 2.
.. [2] R. Powell, "Uncertainty, Shifting Power, and Appeasement", Am. Polit. Sci. Rev. 90 (1996), 749-764.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.attacks import AttackOption
from deterrence.alliances.response import Response
from deterrence.perception.detection import exceedance_probability

Floats = NDArray[np.float64]

_BY_MEMBER = ("comes", "payoffs")  # tables of a response that have an axis of members


def most_steps(attack: AttackOption) -> int:
    """Return the number of steps of an attack, the largest in a batch."""
    return int(np.max(attack.steps))


def dimensions_of(attack: AttackOption) -> int:
    """Return the number of batch dimensions of an attack's numbers."""
    return max(np.ndim(getattr(attack, one.name)) for one in fields(attack) if one.name != "name")


def in_steps(attack: AttackOption) -> bool:
    """Return whether an attack may be cut into steps, or may stay below a threshold of response."""
    return most_steps(attack) > 1 or bool(np.any(attack.threshold) or np.any(attack.threshold_noise))


def remaining_share(attack: AttackOption, dimensions: int) -> Floats:
    """Return the remaining share before each step, and after the last; shape (n + 1, ...) with so many dimensions."""
    n = np.asarray(attack.steps, dtype=np.float64)
    return np.asarray(np.maximum(n - _steps(most_steps(attack) + 1, dimensions), 0.0) / n)


def detection_probability(attack: AttackOption, dimensions: int) -> Floats:
    """Return a_k, the probability that each step crosses the threshold of response, shape (n, ...)."""
    n = np.asarray(attack.steps, dtype=np.float64)
    done = _steps(most_steps(attack), dimensions)
    intensity = (1 + np.asarray(attack.memory) * done) / n
    return exceedance_probability(intensity, attack.threshold, attack.threshold_noise, rounding=1e-12) * (done < n)


@dataclass(frozen=True, eq=False)
class StageResponses:
    """What each step of each kind of attack meets, if it is answered.

    Attributes
    ----------
    attacks : tuple of AttackOption
    dimensions : int
        Number of batch dimensions.
    first : Response
        To the first step of each kind: to the whole, for kinds that are not cut.
    later : mapping of int to Response
        By kind that is cut: to its second, third, ... step; they stand on a further axis in front of the batch.
        Left out where none of these can cross the threshold of response.
    """

    attacks: tuple[AttackOption, ...]
    dimensions: int
    first: Response
    later: Mapping[int, Response] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "dimensions", max(self.dimensions, *(dimensions_of(one) for one in self.attacks)))

    def at_steps(self, name: str, x: int, k: int) -> Floats:
        """Return a table of the response by step of attack x in its k-th equilibrium, shape (n, ...) or (n, ..., N)."""
        member = (slice(None),) if name in _BY_MEMBER else ()
        depth = self.dimensions + len(member)
        first = align(getattr(self.first, name)[k][(..., x, *member)][None], depth)
        if x not in self.later:  # one step, or none of the later ones is ever answered
            return np.broadcast_to(first, (most_steps(self.attacks[x]), *first.shape[1:]))
        rest = align(getattr(self.later[x], name)[k][(..., 0, *member)], depth)
        shape = np.broadcast_shapes(first.shape[1:], rest.shape[1:])
        return np.concatenate([np.broadcast_to(one, (len(one), *shape)) for one in (first, rest)])

    @cached_property
    def response(self) -> Response:
        """The response to each kind of attack once it is answered: the mean over the steps at which it may be."""
        cut = [x for x, attack in enumerate(self.attacks) if in_steps(attack)]
        if not cut:
            return self.first
        found: dict[str, Any] = {}
        for name in ("holds", "strength", "nobody", "comes", "payoffs"):
            axis = -2 if name in _BY_MEMBER else -1
            ends = [[self._answered(name, x, k) for x in range(len(self.attacks))] for k in (0, 1)]
            found[name] = np.stack([np.stack(np.broadcast_arrays(*columns), axis=axis) for columns in ends])
        later = self.later.values()

        def throughout(name: str) -> Any:
            flags = (getattr(self.first, name), *(getattr(one, name).all(axis=0) for one in later))
            return np.logical_and.reduce(np.broadcast_arrays(*flags))

        return replace(
            self.first,
            **found,
            converged=throughout("converged"),
            proven=throughout("proven"),
            error=max([self.first.error, *(one.error for one in later)]),
        )

    def _answered(self, name: str, x: int, k: int) -> Floats:
        if not in_steps(self.attacks[x]):
            return np.asarray(self.at_steps(name, x, k)[0])
        weight = self._answered_at(x)
        weight = weight[..., None] if name in _BY_MEMBER else weight
        return np.asarray((weight * self.at_steps(name, x, k)).sum(axis=0))

    def _answered_at(self, x: int) -> Floats:
        """Return the probability that an attack pursued to the end, and then answered, is answered at each step."""
        weight = _survival(detection_probability(self.attacks[x], self.dimensions))[1]
        total = weight.sum(axis=0)
        only_first = np.zeros_like(weight)
        only_first[0] = 1.0
        return np.asarray(np.where(total > 0, weight / np.where(total > 0, total, 1.0), only_first))


@dataclass(frozen=True, eq=False)
class Plans:
    """The plans of an aggressor: each kind of attack, by how many steps of it it means to take.

    Attributes
    ----------
    kinds, steps : tuple of int
        Index of the attack, and the number of steps, of each of L plans.
    slopes, costs : ndarray, shape (..., L)
        Share of the prize that the plan takes on average, and what it costs.
    answered : ndarray, shape (..., L)
        Probability that the plan ends in an answered attack.
    helped, holds : ndarray, shape (..., L)
        Probability that some member assists, and that the defence holds (an answered attack fails).
    payoffs : ndarray, shape (..., L, N)
        Each member's payoff relative to peace.
    """

    kinds: tuple[int, ...]
    steps: tuple[int, ...]
    slopes: Floats
    costs: Floats
    answered: Floats
    helped: Floats
    holds: Floats
    payoffs: Floats


def plans(
    attacks: Sequence[AttackOption],
    responses: StageResponses,
    pick: Sequence[int],
    resists: Sequence[Floats],
    *,
    punishment: Any,
    stakes: Floats,
) -> Plans:
    """Return what each plan of the aggressor leads to.

    Parameters
    ----------
    attacks : sequence of AttackOption
        With the values of whoever plans.
    responses : StageResponses
        What each step meets, as whoever plans expects.
    pick : sequence of int
        Which equilibrium (0 lowest, 1 highest) answers each kind.
    resists : sequence of ndarray, shape (n, ...)
        By kind: the probability that the target resists each step that crosses the threshold.
    punishment : array_like, shape (...)
    stakes : ndarray, shape (..., N)
        The members' stakes.
    """
    dimensions = max(
        responses.dimensions,
        np.ndim(punishment),
        *(one.ndim - 1 for one in resists),
        *(dimensions_of(a) for a in attacks),
    )
    responses = replace(responses, dimensions=dimensions)
    kinds: list[int] = []
    counts: list[int] = []
    rows: dict[str, list[Floats]] = {key: [] for key in ("slopes", "costs", "answered", "helped", "holds", "payoffs")}
    for x, attack in enumerate(attacks):
        share, across = remaining_share(attack, dimensions), detection_probability(attack, dimensions)
        resisting = align(_fitted(resists[x], len(across)), dimensions)
        fights = across * resisting
        reached, answered = _survival(fights)
        quiet = reached - answered  # reached and not answered
        h, strength = (responses.at_steps(name, x, pick[x]) for name in ("holds", "strength"))
        slice_, whole = share[:-1] - share[1:], share[:-1]
        exists = slice_ > 0
        gain = answered * whole * (1 - np.minimum(h, 1.0)) + quiet * slice_
        war = np.asarray(attack.cost) + np.asarray(punishment) * strength
        cost = answered * war + quiet * exists * np.asarray(attack.step_cost)
        cost = cost + reached * across * (1 - resisting) * np.asarray(attack.mounting) * np.asarray(attack.cost)
        at_risk = (
            np.asarray(attack.stake_share)[..., None] if np.ndim(attack.stake_share) else attack.stake_share
        ) * stakes
        fought = answered[..., None] * (responses.at_steps("payoffs", x, pick[x]) - at_risk)
        steps = {
            "slopes": np.asarray(attack.share) * np.cumsum(gain, axis=0),
            "costs": np.cumsum(cost, axis=0),
            "answered": np.cumsum(answered, axis=0),
            "helped": np.cumsum(answered * (1 - responses.at_steps("nobody", x, pick[x])), axis=0),
            "holds": np.cumsum(answered * h, axis=0),
            "payoffs": np.cumsum(fought, axis=0) - (quiet * (1 - share[1:]))[..., None] * at_risk,
        }
        for j in range(len(across)):
            kinds.append(x)
            counts.append(j + 1)
            for key, values in steps.items():
                rows[key].append(np.asarray(values[j]))
    stacked = {
        key: np.stack(np.broadcast_arrays(*values), axis=-2 if key == "payoffs" else -1) for key, values in rows.items()
    }
    return Plans(tuple(kinds), tuple(counts), **stacked)


def align(rows: Floats, dimensions: int) -> Floats:
    """Return rows with so many dimensions behind the first, the missing ones put in after it."""
    return np.asarray(rows.reshape(rows.shape[0], *(1,) * (dimensions + 1 - rows.ndim), *rows.shape[1:]))


def _steps(count: int, dimensions: int) -> Floats:
    return np.arange(count, dtype=np.float64).reshape(-1, *(1,) * dimensions)


def _survival(fights: Floats) -> tuple[Floats, Floats]:
    """Return the probabilities that each step is reached, and that it is reached and answered, shape (n, ...)."""
    left = np.cumprod(1 - fights, axis=0)
    reached = np.concatenate([np.ones_like(left[:1]), left[:-1]])
    return reached, reached * fights


def _fitted(resists: Floats, count: int) -> Floats:
    """Return probabilities for so many steps; a single one stands for all."""
    return resists if len(resists) == count else np.broadcast_to(resists[:1], (count, *resists.shape[1:]))
