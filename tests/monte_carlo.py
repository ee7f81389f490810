"""The collective-defence game played out many times: an account of it that shares no code with the solvers.

Chance draws the common shock, everybody's private costs, who recognises the attack, whether its author can be named,
and the prize. Members come iff their cost is at most their cutpoint, which is taken as given: it is what the
equilibrium claims. All else is computed here from the numbers of the scenario: what arrives in time, whether the
treaty is invoked, whether the defence holds, what the aggressor and the target make of it.

Where the treaty is not invoked, the formal game has each member in a position to act independently of the others, with
its recognition given that the treaty was not invoked. Here that is done by drawing all recognitions, keeping the draws
in which the treaty is not invoked, and shuffling each member's column; ``jointly=True`` keeps the rows together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from deterrence.alliances.collective_defence import CollectiveDefence
from deterrence.games.distributions import Distribution

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

BATCHES = 25  # over which what depends on means in a crooked way is jackknifed


@dataclass(frozen=True)
class Met:
    """What n attacks of one kind met, draw by draw: invoked, comes (n, N), strength, chance that the defence holds."""

    invoked: Flags
    comes: Flags
    strength: Floats
    chance: Floats


@dataclass(frozen=True)
class Estimate:
    """A mean and its standard error."""

    mean: float
    error: float

    def sigmas(self, stated: float) -> float:
        """Return how many standard errors a stated value is off; the floor of an error is that of a rounding."""
        return abs(self.mean - stated) / max(self.error, 1e-9)


def estimate(draws: Any, stated: float | None = None) -> Estimate:
    """Return mean and error of independent draws; for a stated probability no less error than it would bring."""
    values = np.asarray(draws, dtype=np.float64)
    error = values.std() / np.sqrt(len(values))
    if stated is not None:
        error = max(error, np.sqrt(max(stated * (1 - stated), 0.0) / len(values)))
    return Estimate(float(values.mean()), float(error))


def draw(cost: Distribution, rng: np.random.Generator, n: int) -> Floats:
    """Return n values of a distribution, from its name and numbers."""
    a, b = float(cost.location), float(cost.scale)
    match cost.family:
        case "normal":
            return rng.normal(a, b, n)
        case "logistic":
            return rng.logistic(a, b, n)
        case "lognormal":
            return rng.lognormal(a, b, n)
        case "uniform":
            return a + b * rng.random(n)
        case "two-point":
            return np.where(rng.random(n) < float(cost.shape["probability"]), a, a + b)
        case "degenerate":
            return np.full(n, a)
    raise AssertionError(f"no way to draw from {cost.family!r} here")


def playable(game: CollectiveDefence) -> bool:
    """Return whether this account knows all that the game holds: no steps, talk, machines, signals, views of views."""
    plain = all(attack.steps == 1 and not attack.incidents for attack in game.attacks)
    return (
        plain
        and game.posture is None
        and not game.treaty.cheap_talk
        and game.automation is None
        and not set(game.perception) & set(game.names)
    )


def states(game: CollectiveDefence) -> list[tuple[float, str, CollectiveDefence]]:
    """Return probability, label and game of each state of the common shock."""
    if game.shock is None:
        return [(1.0, "", game)]
    if game.shock.states:
        total = sum(float(s.probability) for s in game.shock.states)
        return [(float(s.probability) / total, s.name, game.at(**s.changes)) for s in game.shock.states]
    found, rho = [], float(game.shock.correlation)
    nodes, weights = np.polynomial.hermite_e.hermegauss(game.shock.rule)
    for z, weight in zip(nodes, weights / weights.sum(), strict=True):
        moved = {}
        for m in game.members:
            moved[f'members."{m.name}".cost.location'] = float(m.cost.location) + np.sqrt(rho) * float(m.cost.scale) * z
            moved[f'members."{m.name}".cost.scale'] = float(m.cost.scale) * np.sqrt(1 - rho)
        found.append((float(weight), f"z={z:.3g}", game.at(**moved)))
    return found


def worth(game: CollectiveDefence, x: int, invoked: bool) -> Floats:
    """Return the strength that each member adds if it comes: scope, lift, delay, time to agree, integration."""
    attack, treaty = game.attacks[x], game.treaty
    sitting = 1 - treaty.integrated_command
    moments, chances = np.zeros(1), np.ones(1)
    if invoked and treaty.deliberation:
        n, k = {"lead": (1, 1)}.get(treaty.rule.kind, (len(game.members), quota(game)))
        mean = float(treaty.deliberation) * sitting
        edges = np.linspace(0, mean * 40, 20_001)
        agreed = stats.binom.sf(k - 1, n, -np.expm1(-edges / mean))
        moments, chances = (edges[1:] + edges[:-1]) / 2, np.diff(agreed)
    found = []
    for m in game.members:
        council = (treaty.consultation * sitting if invoked else 0.0) + moments
        rapid = min(m.rapid, m.capability)
        rest = m.capability - rapid
        moving = rest * m.days_per_unit * (np.arange(200) + 0.5) / 200 if rest * m.days_per_unit else np.zeros(1)
        brought = 0.0
        for amount, days in ((rapid, np.full(1, m.rapid_delay)), (rest, m.delay + moving)):
            late = np.maximum(council[:, None] + days - attack.window, 0.0)
            brought += amount * float(chances @ np.exp(-late / game.decay).mean(axis=1))
        together = 1 + treaty.integration if invoked else 1.0
        found.append(brought * m.support.strength * together)
    return np.array(found)


def quota(game: CollectiveDefence) -> int:
    """Return how many members must recognise, for rules that count heads."""
    n, rule = len(game.members), game.treaty.rule
    return {"unanimity": n, "majority": n // 2 + 1, "threshold": rule.threshold}[rule.kind]


def invokes(game: CollectiveDefence, sees: Flags) -> Flags:
    """Return whether those who see an attack, shape (n, N), invoke the treaty."""
    rule = game.treaty.rule
    if rule.kind == "lead":
        return sees[:, game.names.index(rule.lead)]
    if rule.kind == "votes":
        return sees @ np.array([rule.votes.get(name, 0.0) for name in game.names]) >= rule.quota - 1e-9
    return sees.sum(axis=1) >= quota(game)


def recognise(game: CollectiveDefence, e: Floats, named: float, rng: np.random.Generator, n: int) -> Flags:
    """Return who sees an attack in each draw, shape (n, N)."""
    own = rng.random((n, len(e))) < e
    common = rng.random(n) < e.mean()
    shared = rng.random(n) < game.treaty.shared_intelligence
    return np.where(shared[:, None], common[:, None], own) & (rng.random(n) < named)[:, None]


def succeeds(own: Floats, game: CollectiveDefence, x: int) -> Floats:
    """Return the ratio contest success of strengths against attack x."""
    m, a = game.decisiveness, game.attacks[x].strength
    with np.errstate(divide="ignore", over="ignore"):
        return 1 / (1 + (a / np.maximum(own, 1e-300)) ** m)


def attacked(
    game: CollectiveDefence, x: int, cutpoints: Floats, rng: np.random.Generator, n: int, *, jointly: bool = False
) -> Met:
    """Return what n attacks of kind x meet in one state of the shock; cutpoints of shape (2, N): invoked, not."""
    e = np.array([m.recognition[game.attacks[x].name] if isinstance(m.recognition, dict) else m.recognition
                  for m in game.members], dtype=np.float64)  # fmt: skip
    sees = recognise(game, e, float(game.attacks[x].attribution), rng, n)
    invoked = invokes(game, sees)
    able = sees.copy()
    if not jointly:
        others = np.flatnonzero(~invoked)
        able[others] = rng.permuted(sees[others], axis=0)
    able |= invoked[:, None]
    cost = np.stack([draw(m.cost, rng, n) for m in game.members], axis=1)
    comes = able & (cost <= np.where(invoked[:, None], cutpoints[0], cutpoints[1]))
    strength = np.where(invoked, comes @ worth(game, x, True), comes @ worth(game, x, False))
    own = game.base + sum(m.forward for m in game.members) + strength
    return Met(invoked, comes, strength, succeeds(own, game, x))


def responses(
    game: CollectiveDefence, x: int, plans: list[Floats], rng: np.random.Generator, n: int, *, jointly: bool = False
) -> Met:
    """Return what n attacks of kind x meet, the common shock drawn too, in random order.

    ``plans``: cutpoints for each state of the shock, shape (2, X, N).
    """
    parts = states(game)
    counts = rng.multinomial(n, [weight for weight, _, _ in parts])
    met = [
        attacked(one, x, plan[:, x], rng, count, jointly=jointly)
        for (_, _, one), plan, count in zip(parts, plans, counts, strict=True)
    ]
    order = rng.permutation(n)
    return Met(*(np.concatenate([getattr(part, key) for part in met])[order] for key in Met.__annotations__))


def strategies(game: CollectiveDefence, k: int, *, quick: bool) -> list[Floats]:
    """Return what the k-th equilibrium says: cutpoints of shape (2, X, N) for each state of the shock.

    ``quick`` takes them from the solver for batches, else from the one that certifies; nan: never reached.
    """
    bare = [replace(one, shock=None) for _, _, one in states(game)]
    if quick:
        return [one.at(base=np.array([float(one.base)])).response().cutpoints[k][:, 0] for one in bare]
    return [one.response().cutpoints[k] for one in bare]


def alarmed(game: CollectiveDefence, plans: list[Floats], rng: np.random.Generator, n: int) -> Floats:
    """Return the strength that acts on n incidents that are no attack: they are met like the first kind of attack."""
    found = []
    parts = states(game)
    counts = rng.multinomial(n, [weight for weight, _, _ in parts])
    for (_, _, one), plan, count in zip(parts, plans, counts, strict=True):
        alarm = np.array([m.false_alarm for m in one.members], dtype=np.float64)
        wrong = invokes(one, recognise(one, alarm, 1.0, rng, count))
        cost = np.stack([draw(m.cost, rng, count) for m in one.members], axis=1)
        found.append(wrong * ((cost <= plan[0, 0]) @ worth(one, 0, True)))
    return rng.permutation(np.concatenate(found))


@dataclass(frozen=True)
class Played:
    """The whole game played n times.

    ``chosen`` (X,): how often the aggressor chose each attack; ``unwanted``: how often it would regret it; ``yielded``,
    ``war``, ``held``: how often an attack met a target that yields, met some member, failed. Their errors count that
    the aggressor's expectations, too, are means over draws (by the jackknife). ``false_alarm``: strength that acts on
    an incident.
    """

    chosen: tuple[Estimate, ...]
    unwanted: Estimate
    yielded: Estimate
    war: Estimate
    held: Estimate
    false_alarm: Estimate


def play(
    game: CollectiveDefence,
    k: int,
    rng: np.random.Generator,
    n: int,
    met: list[Met],
    plans: list[Floats],
    *,
    quick: bool,
) -> Played:
    """Play the game n times; ``met``: what n attacks of each kind really meet under the plans."""
    kinds = range(len(game.attacks))
    view, expected = game, plans
    if game.perception:
        view = game.perceived_by(game.aggressor.name)
        expected = strategies(view, k, quick=quick)
    seen = [responses(view, x, expected, rng, n) if game.perception else met[x] for x in kinds]
    doubt = None
    if game.target is not None:
        eyes = game.perceived_by(game.target.name)
        hopes = strategies(eyes, k, quick=quick)
        doubt = [responses(eyes, x, hopes, rng, n) for x in kinds]
        stake, resistance = float(eyes.target.stake), draw(eyes.target.cost, rng, n)
    alarms = alarmed(view, expected, rng, n) if view.treaty.incidents else np.zeros(n)
    fact = alarmed(game, plans, rng, n) if game.treaty.incidents else np.zeros(n)
    value = draw(game.aggressor.prize, rng, n)

    def outcome(left_out: Any) -> Floats:
        """Return chosen by kind, unwanted, yielded, war, held; counting the draws that are not left out."""
        keep = np.ones(n, dtype=bool)
        keep[left_out] = False
        resists = np.ones(len(game.attacks))
        if doubt is not None:
            resists = np.array([(resistance <= stake * d.chance[keep].mean()).mean() for d in doubt])

        def payoffs(expected: list[Met], at: CollectiveDefence, false: Any) -> Floats:
            table = np.zeros((n, 1 + len(at.attacks)))
            for x, attack in enumerate(at.attacks):
                holds, strength = expected[x].chance[keep].mean(), expected[x].strength[keep].mean()
                war = value * attack.share * (1 - holds) - attack.cost - at.aggressor.punishment * strength
                table[:, 1 + x] = resists[x] * war + (1 - resists[x]) * value * attack.share
            if at.treaty.incidents:
                table[:, 0] = -at.treaty.incidents * at.aggressor.punishment * np.mean(false)
            return table

        believed = payoffs(seen, view, alarms[keep])
        true = payoffs(met, game, fact[keep])
        choice = believed.argmax(axis=1)
        rows = np.arange(n)
        chosen = np.array([(choice == 1 + x).mean() for x in kinds])
        regrets = ((choice > 0) & (true[rows, choice] < true[:, 0])).mean()
        some = np.array([one.comes[:n].any(axis=1).mean() for one in met])
        holds = np.array([one.chance[:n].mean() for one in met])
        return np.array(
            [*chosen, regrets, chosen @ (1 - resists), (chosen * resists) @ some, (chosen * resists) @ holds]
        )

    everything = outcome(slice(0, 0))
    parts = np.stack([outcome(slice(j * n // BATCHES, (j + 1) * n // BATCHES)) for j in range(BATCHES)])
    wobble = np.sqrt((BATCHES - 1) / BATCHES * ((parts - parts.mean(axis=0)) ** 2).sum(axis=0))
    errors = np.sqrt(wobble**2 + everything * (1 - everything) / n)
    chosen = tuple(Estimate(float(p), float(s)) for p, s in zip(everything[:-4], errors[:-4], strict=True))
    rest = (Estimate(float(p), float(s)) for p, s in zip(everything[-4:], errors[-4:], strict=True))
    return Played(chosen, *rest, estimate(fact))
