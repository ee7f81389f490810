"""Regimes: equilibria of a game with symbols, each with the exact condition under which it exists."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

from deterrence.games.display import Display
from deterrence.games.errors import GameError, ParameterError
from deterrence.games.events import Event
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.formulas import math_text
from deterrence.games.quantities import check_names, quantity
from deterrence.games.values import Value
from deterrence.solvers.symbolic.compiled import compile_regimes
from deterrence.solvers.symbolic.conditions import Assumptions, Conjunction, Frac
from deterrence.solvers.symbolic.map import regime_map
from deterrence.solvers.symbolic.proposition import frame, latex, markdown
from deterrence.solvers.symbolic.refinements import survival
from deterrence.solvers.symbolic.statics import boundaries, statics_frame
from deterrence.solvers.symbolic.text import Condition, chains, conditions_of, plain

if TYPE_CHECKING:
    import matplotlib.axes
    import pandas as pd

    from deterrence.solvers.symbolic.compiled import CompiledRegimes
    from deterrence.solvers.symbolic.statics import Boundary

Expr = Any  # sympy.Expr


@dataclass(frozen=True, eq=False)
class OffPath:
    """One way to hold a regime up after a message that nobody sends.

    Attributes
    ----------
    message : str
    responses : mapping of (receiver type or None) to mapping of response to sympy.Expr
        Probabilities of responses.
    beliefs : tuple of sympy relation
        What the belief must satisfy; in symbols named ``Pr(type | message)``. Empty if any belief will do.
    cases : tuple of tuple of Condition
        Where this deters within the regime: one of the cases must hold. An empty case means everywhere.
    """

    message: str
    responses: Mapping[str | None, Mapping[str, Expr]]
    beliefs: tuple[Any, ...]
    cases: tuple[tuple[Condition, ...], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Regime(Value):
    """One kind of equilibrium and where it exists.

    Attributes
    ----------
    kind : str
        As ``dt.pbe`` and ``dt.spe`` name it: ``"separating"``, ``"pooling on beer"``, ``"hold"``, ...
    conditions : tuple of Condition
        The equilibrium exists iff all hold (with the assumptions). None: always.
    strategies : mapping
        ``strategies[player][information set][action]``, on the path; of trees also what is settled off it.
    beliefs : mapping
        ``beliefs[information set][type]`` after messages that are sent.
    off_path : tuple of OffPath
        What holds it up after messages that nobody sends; one entry per message is needed.
    payoffs : mapping of str to sympy.Expr
        Expected payoff by player, under the true prior.
    sends : tuple of tuple of int
        Messages that each type sends; empty for outcomes of backward induction.
    levels : tuple of fraction
        Payoff of each type.
    case : conjunction
        The conditions as polynomials, each nonnegative.
    form : SignalingGame or ExtensiveGame
        What ``play`` is about: a tree may have become a signaling game.
    play : mapping
        Probability of each way through the game that may occur, and others that pay both players the same.
    assumptions : Assumptions
    likely : frozenset of str
        Parameters that are probabilities; conditions are solved for them if possible.
    parts : tuple of Regime
        Of trees: regimes with the same play that were joined to this one; off the path they differ.
    """

    kind: str
    conditions: tuple[Condition, ...]
    strategies: Mapping[str, Mapping[Any, Mapping[str, Expr]]]
    beliefs: Mapping[Any, Mapping[str, Expr]]
    off_path: tuple[OffPath, ...]
    payoffs: Mapping[str, Expr]
    sends: tuple[tuple[int, ...], ...] = field(repr=False)
    levels: tuple[Frac, ...] = field(repr=False)
    case: Conjunction = field(repr=False)
    form: Any = field(repr=False)
    play: Mapping[tuple[int, ...], tuple[Frac, tuple[tuple[int, ...], ...]]] = field(repr=False)
    assumptions: Assumptions = field(repr=False)
    likely: frozenset[str] = field(repr=False, default=frozenset())
    parts: tuple[Regime, ...] = field(repr=False, default=())

    @cached_property
    def outcome(self) -> tuple[str, ...]:
        """What tells two regimes with different equilibrium play apart; one outcome may exist in several cases."""
        return (self.kind, *sorted(f"{index} {p}" for index, (p, _) in self.play.items() if p))

    @property
    def condition(self) -> Any:
        """The conditions as one SymPy expression."""
        import sympy

        return sympy.And(*[c.relation for c in self.conditions])

    def probability(self, event: Event) -> Expr:
        """Return the probability of an event under the true prior, as an expression in the parameters.

        Raises
        ------
        GameError
            If the event is not known, or depends on a choice that matters to nobody.
        """
        return self.assumptions.expression(self.chance_of(event))

    def chance_of(self, event: Event) -> Frac:
        """Return the same as a quotient of polynomials."""
        if isinstance(self.form, ExtensiveGame):
            weights = self.form.event_ends(event)
        else:
            weights = self.form.event_weights(event)
        total = self.assumptions.domain.zero
        for index, (probability, alike) in self.play.items():
            weight = self.assumptions.fraction(weights[index])
            if any(self.assumptions.fraction(weights[other]) != weight for other in alike):
                raise GameError(
                    f"the probability of {event!r} depends on a response that pays both players the same as another; "
                    "merge the two responses, or ask for an event that tells them not apart"
                )
            total = total + probability * weight
        return total

    def survives(self, refinement: str) -> tuple[tuple[Condition, ...], ...]:
        """Return where the regime survives a refinement: the cases, one of which must hold beside its own conditions.

        No case: nowhere. One case without conditions: everywhere.

        Parameters
        ----------
        refinement : str
            ``"intuitive"`` (criterion) or ``"d1"``.

        Raises
        ------
        GameError
            If there is no closed form for games of this size; see ``regime_refinements``.
        """
        return tuple(
            conditions_of(self.assumptions, case, {}, self.likely, self.case) for case in survival(self, refinement)
        )

    def holds(self, **values: object) -> bool:
        """Return whether the conditions and assumptions hold at values of the parameters; exact for rationals.

        Raises
        ------
        ParameterError
            If a name is unknown or missing.
        """
        numbers = exact_values(self.assumptions, values)
        return all(at_point(p, numbers) >= 0 for p in (*self.assumptions.facts, *self.case))

    def condition_text(self) -> str:
        """Return the conditions for people: ``"v_I <= k <= w, rho <= g/(d + g)"``."""
        return ", ".join(chains(self.conditions, plain, " <= ")) or "always"

    def __str__(self) -> str:
        return f"{self.kind}: {self.condition_text()}"


@dataclass(frozen=True, kw_only=True, eq=False)
class RegimeSet(Display, Value, Sequence[Regime]):
    """The regimes of a game with symbols. ``compile`` makes them a target of ``dt.sweep``.

    Attributes
    ----------
    game : SignalingGame or ExtensiveGame
    regimes : tuple of Regime
    stated : tuple of str
        The assumptions, as given.
    complete : bool
        True if every equilibrium at parameters in general position belongs to a regime. (At ties, more may exist.)
    notes : tuple of str
        What stands against completeness, or what could not be decided.
    assumptions : Assumptions
    given : tuple
        The assumptions as objects.
    limit : int
        As asked for.
    again : callable
        Finds them in another process, from the game, the assumptions, the limit and the texts of the regimes.
    """

    game: Any = field(repr=False)
    regimes: tuple[Regime, ...]
    stated: tuple[str, ...]
    complete: bool
    notes: tuple[str, ...] = ()
    assumptions: Assumptions = field(repr=False)
    given: tuple[Any, ...] = field(repr=False, default=())
    limit: int = field(repr=False, default=0)
    again: Callable[..., RegimeSet] = field(repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        # SymPy's polynomial rings cannot be pickled: another process finds the regimes again
        return self.again, (self.game, self.given, self.limit, tuple(map(str, self.regimes)))

    def __len__(self) -> int:
        return len(self.regimes)

    @overload
    def __getitem__(self, index: int) -> Regime: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Regime]: ...
    def __getitem__(self, index: int | slice) -> Regime | Sequence[Regime]:
        return self.regimes[index]

    def __iter__(self) -> Iterator[Regime]:
        return iter(self.regimes)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters, sorted."""
        return self.assumptions.names

    @property
    def kinds(self) -> tuple[str, ...]:
        """The distinct kinds, in order."""
        return tuple(dict.fromkeys(r.kind for r in self.regimes))

    def where(self, *, kind: str) -> RegimeSet:
        """Return the regimes of a kind (``"pooling"`` matches ``"pooling on beer"``)."""
        kept = tuple(r for r in self.regimes if r.kind == kind or r.kind.startswith((kind + " ", kind + ":")))
        return replace(self, regimes=kept, complete=False)

    def at(self, **values: object) -> tuple[Regime, ...]:
        """Return the regimes that exist at values of the parameters; exact for rationals.

        Raises
        ------
        ParameterError
            If a name is unknown or missing, or the values break an assumption.
        """
        numbers = exact_values(self.assumptions, values)
        for fact in self.assumptions.facts:
            if at_point(fact, numbers) < 0:
                raise ParameterError(f"{values} breaks the assumption {fact.as_expr()} >= 0")
        return tuple(r for r in self.regimes if all(at_point(p, numbers) >= 0 for p in r.case))

    # -- what can be made of it ------------------------------------------------------------------------------------

    def statics(self, event: Event) -> pd.DataFrame:
        """Return the sign of the event's derivative in each parameter, a row per regime (see ``regime_statics``)."""
        return statics_frame(self, event)

    def boundaries(self, event: Event) -> tuple[Boundary, ...]:
        """Return what happens to the event's probability at each boundary of each regime."""
        return boundaries(self, event)

    def compile(self, *events: Event) -> CompiledRegimes:
        """Return conditions and probabilities of events as vectorised NumPy functions."""
        return compile_regimes(self, events)

    def to_frame(self, *events: Event) -> pd.DataFrame:
        """Return a pandas table: a row per regime with its condition, payoffs and the probabilities of events."""
        return frame(self, events)

    def to_markdown(self, *events: Event) -> str:
        """Return a numbered proposition with conditions, strategies, beliefs and a sketch of its proof."""
        return markdown(self, events)

    def to_latex(self, *events: Event) -> str:
        """Return the same for LaTeX (``amsmath``, ``amsthm``, with an environment ``proposition``)."""
        return latex(self, events)

    def plot(
        self, x: str, y: str, *, at: Mapping[str, float], xlim: tuple[float, float], ylim: tuple[float, float]
    ) -> matplotlib.axes.Axes:
        """Draw where each regime exists over two parameters, with exact boundaries."""
        return regime_map(self, x, y, at=at, xlim=xlim, ylim=ylim)

    def __str__(self) -> str:
        lines = [f"{i}. {r}" for i, r in enumerate(self.regimes, 1)]
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])

    def _repr_markdown_(self) -> str:
        return self.to_markdown()

    def _repr_latex_(self) -> str:
        from sympy import latex

        lines = []
        for k, r in enumerate(self.regimes, start=1):
            conditions = ",\\ ".join(chains(r.conditions, latex, " \\le ")) or math_text("always")
            lines.append(f"{math_text(f'{k}. {r.kind}')} &:\\ {conditions}")
        return "$$\\begin{aligned} " + " \\\\ ".join(lines) + " \\end{aligned}$$" if lines else ""


def exact_values(assumptions: Assumptions, values: Mapping[str, object]) -> list[Fraction]:
    """Return values of the parameters as rationals; a float counts as the number that it is."""
    check_names(values, assumptions.names, "these regimes")
    return [Fraction(quantity(values[name], f"parameter {name}")) for name in assumptions.names]


def at_point(poly: Any, numbers: Sequence[Fraction]) -> Fraction:
    """Return a polynomial's value at rational numbers."""
    total = Fraction(0)
    for exponents, c in poly.terms():
        term = Fraction(int(c.numerator), int(c.denominator))
        for x, e in zip(numbers, exponents, strict=True):
            term *= x**e
        total += term
    return total
