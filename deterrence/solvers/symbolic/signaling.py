r"""All perfect Bayesian equilibria of a signaling game with symbols, for parameters in general position.

An equilibrium is sought for each choice of supports: messages :math:`S_t` for each type, and responses
:math:`F_{q,m}` after each message that is sent. Mixing must be paid for by indifference on the other side, so in
general position

.. math:: \sum_t (|S_t| - 1) = \sum_{q,m \text{ sent}} (|F_{q,m}| - 1),

and each side's probabilities solve a square linear system: the sender's mixing makes the receiver indifferent and
conversely (McKelvey and McLennan 1996). What remains are inequalities: probabilities are positive, unused responses and
messages do not pay. What may follow unsent messages is the business of ``regime_deterrents``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations, product
from typing import Any

from deterrence.solvers.symbolic.conditions import Conjunction, Frac
from deterrence.solvers.symbolic.deterrents import Deterrents, Reply
from deterrence.solvers.symbolic.tables import Reasons, Support, SymbolicTables, solve_linear, subsets


@dataclass(frozen=True, eq=False)
class Outcome:
    """Equilibrium play on the path, with the cases in which it is one.

    Attributes
    ----------
    sends : tuple of tuple of int
        S_t.
    responds : dict of (q, m) to tuple of int
        F_{q,m} at messages that are sent.
    sigma, rho : dict
        Probabilities by (t, m) and by (q, m, r).
    cases : list of conjunction
        A disjunction, off-path support included.
    replies : tuple of Reply
        Every way to hold the outcome up at each unsent message.
    reasons : dict
    """

    sends: tuple[Support, ...]
    responds: Mapping[tuple[int, int], Support]
    sigma: Mapping[tuple[int, int], Frac]
    rho: Mapping[tuple[int, int, int], Frac]
    cases: list[Conjunction]
    replies: tuple[Reply, ...]
    reasons: Reasons


@dataclass(eq=False)
class SignalingRegimes(SymbolicTables):
    """Enumeration of the regimes of one symbolic signaling game."""

    ties: list[str] = field(default_factory=list)

    @cached_property
    def deterrents(self) -> Deterrents:
        """What deters unsent messages."""
        return Deterrents(self)

    # -- enumeration -----------------------------------------------------------------------------------------------

    def size(self) -> int:
        """Return the number of choices of supports to look at."""
        Q = self.shape[1]
        total = 0
        for sends in self._sends():
            sent = sorted({m for s in sends for m in s})
            ways = {0: 1}
            for pair in [(q, m) for m in sent for q in range(Q)]:
                n = len(self.kept[pair])
                wider: dict[int, int] = {}
                for done, count in ways.items():
                    for size in range(1, n + 1):
                        number = len(list(combinations(range(n), size)))
                        wider[done + size - 1] = wider.get(done + size - 1, 0) + count * number
                ways = wider
            total += ways.get(sum(len(s) - 1 for s in sends), 0)
        return total

    def look_for_ties(self, limit: int) -> None:
        """Note supports that could be a continuum: indifferences that hold by construction, not by mixing."""
        Q = self.shape[1]
        number = 0
        for sends in self._sends():
            pairs = [(q, m) for m in sorted({m for s in sends for m in s}) for q in range(Q)]
            mixing = sum(len(s) - 1 for s in sends)
            for chosen in product(*[subsets(self.kept[pair], len(self.kept[pair])) for pair in pairs]):
                number += 1
                if number > limit:
                    self.ties.append(
                        f"payoffs tied by construction were looked for in {limit} choices of supports only"
                    )
                    return
                responding = sum(len(f) - 1 for f in chosen)
                responds = dict(zip(pairs, chosen, strict=True))
                if mixing == responding:
                    continue
                if mixing > responding:
                    rho = self._responding(sends, responds)
                    tied = self._consistent(rho) and self._senders_content(sends, responds, rho)
                else:
                    sigma = self._mixing(sends, responds)
                    tied = self._consistent(sigma) and self._receivers_content(sends, responds, sigma)
                if tied:
                    self._note_tie(sends)

    def _consistent(self, solution: Any) -> bool:
        """Return whether probabilities may all be positive somewhere."""
        if isinstance(solution, str):
            return solution == "many"
        return all(solution.values()) and self._possible(solution.values())

    def _possible(self, quantities: Iterable[Frac]) -> bool:
        """Return whether quantities may all be nonnegative at once, in the interior of the assumptions."""
        demands = [self.assumptions.cases(x) for x in quantities]
        return all(demands) and any(
            self.assumptions.holds_somewhere(case) is not False for case in self.assumptions.conjoin(demands)
        )

    def _senders_content(self, sends: Sequence[Support], responds: Mapping[tuple[int, int], Support], rho: Any) -> bool:
        """Return False if some type surely gains by another message, or some response is surely not best."""
        T, _, M, _ = self.shape
        for (q, m), chosen in responds.items():
            senders = [t for t in range(T) if m in sends[t]]
            for r in set(self.kept[q, m]) - set(chosen):
                if not any(self._possible([self.v[t, q, m, chosen[0]] - self.v[t, q, m, r]]) for t in senders):
                    return False
        if isinstance(rho, str):
            return True
        sent = {m for s in sends for m in s}
        values = [self.value(t, s[0], rho) for t, s in enumerate(sends)]
        gaps = [values[t] - self.value(t, m, rho) for t, s in enumerate(sends) for m in sent - set(s)]
        return self._possible(gaps) and all(
            any(True for _ in self.deterrents.replies(m, values, [frozenset()], {})) for m in set(range(M)) - sent
        )

    def _receivers_content(
        self, sends: Sequence[Support], responds: Mapping[tuple[int, int], Support], sigma: Any
    ) -> bool:
        """Return False if some response is surely better than those that are used."""
        if isinstance(sigma, str):
            return True
        gains = []
        for (q, m), chosen in responds.items():
            for r in set(self.kept[q, m]) - set(chosen):
                terms = [
                    self.b[t, q] * sigma[t, m] * (self.v[t, q, m, chosen[0]] - self.v[t, q, m, r])
                    for t, s in enumerate(sends)
                    if m in s
                ]
                gains.append(sum(terms, self.assumptions.domain.zero))
        return self._possible(gains)

    def outcomes(self) -> Iterator[Outcome]:
        """Yield every outcome that is an equilibrium somewhere in the interior of the assumptions."""
        for sends in self._sends():
            for responds in self._responds(sends):
                found = self._outcome(sends, responds)
                if found is not None:
                    yield found

    def _sends(self) -> Iterator[tuple[Support, ...]]:
        T, _, M, _ = self.shape
        supports = [s for size in range(1, M + 1) for s in combinations(range(M), size)]
        yield from product(supports, repeat=T)

    def _responds(self, sends: Sequence[Support]) -> Iterator[dict[tuple[int, int], Support]]:
        _, Q, _, _ = self.shape
        mixing = sum(len(s) - 1 for s in sends)
        pairs = [(q, m) for m in sorted({m for s in sends for m in s}) for q in range(Q)]
        options = [subsets(self.kept[pair], mixing + 1) for pair in pairs]

        def choose(i: int, left: int, chosen: tuple[Support, ...]) -> Iterator[tuple[Support, ...]]:
            if i == len(options):
                if left == 0:
                    yield chosen
                return
            for option in options[i]:
                if len(option) - 1 <= left:
                    yield from choose(i + 1, left - len(option) + 1, (*chosen, option))

        for chosen in choose(0, mixing, ()):
            yield dict(zip(pairs, chosen, strict=True))

    # -- one choice of supports ------------------------------------------------------------------------------------

    def _outcome(self, sends: tuple[Support, ...], responds: dict[tuple[int, int], Support]) -> Outcome | None:
        assume, (T, _, M, _) = self.assumptions, self.shape
        zero = assume.domain.zero
        names = self.game
        sigma = self._mixing(sends, responds)
        rho = self._responding(sends, responds)
        if sigma == "none" or rho == "none":
            return None
        if isinstance(sigma, str) or isinstance(rho, str):
            self._note_tie(sends)
            return None
        reasons: Reasons = {}
        demands: list[list[Conjunction]] = []

        def demand(value: Frac, why: str) -> bool:
            cases = assume.cases(value)
            for case in cases:
                for atom in case:
                    if why not in reasons.setdefault(atom, []):
                        reasons[atom].append(why)
            demands.append(cases)
            return bool(cases)

        if not all(sigma.values()) or not all(rho.values()):
            return None  # a smaller support has these strategies
        for (t, m), x in sigma.items():
            if len(sends[t]) > 1 and not demand(
                x, f"{names.types[t]} sends {names.messages[m]} with positive probability"
            ):
                return None
        for (q, m, r), x in rho.items():
            if len(responds[q, m]) > 1 and not demand(
                x, f"{names.responses[r]} follows {names.messages[m]} with positive probability"
            ):
                return None
        for (q, m), chosen in responds.items():
            senders = [t for t in range(T) if m in sends[t]]
            for r in self.kept[q, m]:
                if r not in chosen:
                    gain = sum(
                        (
                            self.b[t, q] * sigma[t, m] * (self.v[t, q, m, chosen[0]] - self.v[t, q, m, r])
                            for t in senders
                        ),
                        zero,
                    )
                    best, other = names.responses[chosen[0]], names.responses[r]
                    why = f"after {names.messages[m]}{self._by(q)} {best} is worth no less than {other}"
                    if not demand(gain, why):
                        return None
        sent = sorted({m for s in sends for m in s})
        values = [self.value(t, sends[t][0], rho) for t in range(T)]
        for t in range(T):
            for m in sent:
                if m not in sends[t]:
                    why = f"{names.types[t]} does not gain by sending {names.messages[m]}"
                    if not demand(values[t] - self.value(t, m, rho), why):
                        return None
        base = assume.conjoin(sorted(demands, key=len))
        base = [c for c in base if assume.holds_somewhere(c) is not False]
        if not base:
            return None
        replies: list[Reply] = []
        off: list[list[Conjunction]] = []
        for m in range(M):
            if m not in sent:
                here = list(self.deterrents.replies(m, values, base, reasons))
                if not here:
                    return None
                replies += here
                off.append(assume.merge([c for reply in here for c in reply.cases]))
        cases = assume.conjoin([base, *off])
        cases = [c for c in assume.merge(cases) if assume.holds_somewhere(c) is not False]
        if not cases:
            return None
        return Outcome(sends, responds, sigma, rho, cases, tuple(replies), reasons)

    def _by(self, q: int) -> str:
        kinds = self.game.receiver_types
        return "" if kinds is None else f" the {kinds[q]} finds that"

    def _mixing(self, sends: Sequence[Support], responds: Mapping[tuple[int, int], Support]) -> Any:
        """Solve the receiver's indifference for the sender's probabilities."""
        domain = self.assumptions.domain
        keys = [(t, m) for t, s in enumerate(sends) for m in s]
        rows, right = [], []
        for t, s in enumerate(sends):
            rows.append({(t, m): domain.one for m in s})
            right.append(domain.one)
        for (q, m), chosen in responds.items():
            for r in chosen[1:]:
                rows.append({
                    (t, m): self.b[t, q] * (self.v[t, q, m, chosen[0]] - self.v[t, q, m, r])
                    for t, s in enumerate(sends) if m in s
                })  # fmt: skip
                right.append(domain.zero)
        return solve_linear(keys, rows, right, domain)

    def _responding(self, sends: Sequence[Support], responds: Mapping[tuple[int, int], Support]) -> Any:
        """Solve the sender's indifference for the receivers' probabilities."""
        domain = self.assumptions.domain
        keys = [(q, m, r) for (q, m), chosen in responds.items() for r in chosen]
        rows, right = [], []
        for (q, m), chosen in responds.items():
            rows.append({(q, m, r): domain.one for r in chosen})
            right.append(domain.one)
        for t, s in enumerate(sends):
            for m in s[1:]:
                row = {}
                for (q, n), chosen in responds.items():
                    if n in (s[0], m):
                        for r in chosen:
                            sign = domain.one if n == s[0] else -domain.one
                            row[q, n, r] = sign * self.view[t, q] * self.u[t, q, n, r]
                rows.append(row)
                right.append(domain.zero)
        return solve_linear(keys, rows, right, domain)

    def value(self, t: int, m: int, rho: Mapping[tuple[int, int, int], Frac]) -> Frac:
        """Return type t's payoff from a message that is sent."""
        zero = self.assumptions.domain.zero
        return sum((self.view[t, q] * x * self.u[t, q, n, r] for (q, n, r), x in rho.items() if n == m), zero)

    def _note_tie(self, sends: Sequence[Support]) -> None:
        who = [self.game.types[t] for t, s in enumerate(sends) if len(s) > 1]
        mixers = " and ".join(who) or "nobody"
        note = f"payoffs are tied by construction where {mixers} would mix: a continuum is not listed"
        if note not in self.ties:
            self.ties.append(note)
