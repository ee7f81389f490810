r"""Where a regime survives the intuitive criterion or D1, as conditions in the parameters.

For two types, after an unsent message that leaves one receiver type a choice between two responses (the others have one
that is best whatever they believe). Let :math:`G_t(r)` be what type t gains over its equilibrium payoff if response r
follows, and :math:`v_t(r)` the receiver's payoff at the belief that it is t. Gains are linear in the probability of a
response, and some mixture leaves both types no gain. In general position, with :math:`\bar r` the other response:

- the *intuitive criterion* [1]_ eliminates iff for some t' and r, with t the other type, :math:`v_{t'}(r) > v_{t'}(\bar
  r)`, :math:`G_{t'}(r) > 0`, and t gains from neither response;
- *D1* [1]_ eliminates iff for some t' and r, :math:`v_{t'}(r) > v_{t'}(\bar r)`,
  :math:`G_{t'}(r) > 0 > G_t(\bar r)`, and t gains for fewer mixtures:
  :math:`G_{t'}(\bar r)\, G_t(r) > G_t(\bar r)\, G_{t'}(r)`.

References
----------
.. [1] I.-K. Cho and D. M. Kreps, "Signaling games and stable equilibria", Quarterly J. Economics 102 (1987), 179-221.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from deterrence.games.errors import GameError
from deterrence.games.signaling import SignalingGame
from deterrence.solvers.symbolic.conditions import Conjunction, Frac
from deterrence.solvers.symbolic.signaling import SignalingRegimes

if TYPE_CHECKING:
    from deterrence.solvers.symbolic.regime_set import Regime

REFINEMENTS = ("intuitive", "d1")


def survival(regime: Regime, refinement: str) -> list[Conjunction]:
    """Return the cases in which a regime survives, each given the regime's own conditions.

    Parameters
    ----------
    regime : Regime
        Of a signaling game.
    refinement : str
        ``"intuitive"`` or ``"d1"``.

    Raises
    ------
    GameError
        If the refinement is not known, or the game is not of the kind described above.
    """
    if refinement not in REFINEMENTS:
        raise GameError(f"no symbolic refinement {refinement!r}; there are {', '.join(REFINEMENTS)}")
    if regime.parts:
        cases = [part.case | case for part in regime.parts for case in survival(part, refinement)]
        return regime.assumptions.within(regime.case).merge(cases)
    game = regime.form
    if not isinstance(game, SignalingGame):
        raise GameError(f"{refinement} refines equilibria of signaling games, not outcomes of backward induction")
    search = SignalingRegimes(game, regime.assumptions)
    assume = regime.assumptions.within(regime.case)
    sent = {m for chosen in regime.sends for m in chosen}
    demands = []
    for m in range(len(game.messages)):
        if m not in sent:
            demands += [
                list(dict.fromkeys(case for value in escapes for case in assume.cases(value)))
                for escapes in _escapes(search, regime, m, refinement)
            ]
    if not all(demands):
        return []
    cases = [case for case in assume.conjoin(sorted(demands, key=len)) if assume.holds_somewhere(case) is not False]
    return assume.merge(cases)


def _escapes(search: SignalingRegimes, regime: Regime, m: int, refinement: str) -> Iterator[list[Frac]]:
    """Yield for each way to be eliminated the quantities of which one must be nonnegative to escape."""
    T, Q, _, _ = search.shape
    rational = [[r for r in search.kept[q, m] if search.deterrents.rationalisable(q, m, r)] for q in range(Q)]
    open_to = [q for q in range(Q) if len(rational[q]) > 1]
    if not open_to:
        return
    if T != 2 or len(open_to) > 1 or len(rational[open_to[0]]) > 2:
        raise GameError(
            f"{refinement} has a closed form for two types and one choice between two responses after each unsent "
            f"message; after {search.game.messages[m]!r} there is more; give the parameters numbers and use dt.pbe"
        )
    (q,) = open_to
    fixed = [
        sum(
            (search.view[t, p] * search.u[t, p, m, rational[p][0]] for p in range(Q) if p != q),
            -regime.levels[t],
        )
        for t in range(T)
    ]
    gain = {(t, r): fixed[t] + search.view[t, q] * search.u[t, q, m, r] for t in range(T) for r in rational[q]}
    for r, other in (rational[q], rational[q][::-1]):
        for first, second in ((0, 1), (1, 0)):
            doubts = [search.v[first, q, m, other] - search.v[first, q, m, r], -gain[first, r]]
            if refinement == "intuitive":
                yield [*doubts, gain[second, r], gain[second, other]]
            else:
                fewer = gain[first, other] * gain[second, r] - gain[second, other] * gain[first, r]
                yield [*doubts, gain[second, other], -fewer]
