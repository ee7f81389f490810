r"""Inequalities in the parameters of a game: what assumptions decide, what splits into cases, what is redundant.

Everything is a rational function of the parameters with rational coefficients. An inequality :math:`n/d \ge 0` is
factored; factors whose sign the assumptions decide are dropped, and what is left becomes a disjunction of
conjunctions of *atoms*, irreducible polynomials that are to be :math:`\ge 0`. Ties (an atom equal to zero) belong to
the closures of both sides and are not cases of their own.

Two ways of reasoning, with different rights. *Sampling* points that satisfy the assumptions can only show that
something is not implied. *Certificates* alone can show that it is: :math:`p = \sum_j \lambda_j P_j` with rational
:math:`\lambda_j \ge 0`, each :math:`P_j` a product of up to three of the known nonnegative polynomials [1]_. The
multipliers come from a linear program over the coefficients of monomials and are confirmed in rational arithmetic.

References
----------
.. [1] D. Handelman, "Representing polynomials by positive linear functions on compact convex polyhedra", Pacific J.
   Math. 132 (1988), 35-62.
"""

from __future__ import annotations

import copyreg
from collections.abc import Iterable, Sequence
from copy import copy
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from deterrence.games.errors import GameError, ParameterError
from deterrence.solvers.symbolic.assumptions import read_assumption
from deterrence.solvers.symbolic.certificates import Certificates, total_degree, variables

Poly: TypeAlias = Any  # element of a SymPy polynomial ring over the rationals
Frac: TypeAlias = Any  # element of its field of fractions
Conjunction: TypeAlias = frozenset[Any]  # of polynomials, each >= 0
Floats: TypeAlias = NDArray[np.float64]

_SAMPLES = 6000
_CASES = 64  # most cases that one inequality or one product of inequalities may split into
_CLOSE = 1e-9  # a polynomial counts as negative at a sample below this share of its terms' sizes

_DERIVED = ("_signs", "_proofs", "_certificates")


def _parts_of_ring(ring: Any) -> tuple[type[Any], tuple[Any, ...]]:
    """Return what a SymPy polynomial ring is made of, for pickle and copy; its own way fails (SymPy 1.14)."""
    return type(ring), (ring.symbols, ring.domain, ring.order)


