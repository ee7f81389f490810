"""The waist between models and solvers: profiles, equilibria, sets of equilibria, and what certifies them.

A *profile* is what the players do and believe in one form of game. A *game* knows how to read a profile of its form.
An *equilibrium* is a profile with its game, its kind and its certificate; where equilibria form a continuum it is
the polytope of profiles, kept by its vertices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, overload

from deterrence.games.display import Display
from deterrence.games.errors import GameError
from deterrence.games.events import Event
from deterrence.games.formulas import equilibrium_latex, set_latex
from deterrence.games.selection import Rule, select
from deterrence.games.tables import equilibrium_html, equilibrium_text, set_frame, set_html, set_text
from deterrence.games.values import Value

if TYPE_CHECKING:
    import pandas as pd

Strategies = Mapping[str, Mapping[Any, Mapping[str, Any]]]
Beliefs = Mapping[Any, Mapping[str, Any]]


class Profile(Protocol):
    """What the players of a game do and believe, as arrays of one form of game."""

    def strategies(self, game: Any) -> Strategies:
        """Return the probabilities of actions, by player, information set and action."""

    def beliefs(self, game: Any) -> Beliefs:
        """Return the beliefs, by information set and node (or type)."""

    def payoffs(self, game: Any) -> Mapping[str, Any]:
        """Return each player's expected payoff under the true probabilities."""

    def probability(self, game: Any, event: Event) -> Any:
        """Return the probability of an event under the true probabilities."""


@dataclass(frozen=True, slots=True, eq=False)
class Certificate(Value):
    """What ``verify`` recomputed from the game alone.

    Attributes
    ----------
    max_regret : float
        Largest gain from one player's deviation at any information set, in that player's payoff units.
    max_belief_error : float
        Largest distance from Bayes' rule where it applies, a probability.
    sequentially_rational : bool
        Whether no information set, reached or not, has a deviation that gains more than the tolerance.
    exact : bool
        Rational arithmetic, not floating point.
    equilibrium : bool
        Whether nothing gains that the concept compares: of a Nash equilibrium, no plan for the whole game; otherwise
        as ``sequentially_rational``.
    """

    max_regret: float
    max_belief_error: float
    sequentially_rational: bool
    exact: bool
    equilibrium: bool = None  # type: ignore[assignment]  # filled in below

    def __post_init__(self) -> None:
        if self.equilibrium is None:
            object.__setattr__(self, "equilibrium", self.sequentially_rational)


