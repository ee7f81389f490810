"""Check an equilibrium of a participation game from the members' numbers alone, sharing no code with the solver.

Strengths, penalties and invocation are worked out anew from the game's fields. The distribution of what the
others bring is enumerated over all profiles (few members), convolved in a table of sums (few distinct sums),
or convolved on a fine grid, with a bound on what the grid adds. The regret of a member is how far its
cutpoint lies from the cost at which it is indifferent, times the share of that cost that its kind of support
costs: that is what a member whose cost lies between the two would gain by doing the other thing.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.attacks import Attack
from deterrence.alliances.members import Member
from deterrence.alliances.participation import ParticipationGame
from deterrence.alliances.participation_profile import ParticipationProfile
from deterrence.games.equilibrium import Certificate, Equilibrium

Floats = NDArray[np.float64]

ENUMERATED = 10  # members up to which every profile is enumerated
TABLE = 2048  # distinct sums up to which they are kept one by one
GRID = 16384  # cells of the grid otherwise


def verify_participation(game: ParticipationGame, equilibrium: Equilibrium, tol: float = 1e-9) -> Certificate:
    """Recompute regrets and Bayes-consistency of an equilibrium of a participation game.

    Parameters
    ----------
    game : ParticipationGame
        Without batch dimensions.
    equilibrium : Equilibrium
        Its profile is a ``ParticipationProfile``.
    tol : float
        Regret up to which play counts as sequentially rational, relative to the largest stake or penalty; the
        error bound of the grid is added where one is used.

    Returns
    -------
    Certificate
        ``max_regret`` in the members' units of utility, ``max_belief_error`` the largest of |q - e F(c*)|
        (distance to the jump, where a member may mix at an atom) and of the error of P(invoked).
    """
    profile: ParticipationProfile = cast("ParticipationProfile", equilibrium.profile)
    attack = next(a for a in game.attacks if a.name == profile.attack)
    chance, recognising = _invocation(game, attack.name)
    worst_regret, worst_belief, rational = 0.0, abs(chance - profile.invoked), True
    for j, invoked in enumerate((True, False)):
        worth = 1 + game.treaty.integration if invoked else 1.0
        arriving = [worth * m.support.strength * _in_time(game, m, attack, invoked) for m in game.members]
        base = game.base + sum(m.forward for m in game.members)
        q = profile.probabilities[j]
        gains, slack = _gains(arriving, q, base, attack.strength, game.decisiveness)
        for i, member in enumerate(game.members):
            out = member.bilateral + game.tripwire * member.forward
            if invoked:
                out += member.support.obligation_met * (
                    (1 - member.opt_out) * (member.obligation + game.treaty.automaticity) + member.audience
                )
            stake = member.stake * attack.stake_share
            indifferent = (stake * gains[i] + out - member.opposition) / member.support.cost
            regret = abs(float(profile.cutpoints[j, i]) - indifferent) * member.support.cost
            scale = max(stake, out, 1e-300)
            able = 1.0 if invoked else recognising[i]
            at = 1e-9 * (1 + abs(indifferent)) if not member.cost.continuous else 0.0
            low, high = (able * float(member.cost.cdf(profile.cutpoints[j, i] + shift)) for shift in (-at, at))
            worst_belief = max(worst_belief, low - q[i], q[i] - high)
            worst_regret = max(worst_regret, regret)
            rational &= regret <= tol * scale + 2 * stake * slack
    return Certificate(
        max_regret=float(worst_regret),
        max_belief_error=float(worst_belief),
        sequentially_rational=bool(rational and worst_belief <= 1e-9),
        exact=False,
    )


def _in_time(game: ParticipationGame, member: Member, attack: Attack, invoked: bool) -> float:
    """Return what the member's capability is worth when it arrives: the part at high readiness, then the rest."""
    rapid = min(member.rapid, member.capability)
    rest = member.capability - rapid
    total = rest * _share(game, attack, invoked, member.delay, rest * member.days_per_unit) if rest > 0 else 0.0
    return total + (rapid * _share(game, attack, invoked, member.rapid_delay, 0.0) if rapid > 0 else 0.0)


