"""A published model: a game, a table of parameters, a closed form, and how quantities are read off a solution.

This is the one file of the library that calls solvers. A model file says what the game is; ``closed_form`` gives its
quantities by formula, ``solved`` gives the same quantities from the package's solvers, which know none of the
formulas.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.games.answers import BlockAnswer
from deterrence.games.continuous import ContinuousGame
from deterrence.games.display import Display
from deterrence.games.equilibrium import Equilibrium, EquilibriumSet
from deterrence.games.errors import GameError, ParameterError, SolverError
from deterrence.games.events import Event
from deterrence.games.immutable import Immutable
from deterrence.games.parameters import Parameter
from deterrence.games.quantities import as_float
from deterrence.games.services import service
from deterrence.games.signaling import SignalingGame
from deterrence.games.values import Value
from deterrence.models.blocks import NoEquilibrium, Points, Reasons, answer_of_batch, answer_of_points, gather, spread
from deterrence.models.parameter_table import Choice, Entry, flat, nest
from deterrence.models.registry import REGISTRY, library_model
from deterrence.models.variants import (
    Values,
    Variant,
    check_symbols,
    fitting,
    groups,
    pick,
    random_values,
    swept_names,
    values_of,
)
from deterrence.solvers.concepts import ChosenConcept, choose_concept

PROPOSED = "candidate"  # the concept of a model that proposes an equilibrium, to be certified


@dataclass(frozen=True)
class Candidate:
    """A profile of a game that a paper calls an equilibrium.

    Attributes
    ----------
    game : SignalingGame
    profile : SignalingProfile
        Strategies and beliefs, off the path too.
    kind : str
        What the paper calls it.
    """

    game: Any
    profile: Any
    kind: str

    def _repr_html_(self) -> str:
        return f"<p>{self.kind} of {self.game!r}</p>"


class Model(Immutable, Value, Display):
    """A parametric game from the literature, or one of your own.

    Parameters
    ----------
    name : str
        Short name; the catalogue's id if no other is given.
    game : game or callable
        A game object with symbols for its parameters, or a function of the parameters that returns a game (or a
        mapping of several games that the model's quantities need).
    parameters : sequence of Parameter
        The table; ``Series`` and ``Choice`` for parameters that are no single number, dotted names for entries of
        structured ones.
    events : sequence of str, or mapping of str to event
        What a user asks the probability of; a mapping gives each name its event in the game.
    source : str
        Citation.
    id, title, mechanism : str, optional
        As the catalogue shows them.
    concept : str, optional
        ``"pbe"``, ``"spe"``, ``"sequential"``, ``"nash"``, ``"qre"``, ``"participation"``, ``"cutpoints"`` (continuous
        games), ``"persuasion"``, ``"candidate"`` (a proposed equilibrium, certified); by default what fits the game.
    confidence : {"A", "B", "C"}
        A: as published; B: published, with a special case or normalisation chosen here; C: made here to express a
        mechanism.
    closed_form, read, critical, draw, arrays, takes
        Of the plain variant; see ``Variant``.
    requires : sequence of str
        Orderings of parameters that must hold, such as ``"v_I < w < v_R"``.
    variants : sequence of Variant
        Further forms, asked for by ``mode`` or by their own parameters.
    formulas : mapping of str to str
        LaTeX of the main results, by what each gives.
    differs : str
        What was normalised, or differs from the source.
    one_route : str
        Why there is only one of closed form and solver, where that is so.

    Raises
    ------
    GameError
        If the parameters of a game object are not those of the table.

    Examples
    --------
    >>> import deterrence as dt
    >>> w = dt.symbols("w")
    >>> crisis = dt.ExtensiveGame(("A", "D"), dt.move("A", {
    ...     "refrain": dt.end("peace", A=0, D=1),
    ...     "attack": dt.move("D", {"fight": dt.end("war", A=-1, D=w), "yield": dt.end("conquest", A=1, D=0)})}))
    >>> model = Model("crisis", crisis, [dt.Parameter("w", 0.5, -1, 1)], ("attack",), "textbook")
    >>> model.solve(w=-0.5).probability("attack")
    (1.0, 1.0)
    """

    def __init__(
        self,
        name: str,
        game: Any,
        parameters: Sequence[Entry],
        events: Sequence[str] | Mapping[str, Event] = (),
        source: str = "",
        *,
        id: str | None = None,
        title: str | None = None,
        mechanism: str = "",
        concept: str = "",
        confidence: str = "",
        closed_form: Callable[..., Values] | None = None,
        read: Callable[[Any, Values], Values] | None = None,
        critical: Callable[..., ContinuousGame] | None = None,
        requires: Sequence[str] = (),
        draw: Callable[[np.random.Generator], Values] | None = None,
        arrays: bool = False,
        takes: Sequence[str] = (),
        variants: Sequence[Variant] = (),
        formulas: Mapping[str, str] | None = None,
        differs: str = "",
        one_route: str = "",
    ) -> None:
        self.name = name
        self.id = id or name
        self.title = title or name
        self.source = source
        self.mechanism = mechanism
        self.confidence = confidence
        self.parameters = tuple(parameters)
        self.event_map: Mapping[str, Event] = dict(events) if isinstance(events, Mapping) else {e: e for e in events}
        self.requires = tuple(requires)
        self.formulas = dict(formulas or {})
        self.differs = differs
        self.one_route = one_route
        self.concept = concept
        fixed = None if callable(game) else game
        if fixed is not None:
            check_symbols(fixed, self.parameters, name)
        if concept not in ("", PROPOSED):
            choose_concept(concept, fixed)
        first = Variant(
            game=game if fixed is None else fixed.at,
            closed_form=closed_form,
            read=read,
            critical=critical,
            concept=concept,
            draw=draw,
            arrays=arrays or isinstance(fixed, SignalingGame) or (fixed is not None and concept == "pbe"),
            takes=tuple(takes),
        )
        self.variants = (first, *variants)
        self._freeze()

    # -- the game and its quantities -------------------------------------------------------------------------------

    def game(self, **params: Any) -> Any:
        """Return the game at parameter values (defaults for the rest): a game object, or a mapping of several.

        Raises
        ------
        ParameterError
            If a name is unknown, a value out of range, or an ordering violated.
        """
        variant, values = self._resolve(params)
        return variant.game(**values)

    def solve(self, **params: Any) -> Any:
        """Return what the solver finds: an ``EquilibriumSet``, or the solutions of a continuous game.

        Raises
        ------
        ParameterError
            If the parameters are not admissible.
        SolverError
            If the solver fails.
        """
        variant, values = self._resolve(params)
        return self._solve(variant.game(**values), variant.concept or self.concept)

    def closed_form(self, **params: Any) -> Values:
        """Return the model's quantities by formula.

        Raises
        ------
        ParameterError
            If the parameters are not admissible.
        GameError
            If the model has no closed form; ``one_route`` says why.
        """
        return self._quantities(params, self._by_formula)

    def solved(self, **params: Any) -> Values:
        """Return the same quantities from the numerical solvers, which know none of the formulas.

        Raises
        ------
        ParameterError
            If the parameters are not admissible.
        SolverError
            If a solver fails.
        GameError
            If the quantities cannot be read off a solution; ``one_route`` says why.
        """
        return self._quantities(params, self._by_solver)

    def check(self, **params: Any) -> Values:
        """Return all parameter values, or raise ParameterError that states the range or the ordering required."""
        return self._resolve(params)[1]

    def draw(self, rng: np.random.Generator, mode: str | None = None) -> Values:
        """Return random admissible parameters, of a mode if one is given."""
        variant = pick(self.variants, self.parameters, {} if mode is None else {"mode": mode}, self.id)
        return self.draw_variant(variant, rng)

    def draw_variant(self, variant: Variant, rng: np.random.Generator) -> Values:
        """Return random admissible parameters of a variant, its mode among them."""
        values = random_values(variant, self.parameters, self.requires, rng, self.id)
        return {"mode": variant.name, **values} if variant.name else values

    # -- what the catalogue and sweeps ask ---------------------------------------------------------------------------

    @property
    def events(self) -> tuple[str, ...]:
        """Names of the events that a user asks about."""
        return tuple(self.event_map)

    @property
    def modes(self) -> tuple[str, ...]:
        """What ``mode`` may say."""
        return tuple(v.name for v in self.variants if v.name)

    @property
    def routes(self) -> tuple[str, ...]:
        """Which of ``"closed_form"`` and ``"solved"`` every variant has."""
        formula = all(v.closed_form is not None for v in self.variants)
        solver = all(v.read is not None for v in self.variants)
        return (("closed_form",) if formula else ()) + (("solved",) if solver else ())

    @cached_property
    def sweep_names(self) -> tuple[str, ...]:
        """Parameters that may be swept: those that are numbers, entries of structured ones under dotted names."""
        return tuple(entry.name for entry in self.parameters if isinstance(entry, Parameter))

    def sweep(self, over: Mapping[str, Any], **options: Any) -> Any:
        """Sweep parameters: the same as ``deterrence.sweep(model, over=..., ...)``."""
        return service("sweep")(self, over=over, **options)

    def answer(
        self,
        values: Mapping[str, NDArray[Any]],
        *,
        at: Mapping[str, object] | None = None,
        events: Sequence[str] = ("attack",),
        concept: Any = None,
        settle: bool = True,
    ) -> BlockAnswer:
        """Return the model's answers at n points at once, over all equilibria.

        Signaling games are solved as arrays. Other games are answered point by point, by closed form where there is one
        (``concept=None``), by the solver otherwise or if ``concept`` names one.

        Parameters
        ----------
        values : mapping of str to ndarray, shape (n,)
            Swept parameters.
        at : mapping, optional
            Other parameters, the mode among them.
        events : sequence of str
            Names of ``events``, of the game's own events, or of quantities of the closed form.
        concept : str, optional
            Another solution concept.
        settle : bool
            Without effect, kept for older code: ties of signaling games are always settled.

        Raises
        ------
        ParameterError
            If a name is unknown or cannot be swept.
        """
        unknown = [name for name in values if name not in self.sweep_names]
        if unknown:
            raise ParameterError(f"{self.id} cannot sweep {unknown[0]!r}; it can sweep {', '.join(self.sweep_names)}")
        arrays = {name: np.asarray(x, dtype=np.float64) for name, x in values.items()}
        given = {**flat(dict(at or {})), **arrays}
        variant = pick(self.variants, self.parameters, given, self.id)
        own = variant.concept or self.concept or ("pbe" if variant.arrays else "")
        other = None if concept is None else _other_concept(concept, own)
        points = Points(given, arrays)
        bare = variant.closed_form is None and variant.read is None
        if other is not None or (bare and not variant.arrays):
            return answer_of_points(lambda point: self._chances(point, events, other or own), points, events)
        if variant.arrays:
            return self._batch(variant, given, points, events)
        route = self._by_solver if concept is not None or variant.closed_form is None else self._by_formula
        return answer_of_points(lambda point: self._quantities(point, route), points, events)

    def check_concept(self, concept: Any, given: Sequence[str] = ()) -> None:
        """Raise ParameterError unless a concept serves the form of the model's game.

        Parameters
        ----------
        concept : str or concept
        given : sequence of str
            Names of the parameters that are given, which tell the variant.
        """
        names = {name.split(".")[0] for name in given} - {"mode"}
        for variant in self.variants:
            if names <= set(groups(variant, self.parameters)):
                game = variant.game(**values_of(variant, self.parameters, self.requires, {}, self.id))
                if isinstance(game, Mapping):
                    raise ParameterError(
                        f"{self.id} makes several games ({', '.join(game)}), solved by its own concepts"
                    )
                choose_concept(concept, game)
                return

    def spec(self) -> dict[str, Any]:
        """Return what identifies the model: id, parameters and defaults, as JSON-able data."""
        defaults = {e.name: list(e.default) if isinstance(e.default, tuple) else e.default for e in self.parameters}
        return {
            "model": self.id,
            "source": self.source,
            "defaults": defaults,
            "concept": self.concept,
            "modes": list(self.modes),
        }

    def __reduce__(self) -> Any:
        if self.id in REGISTRY and library_model(self.id) is self:
            return library_model, (self.id,)  # another process makes its own
        return super().__reduce__()

    def __repr__(self) -> str:
        return f"Model({self.id!r}, {self.title!r}, {self.source!r})"

    def _repr_html_(self) -> str:
        return _html(self)

    def _repr_latex_(self) -> str:
        return "\n".join(f"$${latex}$$" for latex in self.formulas.values())

    # -- private -----------------------------------------------------------------------------------------------------

    def _resolve(self, params: Mapping[str, Any]) -> tuple[Variant, Values]:
        variant = pick(self.variants, self.parameters, params, self.id)
        return variant, values_of(variant, self.parameters, self.requires, params, self.id)

    def _quantities(self, params: Mapping[str, Any], route: Callable[[Variant, Values], Values]) -> Values:
        swept = swept_names(pick(self.variants, self.parameters, params, self.id), self.parameters, params)
        if not swept:
            return route(*self._resolve(params))
        warnings.warn(
            f"{self.id} is asked for its quantities at lists of {', '.join(swept)}; ask point by point, or sweep: "
            "model.sweep(over={...})",
            DeprecationWarning,
            stacklevel=3,
        )
        lists = flat(params)
        lengths = {len(lists[name]) for name in swept}
        if len(lengths) > 1 or 0 in lengths:
            raise ParameterError(
                f"lists of a sweep must have one length, got {', '.join(swept)} of lengths {sorted(lengths)}"
            )
        points = [nest({n: x[i] if n in swept else x for n, x in lists.items()}) for i in range(lengths.pop())]
        found: Values = gather([route(*self._resolve(point)) for point in points])
        return found

    def _by_formula(self, variant: Variant, values: Values) -> Values:
        if variant.closed_form is None:
            raise GameError(f"{self.id} has no closed form{self._why()}")
        return variant.closed_form(**values)

    def _by_solver(self, variant: Variant, values: Values) -> Values:
        if variant.read is None:
            raise GameError(f"the quantities of {self.id} are not read off a solution{self._why()}")
        found = variant.read(self._solve(variant.game(**values), variant.concept or self.concept), values)
        if variant.critical is None:
            return found
        unknowns = variant.critical(**values)
        solutions = self._solve(unknowns, "")
        return {**found, **(solutions[0] if solutions else dict.fromkeys(unknowns.unknowns))}

    def _solve(self, game: Any, concept: Any) -> Any:
        if isinstance(game, Mapping):
            return {key: self._solve(part, concept) for key, part in game.items()}
        if isinstance(game, Candidate):
            return _certify(game)
        return choose_concept(None if isinstance(game, ContinuousGame) else concept or None, game)(game)

    def _batch(self, variant: Variant, given: Mapping[str, Any], points: Points, events: Sequence[str]) -> BlockAnswer:
        """Return the answer of one batch of games, solved as arrays where the parameters are admissible."""
        from deterrence.solvers.pbe import pbe

        asked = {name: self.event_map.get(name, name) for name in events}
        fine = fitting(variant, self.parameters, self.requires, given, len(points))
        inside = np.flatnonzero(fine)
        reasons = Reasons(partial(_checked, self), points, np.flatnonzero(~fine))
        if not inside.size:
            none = np.zeros(0)
            nowhere = BlockAnswer(
                low=dict.fromkeys(events, none),
                high=dict.fromkeys(events, none),
                count=none.astype(np.int64),
                kinds={},
                status=none.astype(np.uint8),
            )
            return spread(nowhere, inside, len(points), reasons)
        some = {n: x[inside] if isinstance(x, np.ndarray) else x for n, x in given.items()}
        game = variant.game(**values_of(variant, self.parameters, self.requires, some, self.id))
        found: Any = pbe(game)
        return spread(answer_of_batch(found, asked, inside.size), inside, len(points), reasons)

    def _chances(self, point: Values, events: Sequence[str], concept: Any) -> Values:
        """Return the range of each event over each equilibrium of another concept."""
        variant, values = self._resolve(point)
        solution = self._solve(variant.game(**values), concept)
        asked = {name: self.event_map.get(name, name) for name in events}
        if not isinstance(solution, EquilibriumSet):  # the play of levels: no equilibrium, but it has chances
            return {f"P_{name}": tuple(solution.probability(event)) for name, event in asked.items()}
        if not solution:
            raise NoEquilibrium(
                f"the set of {solution.concept} equilibria is empty, so no event has a probability in it"
            )
        return {
            f"{i + 1}. {e.kind}": {f"P_{name}": e.probability_range(event) for name, event in asked.items()}
            for i, e in enumerate(solution)
        }

    def _why(self) -> str:
        return f": {self.one_route}" if self.one_route else ""


def _checked(model: Model, point: Mapping[str, Any]) -> None:
    model.check(**point)


def _other_concept(concept: Any, own: str) -> ChosenConcept | None:
    """Return the concept that a user asks for; None if it is the model's own."""
    chosen = choose_concept(concept)
    return None if own not in ("", PROPOSED) and chosen.label == choose_concept(own).label else chosen


def _certify(candidate: Candidate) -> EquilibriumSet:
    """Return a proposed equilibrium, certified, as a set of one that can be refined."""
    from deterrence.solvers.refinements import refine
    from deterrence.solvers.verify import verify

    certificate = verify(candidate.game, candidate.profile)
    # payoffs of a proposal are computed, some at a root that was searched for: a gain within their rounding is none
    size = max(float(np.abs(as_float(payoffs)).max()) for payoffs in (candidate.game.U, candidate.game.V))
    rounded = certificate.max_regret <= 1e-12 * size and certificate.max_belief_error <= 1e-9
    if not (certificate.sequentially_rational or rounded):
        raise SolverError(
            f"the proposed profile is no equilibrium: some player gains {certificate.max_regret:.2e} by deviating"
        )
    one = Equilibrium(
        game=candidate.game,
        concept="pbe",
        kind=candidate.kind,
        profile=candidate.profile,
        certificate=certificate,
        refine=refine,
    )
    return EquilibriumSet(game=candidate.game, concept="pbe", method="proposed", equilibria=(one,), complete=False)


def _html(model: Any) -> str:
    """Return a model as HTML; formulas are LaTeX, which Jupyter sets."""
    parts = [
        f"<h3>{escape(model.title)} <small>({escape(model.id)})</small></h3>",
        f"<p>{escape(model.source)}. {escape(model.mechanism)}</p>",
    ]
    if model.differs:
        parts.append(f"<p>Differs from the source: {escape(model.differs)}</p>")
    rows = "".join(_row_html(entry) for entry in model.parameters)
    heads = "".join(f'<th scope="col">{h}</th>' for h in ("parameter", "default", "range", "unit", "meaning"))
    parts.append(f'<table aria-label="parameters"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>')
    parts += [f"<p>{escape(what)}: $${latex}$$</p>" for what, latex in model.formulas.items()]
    parts.append(_game_html(model.game()))
    return "\n".join(part for part in parts if part)


def _row_html(entry: Entry) -> str:
    if isinstance(entry, Choice):
        cells = (entry.name, entry.default, " | ".join(entry.options), "", entry.meaning)
    else:
        cells = (entry.name, str(entry.default), f"[{entry.low:g}, {entry.high:g}]", entry.unit, entry.meaning)
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _game_html(game: Any) -> str:
    if isinstance(game, dict):
        return "\n".join(f"<h4>{escape(str(name))}</h4>{_game_html(part)}" for name, part in game.items())
    if hasattr(game, "_repr_html_"):
        return str(game._repr_html_())
    return f"<pre>{escape(repr(game))}</pre>"
