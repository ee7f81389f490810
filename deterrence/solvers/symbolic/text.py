"""Conditions for people: solved for a parameter, positive terms first, inequalities joined to chains."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from deterrence.games.values import Value
from deterrence.solvers.symbolic.conditions import Assumptions, Conjunction

Expr = Any  # sympy.Expr

_PLAIN = 1.5  # an inequality solved for a symbol that is no probability must be this much shorter to be preferred


@dataclass(frozen=True, eq=False)
class Condition(Value):
    """One inequality between expressions in the parameters.

    Attributes
    ----------
    smaller, larger : sympy.Expr
        The condition is ``smaller <= larger``.
    reasons : tuple of str
        The incentive constraints, or probabilities, that it comes from.
    needed : bool
        Whether a point shows that the other conditions and the assumptions do not imply it. Otherwise it may be
        redundant: neither a point nor a proof was found.
    """

    smaller: Expr
    larger: Expr
    reasons: tuple[str, ...]
    needed: bool = True
    atom: Any = field(default=None, repr=False)

    @property
    def relation(self) -> Any:
        """The condition as a SymPy relation."""
        import sympy

        return sympy.Le(self.smaller, self.larger)

    def __str__(self) -> str:
        return f"{plain(self.smaller)} <= {plain(self.larger)}"


def conditions_of(
    assume: Assumptions,
    case: Conjunction,
    reasons: Mapping[Any, Sequence[str]],
    likely: Collection[str],
    given: Conjunction = frozenset(),
) -> tuple[Condition, ...]:
    """Return a conjunction of atoms as inequalities for people, the shortest first.

    Parameters
    ----------
    assume : Assumptions
    case : conjunction
    reasons : mapping of atom to sequence of str
    likely : collection of str
        Parameters to solve for if possible.
    given : conjunction
        What holds anyway.
    """
    found = []
    for atom in case:
        rest = (case | given) - {atom}
        needed = (
            bool((assume.inside(rest) & assume.inside(frozenset({-atom}))).any())
            or assume.holds_somewhere(rest | {-atom}) is True
        )
        smaller, larger = _sides(assume, atom, likely)
        found.append(Condition(smaller, larger, tuple(reasons.get(atom, ())), needed, atom))
    return tuple(sorted(found, key=lambda c: (len(str(c)), str(c))))


def _sides(assume: Assumptions, atom: Any, likely: Collection[str]) -> tuple[Any, Any]:
    """Return an atom ``>= 0`` as (smaller, larger), solved for a parameter where that is shorter."""
    terms = [(exponents, c) for exponents, c in atom.terms()]
    plus = assume.ring.from_dict({e: c for e, c in terms if c > 0}).as_expr()
    minus = -assume.ring.from_dict({e: c for e, c in terms if c < 0}).as_expr()
    best, best_cost = (minus, plus), float(minus.count_ops() + plus.count_ops() + _PLAIN)
    for j, symbol in enumerate(assume.symbols):
        if max(e[j] for e, _ in terms) != 1:
            continue
        slope = assume.ring.from_dict({(*e[:j], 0, *e[j + 1 :]): c for e, c in terms if e[j]})
        rest = assume.ring.from_dict({e: c for e, c in terms if not e[j]})
        sign, left = assume.factors(assume.domain.field(slope))
        if left or not sign:
            continue
        bound = assume.expression(-assume.domain.field(rest) / assume.domain.field(slope))
        cost = bound.count_ops() + bound.could_extract_minus_sign() + (0 if str(symbol) in likely else 1) + 0.01 * j
        if cost < best_cost:
            best, best_cost = ((bound, symbol) if sign > 0 else (symbol, bound)), cost
    return best


def chains(conditions: Sequence[Any], show: Callable[[Any], str], sign: str) -> list[str]:
    """Return conditions as text, joined to chains such as ``v_I <= k <= w`` where one ends as another begins."""
    left = list(conditions)
    found = []
    while left:
        first = left.pop(0)
        chain = [first.smaller, first.larger]
        grown = first.larger.is_Symbol or first.smaller.is_Symbol
        while grown:
            grown = False
            for other in left:
                if chain[-1].is_Symbol and other.smaller == chain[-1]:
                    chain.append(other.larger)
                elif chain[0].is_Symbol and other.larger == chain[0]:
                    chain.insert(0, other.smaller)
                else:
                    continue
                left.remove(other)
                grown = True
                break
        found.append(sign.join(show(x) for x in chain))
    return found


def plain(expression: Any) -> str:
    """Return an expression as it is typed, positive terms first."""
    return str(_printers()[0].doprint(expression))


def typeset(expression: Any) -> str:
    """Return an expression in LaTeX, positive terms first."""
    return str(_printers()[1].doprint(expression))


@lru_cache(maxsize=1)
def _printers() -> tuple[Any, Any]:
    from sympy.printing.latex import LatexPrinter
    from sympy.printing.str import StrPrinter

    def positive_first(printer: Any) -> Any:
        class Printer(printer):  # type: ignore[misc]
            """A printer that never begins a sum with a minus if it can help it."""

            def _as_ordered_terms(self, expr: Any, order: Any = None) -> list[Any]:
                terms = super()._as_ordered_terms(expr, order=order)
                return sorted(terms, key=lambda term: bool(term.could_extract_minus_sign()))

        return Printer()

    return positive_first(StrPrinter), positive_first(LatexPrinter)