def _share(game: ParticipationGame, attack: Attack, invoked: bool, delay: float, lift: float) -> float:
    """Return what strength is worth when it arrives, by quadrature over the moment of agreement."""
    first = float(delay + ((1 - game.treaty.integrated_command) * game.treaty.consultation if invoked else 0.0))
    last = first + float(lift)
    if not (invoked and (1 - game.treaty.integrated_command) * game.treaty.deliberation > 0):
        return float(_worth(np.zeros(1), first, last, attack.window, game.decay)[0])
    n, k = game.treaty.rule.count(len(game.members))
    mean = float((1 - game.treaty.integrated_command) * game.treaty.deliberation)
    kinks = [t for t in (attack.window - last, attack.window - first) if 0 < t < 60 * mean]
    ends = sorted({0.0, *kinks, *(mean * step for step in (0.5, 1, 2, 4, 8, 16, 60))})
    x, w = np.polynomial.legendre.leggauss(40)
    total = 0.0
    for low, high in itertools.pairwise(ends):
        t = low + 0.5 * (high - low) * (x + 1)
        agreed = -np.expm1(-t / mean)
        density = k * math.comb(n, k) * agreed ** (k - 1) * (1 - agreed) ** (n - k + 1) / mean
        total += 0.5 * (high - low) * float(w @ (density * _worth(t, first, last, attack.window, game.decay)))
    return total


def _worth(agreed: Floats, first: float, last: float, window: float, decay: float) -> Floats:
    """Return the mean worth of what arrives between two days after each moment of agreement."""
    b = window - agreed
    if last == first:
        return np.asarray(np.exp(np.minimum(b - first, 0.0) / decay))
    early = np.clip(b - first, 0.0, last - first)
    late = decay * (np.exp(-np.maximum(first - b, 0.0) / decay) - np.exp(-np.maximum(last - b, 0.0) / decay))
    return np.asarray((early + late) / (last - first))


def _gains(weights: Sequence[float], q: Floats, base: float, strength: float, m: float) -> tuple[Floats, float]:
    """Return what each member adds to E[H], and a bound on the error."""
    n = len(weights)

    def holds(total: Floats) -> Floats:
        ratio = np.divide(strength, total, out=np.full_like(total, np.inf), where=total > 0)
        with np.errstate(over="ignore"):
            return np.asarray(1.0 / (1.0 + ratio**m))

    gains = np.empty(n)
    slack = 0.0
    for i in range(n):
        others = [k for k in range(n) if k != i]
        w = [float(weights[k]) for k in others]
        if len(others) < ENUMERATED:
            sums, mass = _enumerated(w, q[others])
            gains[i] = mass @ (holds(base + sums + weights[i]) - holds(base + sums))
            continue
        table = _table(w, q[others])
        if table is None:
            return _on_grid(weights, q, base, holds)
        gains[i] = table[1] @ (holds(base + table[0] + weights[i]) - holds(base + table[0]))
    return gains, slack


def _enumerated(weights: list[float], q: Floats) -> tuple[Floats, Floats]:
    profiles = np.array(list(itertools.product((0, 1), repeat=len(weights))), dtype=np.float64).reshape(
        2 ** len(weights), -1
    )
    mass = np.where(profiles == 1, q, 1 - q).prod(axis=1)
    return profiles @ np.array(weights), mass


def _table(weights: list[float], q: Floats) -> tuple[Floats, Floats] | None:
    unit = max(sum(weights), 1e-300) * 1e-12  # sums that are closer are one
    sums: Floats = np.zeros(1)
    mass: Floats = np.ones(1)
    for w, p in zip(weights, q, strict=True):
        wide = np.concatenate([sums, sums + w])
        _, first, place = np.unique(np.round(wide / unit), return_index=True, return_inverse=True)
        if len(first) > TABLE:
            return None
        sums = wide[first]
        mass = np.bincount(place, weights=np.concatenate([mass * (1 - p), mass * p])).astype(np.float64)
    return sums, mass


def _on_grid(
    weights: Sequence[float], q: Floats, base: float, holds: Callable[[Floats], Floats]
) -> tuple[Floats, float]:
    """Return gains by convolution on a fine grid, once over all members before i and once over all after."""
    n = len(weights)
    step = sum(weights) / GRID
    size = GRID + n + 2
    cells = [(int(w / step), w / step - int(w / step)) for w in weights]
    points: Floats = np.asarray(base + step * np.arange(size), dtype=np.float64)
    curve = holds(points)

    def ahead(array: Floats, k: int) -> Floats:
        return np.concatenate([array[k:], np.full(k, array[-1])])

    before: Floats = np.zeros(size)
    before[0] = 1.0
    befores = []
    for (k, part), p in zip(cells, q, strict=True):
        befores.append(before)
        grown = np.asarray((1 - p) * before, dtype=np.float64)
        grown[k:] += p * (1 - part) * before[: size - k]
        grown[k + 1 :] += p * part * before[: size - k - 1]
        before = grown
    gains = np.empty(n)
    for i in range(n - 1, -1, -1):
        k, part = cells[i]
        adds = (1 - part) * ahead(curve, k) + part * ahead(curve, k + 1) - curve
        gains[i] = befores[i] @ adds
        curve = curve + q[i] * adds
    bend = np.abs(np.diff(holds(points), 2)).max()
    spread = sum(part * (1 - part) for _, part in cells)
    return gains, float(0.5 * spread * bend)


