"""What a receiver may do after a message that nobody sends, so that nobody sends it: with symbols.

The belief is free there. Some response to some belief must leave every type at most its payoff. Both are questions
whether a polytope is nonempty, hence whether it has a vertex; each vertex is a basic solution of as many ties as there
are responses (types) mixed, and gives one case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import Any

from deterrence.solvers.symbolic.conditions import Conjunction, Frac
from deterrence.solvers.symbolic.tables import Reasons, Support, SymbolicTables, explain, solve_linear, subsets


@dataclass(frozen=True, eq=False)
class Reply:
    """What a receiver may do after an unsent message so that nobody sends it.

    Attributes
    ----------
    message : int
    responses : tuple of tuple of int
        F_q by receiver type.
    play : dict of (q, r) to fraction
        A vertex of the deterrents.
    beliefs : tuple of dict of int to fraction, or None
        For each receiver type a belief that supports the responses.
    cases : list of conjunction
        When this is possible.
    """

    message: int
    responses: tuple[Support, ...]
    play: Mapping[tuple[int, int], Frac]
    beliefs: tuple[Mapping[int, Frac], ...]
    cases: list[Conjunction]


@dataclass(eq=False)
class Deterrents:
    """The replies that deter unsent messages of one game; remembers beliefs.

    Parameters
    ----------
    tables : SymbolicTables
    """

    tables: SymbolicTables
    _rational: dict[tuple[int, int, Support], list[tuple[list[Conjunction], Mapping[int, Frac]]]] = field(
        default_factory=dict
    )

    def replies(self, m: int, values: Sequence[Frac], base: list[Conjunction], reasons: Reasons) -> Iterator[Reply]:
        """Yield the vertices of the responses that some belief supports and that no type prefers to its payoff."""
        assume, (T, Q, _, _) = self.tables.assumptions, self.tables.shape
        most = T + 1
        options = [[(f, self._beliefs(q, m, f)) for f in subsets(self.tables.kept[q, m], most)] for q in range(Q)]
        options = [[(f, found) for f, found in choices if found] for choices in options]
        ordered = sorted(product(*options), key=lambda choice: sum(len(f) for f, _ in choice))
        certain = False
        for choice in ordered:
            chosen = tuple(f for f, _ in choice)
            mixed = sum(len(f) - 1 for f in chosen)
            if mixed > T or (certain and mixed):
                continue
            supported = [assume.merge([c for cases, _ in found for c in cases]) for _, found in choice]
            for tight in combinations(range(T), mixed):
                reply = self._reply(m, chosen, tight, values, supported, choice, base, reasons)
                if reply is not None:
                    certain = certain or any(not c for c in reply.cases)
                    yield reply

    def _reply(
        self,
        m: int,
        chosen: tuple[Support, ...],
        tight: Support,
        values: Sequence[Frac],
        supported: list[list[Conjunction]],
        choice: Any,
        base: list[Conjunction],
        reasons: Reasons,
    ) -> Reply | None:
        assume, domain, names = self.tables.assumptions, self.tables.assumptions.domain, self.tables.game
        keys = [(q, r) for q, f in enumerate(chosen) for r in f]
        rows: list[Any] = [{(q, r): domain.one for r in f} for q, f in enumerate(chosen)]
        right = [domain.one] * len(rows)
        for t in tight:
            rows.append({(q, r): self.tables.view[t, q] * self.tables.u[t, q, m, r] for q, r in keys})
            right.append(values[t])
        play = solve_linear(keys, rows, right, domain)
        if isinstance(play, str):
            return None
        if not all(play.values()):
            return None
        demands = list(supported)
        for (q, r), x in play.items():
            if len(chosen[q]) > 1:
                demands.append(assume.cases(x))
                explain(reasons, demands[-1], f"{names.responses[r]} deters {names.messages[m]} with some probability")
        for t in range(self.tables.shape[0]):
            if t not in tight:
                paid = sum(
                    (self.tables.view[t, q] * x * self.tables.u[t, q, m, r] for (q, r), x in play.items()), domain.zero
                )
                demands.append(assume.cases(values[t] - paid))
                explain(reasons, demands[-1], f"{names.types[t]} does not gain by sending {names.messages[m]}")
        if not all(demands):
            return None
        cases = [c for c in assume.conjoin(sorted(demands, key=len)) if assume.holds_somewhere(c) is not False]
        cases = [c for c in cases if any(assume.holds_somewhere(c | b) is not False for b in base)]
        if not cases:
            return None
        for cases_by_belief in supported:
            explain(reasons, cases_by_belief, f"some belief after {names.messages[m]} supports the response")
        beliefs = tuple(found[0][1] for _, found in choice)
        return Reply(m, chosen, play, beliefs, assume.merge(cases))

    def _beliefs(self, q: int, m: int, chosen: Support) -> list[tuple[list[Conjunction], Mapping[int, Frac]]]:
        """Return vertices of the beliefs at which all of ``chosen`` is optimal, each with its cases.

        One that supports it everywhere is enough.
        """
        key = q, m, chosen
        if key not in self._rational:
            assume, domain, T = self.tables.assumptions, self.tables.assumptions.domain, self.tables.shape[0]
            found: list[tuple[list[Conjunction], Mapping[int, Frac]]] = []
            others = [r for r in self.tables.kept[q, m] if r not in chosen]
            ties = [(*chosen, *more) for size in range(len(others) + 1) for more in combinations(others, size)]
            for tied in ties:
                for types in combinations(range(T), len(tied)):
                    rows: list[Any] = [dict.fromkeys(types, domain.one)]
                    right = [domain.one]
                    for r in tied[1:]:
                        rows.append({t: self.tables.v[t, q, m, tied[0]] - self.tables.v[t, q, m, r] for t in types})
                        right.append(domain.zero)
                    belief = solve_linear(list(types), rows, right, domain)
                    if isinstance(belief, str):
                        continue
                    if not all(belief.values()):
                        continue
                    demands = [assume.cases(x) for x in belief.values()] if len(types) > 1 else []
                    for r in others:
                        if r not in tied:
                            gain = sum(
                                (
                                    x * (self.tables.v[t, q, m, tied[0]] - self.tables.v[t, q, m, r])
                                    for t, x in belief.items()
                                ),
                                domain.zero,
                            )
                            demands.append(assume.cases(gain))
                    if all(demands):
                        cases = [
                            c
                            for c in assume.conjoin(sorted(demands, key=len))
                            if assume.holds_somewhere(c) is not False
                        ]
                        if cases:
                            found.append((cases, belief))
            certain = [pair for pair in found if any(not c for c in pair[0])]
            self._rational[key] = certain[:1] or found
        return self._rational[key]

    def rationalisable(self, q: int, m: int, r: int) -> bool:
        """Return whether a response may be best at some belief, somewhere under the assumptions."""
        return bool(self._beliefs(q, m, (r,)))
