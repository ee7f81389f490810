"""Every perfect Bayesian equilibrium of one signaling game: cells, supports, components, certificates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from deterrence.games.equilibrium import Equilibrium, EquilibriumSet, Verdict
from deterrence.games.errors import SolverError
from deterrence.games.signaling import SignalingGame
from deterrence.solvers.algebra.polytopes import members, support
from deterrence.solvers.budget import Budget
from deterrence.solvers.refinements import refine
from deterrence.solvers.signaling.cells import Tables, all_messages
from deterrence.solvers.signaling.components import Component, components
from deterrence.solvers.signaling.supports import supports
from deterrence.solvers.signaling.vertices import Vertices
from deterrence.solvers.verify import verify

_ALL_VERTICES = 8  # of a component with more, certified are those that show every gainful deviation there is
_WORTH = 100  # combinations of supports that take as long as one component
_ROUNDING = 1e-12  # of probabilities in floats, and of regrets relative to what is compared; exact ones are held to 0


def signaling_equilibria(
    game: SignalingGame, *, exact: bool, tol: float, limit: int, time_limit: float | None = None
) -> EquilibriumSet:
    """Find every perfect Bayesian equilibrium of one game with numbers.

    Parameters
    ----------
    game : SignalingGame
        No batch, no free parameters.
    exact : bool
        Whether results are rational numbers; they are found in exact arithmetic either way.
    tol : float
        Payoffs of one player within ``tol`` of each other, as a share of their own size, are made one number first.
    limit : int
        Most combinations of supports to look at, and a hundred times that of components.
    time_limit : float, optional
        Seconds after which the search stops.

    Returns
    -------
    EquilibriumSet
        Complete unless the time was over; each certified against the payoffs as merged.
        ``options["tolerance_matters"]`` says, if ``tol`` is not 0, whether the numbers as they stand have another set
        of equilibria: other kinds, supports or vertices.

    Raises
    ------
    GameError
        If the game is larger than ``limit``.
    SolverError
        If a result fails its certificate.
    """
    numeric = game.exact() if exact else game.floats()
    tables = Tables.of(game, tol)
    budget = Budget("pbe", time_limit=time_limit, unit="steps")
    found = _components(tables, limit, budget)
    options: dict[str, object] = {"exact": exact, "tol": tol, "limit": limit, "time_limit": time_limit}
    if tol:
        merged = tables.game != game.exact()
        options["tolerance_matters"] = merged and not _alike(found, _components(Tables.of(game), limit, budget))
    budget.close()
    if budget.ended:
        budget.skip(f"combinations of supports left at {budget.reason}")
        options["unsearched"] = tuple(budget.unsearched)
    if not found and not budget.ended:
        raise SolverError(f"pbe found no equilibrium of {game!r}, but one exists: please report this game")
    return EquilibriumSet(
        game=numeric,
        concept="pbe",
        method="cells of beliefs, supports, vertices",
        equilibria=tuple([_certified(numeric, tables, component, exact) for component in found]),
        complete=not budget.ended,
        options=options,
    )


def kind_of(sends: Sequence[Sequence[int]], types: Sequence[str], messages: Sequence[str]) -> str:
    """Return in words what the types do that send these messages, each with positive probability."""
    mixers = [name for name, sent in zip(types, sends, strict=True) if len(sent) > 1]
    if mixers:
        return f"semi-separating: {', '.join(mixers)} {'mixes' if len(mixers) == 1 else 'mix'}"
    distinct = {sent[0] for sent in sends}
    if len(distinct) == 1:
        return f"pooling on {messages[sends[0][0]]}"
    return "separating" if len(distinct) == len(sends) else "partially pooling"


def _kinds(component: Component, game: SignalingGame) -> tuple[str, ...]:
    """Return every kind that occurs on a component, the interior's first.

    A point's support is the union of the supports of the vertices that it is an average of.
    """
    T, M = len(game.types), len(game.messages)
    full = (1 << M) - 1
    found = {support(point) for point in component.senders}
    fresh = list(found)
    corners = list(found)
    while fresh:
        mask = fresh.pop()
        for other in corners:
            union = mask | other
            if union not in found:
                found.add(union)
                fresh.append(union)
    names = {kind_of([members(mask >> t * M & full) for t in range(T)], game.types, game.messages) for mask in found}
    interior = kind_of([members(mask) for mask in component.sends], game.types, game.messages)
    return (interior, *sorted(names - {interior}))


def _components(tables: Tables, limit: int, budget: Budget) -> list[Component]:
    messages = all_messages(tables, limit)
    return components(tables, messages, supports(tables, messages, limit, budget), limit // _WORTH, budget)


def _certified(game: SignalingGame, tables: Tables, component: Component, exact: bool) -> Equilibrium:
    vertices = Vertices(tables, component, exact=exact)
    equilibrium = Equilibrium(
        game=game,
        concept="pbe",
        kind=kind_of([members(mask) for mask in component.sends], game.types, game.messages),
        kinds=_kinds(component, game),
        profile=vertices.interior(),
        vertices=vertices,
        refine=_refine,
    )
    checked = equilibrium
    if len(vertices) > _ALL_VERTICES:
        checked = replace(equilibrium, vertices=tuple(vertices.covering()))
    certificate = verify(tables.game, checked, tol=_ROUNDING)
    allowed = 0 if exact else _ROUNDING
    if not certificate.sequentially_rational or certificate.max_belief_error > allowed:
        raise SolverError(
            f"an equilibrium of {game!r} ({equilibrium.kind}) fails its certificate: "
            f"regret {float(certificate.max_regret):.3g}, belief error {float(certificate.max_belief_error):.3g}",
            residual=float(certificate.max_regret),
        )
    return replace(equilibrium, certificate=certificate)


def _alike(some: Iterable[Component], others: Iterable[Component]) -> bool:
    """Whether two sets of components have the same supports and as many vertices."""

    def outline(component: Component) -> object:
        return component.sends, component.responds, len(component.senders), [len(f) for f in component.receivers]

    return [outline(c) for c in some] == [outline(c) for c in others]


def _refine(equilibrium: Equilibrium, name: str, siblings: Sequence[Equilibrium] | None) -> Verdict:
    return refine(equilibrium, name, siblings)