def _invocation(game: ParticipationGame, attack: str) -> tuple[float, Floats]:
    """Return P(invoked) and P(recognises | not invoked), by a table over sums of votes."""
    n = len(game.members)
    e = np.array([m.recognition[attack] if isinstance(m.recognition, dict) else m.recognition for m in game.members])
    rule = game.treaty.rule
    votes = np.ones(n)
    quota: float = {"unanimity": n, "majority": n // 2 + 1}.get(rule.kind, rule.threshold)
    if rule.kind == "lead":
        votes, quota = np.array([float(m.name == rule.lead) for m in game.members]), 1
    elif rule.kind == "votes":
        votes, quota = np.array([float(rule.votes.get(m.name, 0.0)) for m in game.members]), rule.quota
    told = _told(game, votes, quota)
    alone, each = 0.0, np.zeros(n)
    for common, chance in ((1.0, float(e.mean())), (0.0, 1 - float(e.mean()))):
        if told.any() or common == 1.0:
            p = told * common + (1 - told) * e if told.any() else e
            weight = chance if told.any() else 1.0
            alone += weight * _short(p, votes, quota, range(n), 0.0)
            each += weight * np.array(
                [p[i] * _short(p, votes, quota, [k for k in range(n) if k != i], votes[i]) for i in range(n)]
            )
    chi = game.treaty.shared_intelligence
    named = next(a for a in game.attacks if a.name == attack).attribution
    not_invoked = 1 - named + named * (chi * (1 - e.mean()) + (1 - chi) * alone)
    if not_invoked <= 0:
        return 1.0, e
    return float(1 - not_invoked), named * (1 - chi) * each / not_invoked


def _told(game: ParticipationGame, votes: Floats, quota: float) -> Floats:
    """Return how often each member and the one who decides share an assessment, cell by cell of their talk."""
    if not game.treaty.cheap_talk > 0:
        return np.zeros(len(game.members))
    gathered, decides = 0.0, 0.0
    for member, vote in sorted(zip(game.members, votes, strict=True), key=lambda pair: -pair[0].bias):
        gathered, decides = gathered + vote, member.bias
        if gathered >= quota * (1 - 1e-9):
            break
    shares = []
    for member in game.members:
        b = abs(member.bias - decides)
        if b < 1e-10:  # then less than 1e-9 is lost
            shares.append(game.treaty.cheap_talk)
            continue
        cells = 1
        while 2 * b * (cells + 1) * cells < 1 - 1e-12:
            cells += 1
        smallest = (1 - 2 * b * cells * (cells - 1)) / cells  # each cell is wider than the one before by 4 b
        shares.append(game.treaty.cheap_talk * (1 - sum((smallest + 4 * b * j) ** 3 for j in range(cells))))
    return np.array(shares)


def _short(p: Floats, votes: Floats, quota: float, present: Sequence[int], head_start: float) -> float:
    """Return the probability that the votes of those present who recognise, and a head start, miss the quota."""
    present = [i for i in present if votes[i] > 0]
    short = quota * (1 - 1e-9)
    if len({float(votes[i]) for i in present}) == 1:  # equal votes: the coefficients of a product of binomials
        tally = np.ones(1)
        for i in present:
            tally = np.convolve(tally, (1 - p[i], p[i]))
        return float(tally[votes[present[0]] * np.arange(len(tally)) + head_start < short].sum())
    table = {0.0: 1.0}
    for i in present:
        fresh: dict[float, float] = {}
        for total, mass in table.items():
            for key, chance in ((total, mass * (1 - p[i])), (round(total + votes[i], 9), mass * p[i])):
                fresh[key] = fresh.get(key, 0.0) + chance
        table = fresh
    return sum(mass for total, mass in table.items() if total + head_start < short)