@dataclass(frozen=True, slots=True, eq=False)
class Verdict(Value):
    """What a refinement says of an equilibrium, with its reason as data.

    Attributes
    ----------
    refinement : str
        The name of the refinement.
    survives : bool
        Whether any part of the component survives.
    part : str
        ``"whole"``, ``"part"`` or ``"nothing"``.
    reasons : tuple of mapping
        One per message that eliminates something: which message, which types, which inequality with its numbers.
    surviving : tuple of Profile
        Vertices of what survives, where a part does.
    """

    refinement: str
    survives: bool
    part: str
    reasons: tuple[Mapping[str, Any], ...] = ()
    surviving: tuple[Any, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Equilibrium(Display, Value):
    """One equilibrium, or one component of a continuum of equilibria.

    Attributes
    ----------
    game : game
        The game with numbers that it solves.
    concept : str
        The solution concept, as the field names it.
    kind : str
        In words: ``"separating"``, ``"pooling on tripwire"``, ``"semi-separating: soft mixes"``, ... Of a continuum,
        the kind of its relative interior.
    kinds : tuple of str
        Every kind that occurs on the continuum, the interior's first.
    profile : Profile
        What the players do and believe; of a continuum, a point in its relative interior.
    vertices : sequence of Profile
        The vertices of the component; ``(profile,)`` if the equilibrium is isolated.
    whole : bool
        Whether the vertices are all of the component; False for a point that stands for a continuum whose shape is not
        known.
    certificate : Certificate or None
        What ``verify`` found, the worst over all vertices.
    """

    game: Any = field(repr=False)
    concept: str
    kind: str
    profile: Profile = field(repr=False)
    vertices: Sequence[Profile] = field(default=(), repr=False)
    whole: bool = field(default=True, repr=False)
    certificate: Certificate | None = None
    refine: Callable[[Equilibrium, str, Sequence[Equilibrium] | None], Verdict] | None = field(default=None, repr=False)
    siblings: Sequence[Equilibrium] | None = field(default=None, repr=False, compare=False)
    kinds: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if not self.kinds:
            object.__setattr__(self, "kinds", (self.kind,))
        if not len(self.vertices):
            object.__setattr__(self, "vertices", (self.profile,))

    @cached_property
    def strategies(self) -> Strategies:
        """Probabilities, ``strategies[player][information set][action]``."""
        return self.profile.strategies(self.game)

    @cached_property
    def beliefs(self) -> Beliefs:
        """Beliefs, ``beliefs[information set][node or type]``."""
        return self.profile.beliefs(self.game)

    @cached_property
    def payoffs(self) -> Mapping[str, Any]:
        """Expected payoff by player, under the true probabilities."""
        return self.profile.payoffs(self.game)

    def is_kind(self, kind: str) -> bool:
        """Return whether a kind occurs on it; ``"pooling"`` stands for ``"pooling on beer"`` and the like."""
        return any(own == kind or own.startswith((kind + " ", kind + ":")) for own in self.kinds)

    @property
    def isolated(self) -> bool:
        """Whether the equilibrium is a point, off-path responses and beliefs included."""
        return len(self.vertices) == 1 and self.whole

    def probability(self, event: Event) -> Any:
        """Return the probability of an event (at ``profile``, if the component holds several)."""
        return self.profile.probability(self.game, event)

    def probability_range(self, event: Event) -> tuple[Any, Any]:
        """Return the lowest and the highest probability of an event over the component.

        Outcome probabilities are multilinear in the factors of the component, so vertices attain both.
        """
        values = [vertex.probability(self.game, event) for vertex in self.vertices]
        return min(values), max(values)

    def verdict(self, refinement: str) -> Verdict:
        """Return what a refinement says of this equilibrium, with reasons.

        Raises
        ------
        GameError
            If the concept has no refinements, or none of that name.
        """
        if self.refine is None:
            raise GameError(f"no refinements are defined for {self.concept} of {type(self.game).__name__}")
        return self.refine(self, refinement, self.siblings)

    def survives(self, refinement: str) -> bool:
        """Return whether the equilibrium (or a part of the component) survives a refinement."""
        return self.verdict(refinement).survives

    def _repr_html_(self) -> str:
        return equilibrium_html(self)

    def _repr_latex_(self) -> str:
        return equilibrium_latex(self)

    def __str__(self) -> str:
        return equilibrium_text(self)


@dataclass(frozen=True, kw_only=True, eq=False)
class EquilibriumSet(Display, Value, Sequence[Equilibrium]):
    """Equilibria of one game, with all that a reader needs to check and repeat the solve.

    Attributes
    ----------
    game : game
        The game with numbers.
    concept, method : str
        What was looked for, and how.
    equilibria : tuple of Equilibrium
        Sorted: the order never depends on the run.
    complete : bool
        True only where the method proves that nothing is missing.
    options : mapping
        As used, defaults filled in.
    """

    game: Any = field(repr=False)
    concept: str
    method: str
    equilibria: tuple[Equilibrium, ...]
    complete: bool
    options: Mapping[str, object] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        # an equilibrium is refined against the whole set that it was found in (see "undefeated")
        if self.equilibria and self.equilibria[0].siblings is None:
            linked = tuple(replace(e) for e in self.equilibria)
            for e in linked:
                object.__setattr__(e, "siblings", linked)
            object.__setattr__(self, "equilibria", linked)

    def __len__(self) -> int:
        return len(self.equilibria)

    @overload
    def __getitem__(self, index: int) -> Equilibrium: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Equilibrium]: ...
    def __getitem__(self, index: int | slice) -> Equilibrium | Sequence[Equilibrium]:
        return self.equilibria[index]

    def __iter__(self) -> Iterator[Equilibrium]:
        return iter(self.equilibria)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The distinct kinds, in order: of relative interiors first, then those that occur at their edges only."""
        interiors = [e.kind for e in self.equilibria]
        return tuple(dict.fromkeys([*interiors, *(kind for e in self.equilibria for kind in e.kinds)]))

    def probability(self, event: Event) -> tuple[Any, Any]:
        """Return the lowest and the highest probability of an event over the whole set.

        Raises
        ------
        GameError
            If the set is empty.
        """
        if not self.equilibria:
            raise GameError(f"the set of {self.concept} equilibria is empty, so no event has a probability in it")
        ranges = [e.probability_range(event) for e in self.equilibria]
        return min(low for low, _ in ranges), max(high for _, high in ranges)

    def where(self, *, kind: str | None = None, survives: str | None = None) -> EquilibriumSet:
        """Return those on which a kind occurs (``"pooling"`` matches ``"pooling on beer"``), or that survive."""
        kept = tuple(
            e
            for e in self.equilibria
            if (kind is None or e.is_kind(kind)) and (survives is None or e.survives(survives))
        )
        return replace(self, equilibria=kept)

    def select(self, rule: Rule) -> EquilibriumSet:
        """Return those that a rule chooses; ``options["selected by"]`` names it.

        Parameters
        ----------
        rule : str
            ``"payoff dominance"``, ``"risk dominance"``, ``"welfare"``, ``"maximal entropy"`` or ``"homotopy"``;
            definitions and sources stand in ``deterrence.games.selection``.

        Raises
        ------
        GameError
            If the rule is not defined for the game, or the set is empty.
        ParameterError
            If there is no such rule.
        """
        kept = tuple(select(self.game, self.equilibria, rule))
        return replace(self, equilibria=kept, options={**self.options, "selected by": rule})

    def to_frame(self) -> pd.DataFrame:
        """Return a pandas table: a row per equilibrium, a column per strategy, belief and payoff."""
        return set_frame(self)

    def _repr_html_(self) -> str:
        return set_html(self)

    def _repr_latex_(self) -> str:
        return set_latex(self)

    def __str__(self) -> str:
        return set_text(self)