class Assumptions:
    """What is known about the parameters, and what follows from it.

    Parameters
    ----------
    symbols : sequence of sympy.Symbol
        The parameters.
    given : iterable
        Assumptions: SymPy relations or strings such as ``"0 < p < 1"`` and ``"v_I < w"``.
    positive : iterable of sympy.Expr
        Expressions known to be positive, such as the probabilities of types.

    Raises
    ------
    ParameterError
        If an assumption cannot be read, names an unknown parameter, or contradicts the others.
    """

    def __init__(self, symbols: Sequence[Any], given: Iterable[Any] = (), positive: Iterable[Any] = ()) -> None:
        from sympy import QQ
        from sympy.polys.rings import PolyRing

        copyreg.pickle(PolyRing, _parts_of_ring)
        self.symbols = tuple(sorted(symbols, key=str))
        self.names = tuple(str(s) for s in self.symbols)
        self.domain = QQ.frac_field(*self.symbols)
        self.ring = self.domain.field.ring
        self.facts: tuple[Poly, ...] = ()
        self._signs: dict[Poly, int] = {}
        self._proofs: dict[Any, bool] = {}
        self._certificates = Certificates(self.ring)
        self.stated = tuple(pair for statement in given for pair in read_assumption(statement, self.symbols))
        known: list[Poly] = []
        for expression in (*[larger - smaller for smaller, larger in self.stated], *positive):
            known += self._fact(expression)
        self.facts = tuple(dict.fromkeys(known))
        self.points = self._sample(_SAMPLES)
        self._derive_shares()

    def __getstate__(self) -> dict[str, Any]:
        """Return all but what was derived on the way; it is derived again."""
        return {name: value for name, value in self.__dict__.items() if name not in _DERIVED}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _signs={}, _proofs={}, _certificates=Certificates(state["ring"]))

    # -- numbers ---------------------------------------------------------------------------------------------------

    def fraction(self, expression: Any, what: str = "a payoff or probability") -> Frac:
        """Return an expression as an element of the field; floats count as the decimals that they print as.

        Raises
        ------
        GameError
            If it is no rational function of the parameters.
        """
        import sympy

        exact = sympy.sympify(expression)
        if isinstance(expression, Fraction):
            exact = sympy.Rational(expression.numerator, expression.denominator)
        exact = exact.xreplace({x: sympy.Rational(str(x)) for x in exact.atoms(sympy.Float)})
        try:
            return self.domain.from_sympy(sympy.together(exact))
        except Exception as error:
            raise GameError(
                f"{what} must be a rational function of the parameters for a closed form, got {expression}; "
                "solve the game with numbers, by dt.pbe or dt.sweep"
            ) from error

    def expression(self, value: Frac) -> Any:
        """Return a polynomial or fraction as a short SymPy expression; denominators of known sign are positive."""
        exact = self.domain.field(value)
        forms = [self._factored(exact), 1 - self._factored(1 - exact), exact.as_expr().expand()]
        return min(forms, key=lambda e: (e.count_ops() + (str(e)[0] == "-"), len(str(e))))

    def _factored(self, value: Frac) -> Any:
        """Return a product of factors, each turned so that it is positive if its sign is known."""
        import sympy

        if not value:
            return sympy.Integer(0)
        result, open_ends = sympy.Integer(1), []
        for part, side in ((value.numer, 1), (value.denom, -1)):
            constant, powers = part.factor_list()
            result *= sympy.Rational(int(constant.numerator), int(constant.denominator)) ** side
            for factor, power in powers:
                known = self.sign(factor) if len(factor.terms()) > 1 else 1
                if known < 0:
                    factor, result = -factor, result * (-1) ** power
                open_ends.append((factor, power * side, known))
        if result < 0:  # turn a factor of unknown sign rather than lead with a minus
            for i, (factor, power, known) in enumerate(open_ends):
                if not known and power % 2:
                    open_ends[i], result = (-factor, power, known), -result
                    break
        return sympy.Mul(result, *[factor.as_expr() ** power for factor, power, _ in open_ends])

    def evaluate(self, poly: Poly, points: Floats | None = None) -> tuple[Floats, Floats]:
        """Return a polynomial at the sample points (or others) and the sum of its terms' sizes there."""
        points = self.points if points is None else points
        exponents: tuple[int, ...]
        total, size = np.zeros(len(points)), np.zeros(len(points))
        for exponents, coefficient in poly.terms():
            term = np.full(len(points), float(coefficient))
            for column, exponent in enumerate(exponents):
                if exponent:
                    term = term * points[:, column] ** exponent
            total, size = total + term, size + np.abs(term)
        return total, size

    # -- signs and cases -------------------------------------------------------------------------------------------

    def sign(self, poly: Poly) -> int:
        """Return 1 or -1 if the assumptions prove that sign (zero only at ties), 0 if they leave it open."""
        if poly.is_ground:
            return 0 if not poly else 1 if poly.LC > 0 else -1
        if poly not in self._signs:
            value, size = self.evaluate(poly)
            some_below, some_above = bool((value < -_CLOSE * size).any()), bool((value > _CLOSE * size).any())
            found = 0
            if not some_below and self.implies(poly, frozenset()):
                found = 1
            elif not some_above and self.implies(-poly, frozenset()):
                found = -1
            self._signs[poly] = found
            self._signs[-poly] = -found
        return self._signs[poly]

    def factors(self, value: Frac) -> tuple[int, tuple[Poly, ...]]:
        """Return the sign of what the assumptions decide, and the irreducible factors of odd power left open.

        The sign is 0 for the zero fraction.
        """
        if not value:
            return 0, ()
        sign, left = 1, []
        for part in (value.numer, value.denom):
            constant, powers = part.factor_list()
            sign *= 1 if constant > 0 else -1
            for factor, power in powers:
                if power % 2:
                    known = self.sign(factor)
                    if known:
                        sign *= known
                    else:
                        left.append(factor)
        return sign, tuple(left)

    def cases(self, value: Frac) -> list[Conjunction]:
        """Return the cases in which ``value >= 0``: none if never, one empty conjunction if always."""
        sign, left = self.factors(value)
        if not left:
            return [frozenset()] if sign >= 0 else []
        if 2 ** (len(left) - 1) > _CASES:
            raise GameError(f"an inequality splits into {2 ** (len(left) - 1)} cases; assume the signs of some payoffs")
        return [
            frozenset(f if s > 0 else -f for f, s in zip(left, signs, strict=True))
            for signs in product((1, -1), repeat=len(left))
            if prod(signs) == sign
        ]

    def conjoin(self, disjunctions: Iterable[list[Conjunction]]) -> list[Conjunction]:
        """Return the conjunction of disjunctions as a disjunction of conjunctions that may hold."""
        found: list[Conjunction] = [frozenset()]
        for cases in disjunctions:
            wider = dict.fromkeys(a | b for a in found for b in cases)
            found = [
                c
                for c in wider
                if not any(-p in c for p in c) and (len(wider) == 1 or self.holds_somewhere(c) is not False)
            ]
            if len(found) > _CASES:
                raise GameError(f"the conditions split into more than {_CASES} cases; assume the signs of some payoffs")
            if not found:
                break
        return found

    # -- what follows from what ------------------------------------------------------------------------------------

    def implies(self, poly: Poly, given: Conjunction) -> bool:
        """Return whether a certificate shows ``poly >= 0`` where the assumptions and ``given`` hold."""
        if poly.is_ground:
            return not poly or bool(poly.LC > 0)
        key = poly, given
        if key not in self._proofs:
            self._proofs[key] = not self._counterexample(poly, given) and self._certificates.proves(
                poly, self._with(given)
            )
        return self._proofs[key]

    def holds_somewhere(self, conjunction: Conjunction) -> bool | None:
        """Return whether all atoms can be positive at once: True by a point, False by proof, None if undecided."""
        if not conjunction:
            return True
        key = "somewhere", conjunction
        if key not in self._proofs:
            if self.inside(conjunction).any():
                self._proofs[key] = True
            elif self._certificates.proves(self.ring.zero, self._with(conjunction)):
                self._proofs[key] = False
            elif self._search(conjunction):
                self._proofs[key] = True
            else:
                return None
        return self._proofs[key]

    def inside(self, conjunction: Conjunction) -> NDArray[np.bool_]:
        """Return which sample points satisfy every atom strictly."""
        mask = np.ones(len(self.points), dtype=bool)
        for poly in conjunction:
            value, size = self.evaluate(poly)
            mask &= value > _CLOSE * size
        return mask

    def simplify(self, conjunction: Conjunction) -> Conjunction:
        """Return the conjunction without atoms that the others imply."""
        kept = set(conjunction)
        for poly in sorted(conjunction, key=lambda p: (-len(p.terms()), -p.degree(), str(p))):
            if self.implies(poly, frozenset(kept - {poly})):
                kept.remove(poly)
        return frozenset(kept)

    def merge(self, cases: Sequence[Conjunction]) -> list[Conjunction]:
        """Return the same disjunction with fewer and shorter cases, where proofs allow."""
        left = [self.simplify(c) for c in dict.fromkeys(cases)]
        changed = True
        while changed:
            changed = False
            for i, case in enumerate(left):
                others = [c for j, c in enumerate(left) if j != i]
                if any(all(self.implies(p, case) for p in c) for c in others):
                    left, changed = others, True
                    break
                for atom in case:  # beyond the atom's boundary another case takes over
                    rest = case - {atom}
                    if any(all(self.implies(p, rest | {-atom}) for p in c) for c in others):
                        left[i], changed = self.simplify(rest), True
                        break
                if changed:
                    break
        return left

    def within(self, case: Conjunction) -> Assumptions:
        """Return these assumptions with a case added."""
        if not case:
            return self
        narrower = copy(self)
        narrower.facts = (*self.facts, *sorted(case, key=str))
        narrower._signs, narrower._proofs = {}, {}
        points = self.points[self.inside(case)]
        if len(points) < _SAMPLES // 4:
            points = np.concatenate([points, self._crowd(narrower.facts, points)])
        narrower.points = points
        return narrower

    # -- private: certificates -------------------------------------------------------------------------------------

    def _with(self, given: Conjunction) -> tuple[Poly, ...]:
        return tuple(dict.fromkeys((*self.facts, *sorted(given, key=str))))

    def _counterexample(self, poly: Poly, given: Conjunction) -> bool:
        value, size = self.evaluate(poly)
        below = value < -_CLOSE * size
        return bool(below.any()) and bool((below & self.inside(given)).any())

    # -- private: samples ------------------------------------------------------------------------------------------

    def _sample(self, wanted: int) -> Floats:
        """Return points that satisfy the assumptions, drawn at several scales."""
        rng = np.random.default_rng(20)
        low, high = self._ranges()
        if (low >= high).any():
            raise ParameterError("the assumptions contradict each other")
        order = [pair for p in self.facts if (pair := _smaller_and_larger(p)) is not None]
        found: list[Floats] = []
        for _ in range(60):
            points = _draw(rng, low, high, 4 * wanted)
            for _ in range(len(self.symbols) ** 2 if order else 0):
                for smaller, larger in order:
                    both = points[:, [smaller, larger]]
                    points[:, smaller], points[:, larger] = both.min(axis=1), both.max(axis=1)
            mask = np.ones(len(points), dtype=bool)
            for p in self.facts:
                value, size = self.evaluate(p, points)
                mask &= value > _CLOSE * size
            found.append(points[mask])
            if sum(map(len, found)) >= wanted:
                break
        points = np.concatenate(found)[:wanted]
        if not len(points):
            if self._certificates.proves(self.ring.zero, self.facts):
                raise ParameterError("the assumptions contradict each other")
            raise ParameterError(
                "no parameter values were found that satisfy the assumptions; check them, or state them more simply"
            )
        return points

    def _ranges(self) -> tuple[Floats, Floats]:
        low, high = np.full(len(self.symbols), -np.inf), np.full(len(self.symbols), np.inf)
        for p in self.facts:
            used = variables(p)
            if len(used) == 1 and total_degree(p) == 1:
                (x,) = used
                slope = sum(float(c) for e, c in p.terms() if any(e))
                bound = -sum(float(c) for e, c in p.terms() if not any(e)) / slope
                if slope > 0:
                    low[x] = max(low[x], bound)
                else:
                    high[x] = min(high[x], bound)
        return low, high

    def _search(self, conjunction: Conjunction) -> bool:
        """Climb from the best sample points towards one at which every atom is positive."""
        rng = np.random.default_rng(21)
        atoms = (*self.facts, *conjunction)
        best = self.points
        score = self._slack(atoms, best)
        for step in range(80):
            top = np.argsort(-score)[:60]
            best, score = best[top], score[top]
            if score[0] > _CLOSE:
                self.points = np.concatenate([self.points, best[:1]])
                return True
            spread = 0.5 * 0.93**step
            moved = np.repeat(best, 12, axis=0)
            change = rng.normal(size=moved.shape) * spread * (np.abs(moved) + 0.05)
            moved = moved + change * (rng.random(moved.shape) < 0.4)
            best = np.concatenate([best, moved])
            score = np.concatenate([score, self._slack(atoms, moved)])
        return False

    def _crowd(self, atoms: Sequence[Poly], points: Floats) -> Floats:
        """Return more points like a few that satisfy the atoms, by small random moves."""
        rng = np.random.default_rng(22)
        if not len(points) and self._search(frozenset(atoms)):
            points = self.points[-1:]
        found = points
        while len(points) and len(found) < _SAMPLES // 2:
            base = found[rng.integers(len(found), size=_SAMPLES)]
            moved = base + rng.normal(size=base.shape) * rng.choice([0.03, 0.3], size=(len(base), 1)) * np.abs(base)
            kept = moved[self._slack(atoms, moved) > _CLOSE]
            if not len(kept):
                break
            found = np.concatenate([found, kept])
        return found

    def _slack(self, atoms: Iterable[Poly], points: Floats) -> Floats:
        least = np.full(len(points), np.inf)
        for p in atoms:
            value, size = self.evaluate(p, points)
            least = np.minimum(least, value / np.where(size > 0, size, 1))
        return least

    # -- private: facts --------------------------------------------------------------------------------------------

    def _fact(self, expression: Any) -> list[Poly]:
        """Return polynomials that are nonnegative because the expression is."""
        value = self.fraction(expression, "an assumption")
        if not value.numer or (value.numer.is_ground and value.denom.is_ground):
            if value.numer and (value.numer * value.denom).LC > 0:
                return []
            raise ParameterError(f"the assumption {expression} > 0 never holds")
        return [_primitive(value.numer * value.denom)]

    def _derive_shares(self) -> None:
        """Add that a parameter lies between 0 and 1 where that follows, so that products need not find it."""
        shares = [p for symbol in self.ring.gens for p in (symbol, 1 - symbol) if p not in self.facts]
        extra = [p for p in shares if self.implies(p, frozenset())]
        self.facts = (*extra, *self.facts)
        self._proofs.clear()


def _primitive(poly: Poly) -> Poly:
    content, primitive = poly.primitive()
    return primitive if content > 0 else -primitive


def _smaller_and_larger(poly: Poly) -> tuple[int, int] | None:
    """Return (x, y) if the polynomial is ``c (y - x)``."""
    terms = poly.terms()
    if len(terms) != 2 or any(sum(e) != 1 for e, _ in terms) or terms[0][1] + terms[1][1] != 0:
        return None
    up, down = (e.index(1) for e, _ in sorted(terms, key=lambda term: -term[1]))
    return down, up


def _draw(rng: np.random.Generator, low: Floats, high: Floats, count: int) -> Floats:
    points = np.empty((count, len(low)))
    scale = rng.choice([0.3, 1.0, 3.0], size=count)
    for j, (a, b) in enumerate(zip(low, high, strict=True)):
        if np.isfinite(a) and np.isfinite(b):
            points[:, j] = rng.uniform(a, b, count)
        elif np.isfinite(a):
            points[:, j] = a + scale * rng.exponential(size=count)
        elif np.isfinite(b):
            points[:, j] = b - scale * rng.exponential(size=count)
        else:
            points[:, j] = scale * rng.normal(size=count)
    return points
