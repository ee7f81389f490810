r"""A common shock: members' resolve rises and falls together.

An election, a crisis elsewhere or a change of mood shifts the costs of several members at once. Members see the
shock before they decide; the aggressor, who must choose before, knows its distribution only. So there is one
participation equilibrium in each state of the shock, and the aggressor expects the mean over states. Two
forms: a finite mixture of states, each an overlay on the game, or one factor,

.. math:: c_i = \text{location}_i + \text{scale}_i (\sqrt\rho\, z + \sqrt{1 - \rho}\, \varepsilon_i), \qquad
   z, \varepsilon_i \sim N(0, 1),

with correlation rho, by Gauss-Hermite quadrature over z (for lognormal costs the same holds of their logarithm). The
marginal distribution of each member's cost is unchanged: only their fates are tied.

*How many nodes.* Given z a member comes with probability :math:`\Phi((x_i - \sqrt\rho\, z) / \sqrt{1 - \rho})` for some
x_i, so that what is integrated is as steep in z as :math:`r = \sqrt{\rho / (1 - \rho)}`: n = 12 r nodes, at least 6 and
at most 64, leave an error near 1e-5 (measured for rho from 0.1 to 0.9). The error is estimated in each solution by
the rule of half as many nodes, whose own error is larger; where an equilibrium ends at some z, so that the response
jumps, it is what tells.

References
----------
.. [1] O. Vasicek, "The Distribution of Loan Portfolio Value", Risk 15 (2002), 160-162, for the one-factor form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.declarations import check_name, check_numbers, distinct, number
from deterrence.alliances.members import Member
from deterrence.games.errors import GameError, ParameterError
from deterrence.games.paths import Overlay
from deterrence.games.values import Value

Floats = NDArray[np.float64]

FAMILIES = ("normal", "lognormal")
FEWEST, MOST = 2, 64  # quadrature nodes


@dataclass(frozen=True, kw_only=True)
class ShockState:
    """One state of a common shock.

    Attributes
    ----------
    name : str
        For example ``"crisis elsewhere"``.
    probability : float
        In [0, 1]; the probabilities of all states sum to one (an overlay may break this: they are rescaled).
    changes : mapping of path to change
        What is different in it, for example ``{"members.*.cost.location": "+0.5"}``.
    """

    name: str
    probability: Any = number(high=1.0, required=True, unit="probability", meaning="probability of the state")
    changes: Overlay = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name(self.name, "state of the shock")
        check_numbers(self, f"state {self.name}")
        object.__setattr__(self, "changes", dict(self.changes))


@dataclass(frozen=True, kw_only=True, eq=False)
class CommonShock(Value):
    """What members' costs have in common: states, or a correlation.

    Attributes
    ----------
    states : tuple of ShockState
        A finite mixture; empty for the one-factor form.
    correlation : array_like, shape (...)
        rho in [0, 1), for members whose cost is normal or lognormal.
    nodes : int, optional
        Quadrature nodes of the factor, 2 to 64; by default as many as the correlation asks for. The error is estimated
        by half as many.

    Raises
    ------
    GameError
        If both forms are given, or neither.
    ParameterError
        If a number is out of its range.
    """

    states: tuple[ShockState, ...] = ()
    correlation: Any = number(
        0.0,
        high=1.0,
        unit="correlation",
        meaning="of members' costs, one factor; for normal or lognormal costs",
    )
    nodes: int | None = None

    def __post_init__(self) -> None:
        if self.states:
            object.__setattr__(self, "states", distinct(self.states, ShockState, "states of the shock"))
        check_numbers(self)
        rho = self.correlation
        if np.any(np.asarray(rho) >= 1):
            raise ParameterError(f"correlation must be below 1, got {np.max(rho):g}; a shock of states can be total")
        if self.states and np.any(rho):
            raise GameError("a common shock has states or a correlation, not both")
        given: Any = self.nodes
        if isinstance(given, float) and given.is_integer():  # as a change by path sets it
            object.__setattr__(self, "nodes", int(given))
        if self.nodes is not None and (not isinstance(self.nodes, int) or not FEWEST <= self.nodes <= MOST):
            raise ParameterError(f"nodes must be a whole number in [{FEWEST}, {MOST}], got {self.nodes!r}")

    @property
    def rule(self) -> int:
        """Number of quadrature nodes: as given, or as many as the largest correlation of a batch asks for."""
        if self.nodes is not None:
            return self.nodes
        rho = float(np.max(self.correlation))
        return int(min(max(np.ceil(12 * np.sqrt(rho / (1 - rho))), 6), MOST))

    def overlays(self, members: Sequence[Member]) -> list[tuple[str, Any, Any, Overlay]]:
        """Return name, probability, probability by the check and changes of each state, for these members.

        The check is a quadrature with half as many nodes, which are states of probability zero. A finite mixture needs
        none: there both probabilities are the same.

        Raises
        ------
        GameError
            If a correlation is given and a member's cost is neither normal nor lognormal.
        ParameterError
            If the probabilities of the states are all zero.
        """
        if self.states:
            total = np.sum(np.broadcast_arrays(*(np.asarray(s.probability, dtype=float) for s in self.states)), axis=0)
            if (total <= 0).any():
                raise ParameterError(f"the probabilities of states {', '.join(s.name for s in self.states)} are all 0")
            shares = [np.asarray(s.probability) / total for s in self.states]
            return [(s.name, share, share, s.changes) for s, share in zip(self.states, shares, strict=True)]
        for member in members:
            if member.cost.family not in FAMILIES:
                raise GameError(
                    f"a correlation needs normal or lognormal costs; that of {member.name} is {member.cost.family}: "
                    "give the shock states instead"
                )
        z, weights = _gauss_hermite(self.rule)
        check, check_weights = _gauss_hermite((self.rule + 1) // 2)
        common, own = np.sqrt(self.correlation), np.sqrt(1 - np.asarray(self.correlation))
        found: list[tuple[str, Any, Any, Overlay]] = []
        for node, share, checked in (
            *zip(z, weights, np.zeros_like(z), strict=True),
            *zip(check, np.zeros_like(check), check_weights, strict=True),
        ):
            changes: dict[str, Any] = {}
            for member in members:
                path = f'members."{member.name}".cost'
                changes[f"{path}.location"] = {"add": common * np.asarray(member.cost.scale) * node}
                changes[f"{path}.scale"] = {"multiply": own}
            found.append((f"z={node:.3g}", float(share), float(checked), changes))
        return found


def _gauss_hermite(nodes: int) -> tuple[Floats, Floats]:
    """Return nodes and weights that sum to one, for the standard normal distribution."""
    z, weights = np.polynomial.hermite_e.hermegauss(nodes)
    return z, weights / weights.sum()
