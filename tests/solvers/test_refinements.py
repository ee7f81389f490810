"""Refinements of signaling equilibria against the textbook, on equilibria written down by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import combinations, pairwise, product

import numpy as np
import pytest
from scipy.optimize import linprog

from deterrence.games.equilibrium import Equilibrium
from deterrence.games.errors import GameError
from deterrence.games.signaling import SignalingGame
from deterrence.games.signaling_profile import SignalingProfile
from deterrence.solvers.algebra.rational_lp import minimise
from deterrence.solvers.pbe import pbe
from deterrence.solvers.refinements import REFINEMENTS, refine
from deterrence.solvers.verify import verify

BELIEF_BASED = tuple(name for name in REFINEMENTS if name != "undefeated")


# -- games and equilibria by hand ----------------------------------------------------------------------------


def beer_quiche(strong=0.9, *, exact=False):
    """Cho and Kreps (1987), section II: the receiver duels unless the sender is likely to be strong."""
    game = SignalingGame(
        types=("strong", "weak"), messages=("beer", "quiche"), responses=("duel", "not"), prior=[strong, 1 - strong],
        sender_payoffs=[[[1, 3], [0, 2]], [[0, 2], [1, 3]]], receiver_payoffs=[[[0, 1], [0, 1]], [[1, 0], [1, 0]]],
    )  # fmt: skip
    return game.exact() if exact else game


def equilibrium(game, kind, *profiles):
    """An equilibrium with these vertices; the middle stands for the interior. Each is certified first."""
    arrays = [[np.array(a, dtype=object if game.kind == "exact" else float) for a in p] for p in profiles]
    if game.kind == "exact":
        arrays = [[np.vectorize(Fraction, otypes=[object])(a) for a in p] for p in arrays]
    vertices = [SignalingProfile(sender=s, receiver=r, posterior=b) for s, r, b in arrays]
    middle = SignalingProfile(*(sum(p[i] for p in arrays) / len(arrays) for i in range(3)))
    if game.kind == "exact":
        middle = SignalingProfile(
            *(np.vectorize(Fraction, otypes=[object])(a) for a in (middle.sender, middle.receiver, middle.posterior))
        )
    result = Equilibrium(game=game, concept="pbe", kind=kind, profile=middle, vertices=vertices, refine=refine)
    certificate = verify(game, result)
    assert certificate.sequentially_rational
    assert certificate.max_belief_error <= 1e-12
    return result


def pool_beer(game, *off_path, strong=0.9):
    """Both drink beer; (chance of a duel, belief in strong) after quiche at each vertex."""
    bayes = [strong, 1 - strong]
    return equilibrium(game, "pooling on beer", *(
        ([[1, 0], [1, 0]], [[[0, 1], [duel, 1 - duel]]], [[bayes, [belief, 1 - belief]]]) for duel, belief in off_path
    ))  # fmt: skip


def pool_quiche(game, *off_path, strong=0.9):
    bayes = [strong, 1 - strong]
    return equilibrium(game, "pooling on quiche", *(
        ([[0, 1], [0, 1]], [[[duel, 1 - duel], [0, 1]]], [[[belief, 1 - belief], bayes]]) for duel, belief in off_path
    ))  # fmt: skip


def alliance_signal(*, rho, k, h, d1, v_I, w, v_R, g, d):
    """ALSIG: a guarantor, resolved (R) or not (I), is silent or signs a treaty; the aggressor attacks or refrains."""

    def sender(v, m):
        return [max(-v - h * m, -w) - k * m, -k * m]

    def receiver(v, m):
        abandons = v + h * m < w
        return [g if abandons else -(d1 if m else d), 0]

    return SignalingGame(
        types=("R", "I"), messages=("silence", "treaty"), responses=("attack", "refrain"), prior=[rho, 1 - rho],
        sender_payoffs=[[sender(v, m) for m in (0, 1)] for v in (v_R, v_I)],
        receiver_payoffs=[[receiver(v, m) for m in (0, 1)] for v in (v_R, v_I)],
    )  # fmt: skip


def spence(theta, prior, grid):
    """Spence (1973), wages on the grid of conditional means; the employer's loss is the wage's squared error."""
    means = sorted(
        {Fraction(sum(s), len(s)) for n in range(1, len(theta) + 1) for s in _subsets(theta, n)}
        | set(_extra(theta, prior))
    )
    game = SignalingGame(
        types=[f"theta {x}" for x in theta], messages=[f"e {e}" for e in grid], responses=[f"wage {w}" for w in means],
        prior=prior,
        sender_payoffs=[[[w - Fraction(e) / x for w in means] for e in grid] for x in theta],
        receiver_payoffs=[[[-((w - x) ** 2) for w in means] for _ in grid] for x in theta],
    )  # fmt: skip
    return game, means


def _subsets(values, n):
    return [
        [Fraction(v) for v, keep in zip(values, mask) if keep]
        for mask in product((0, 1), repeat=len(values))
        if sum(mask) == n
    ]


def _extra(theta, prior):
    return [sum(Fraction(p) * x for p, x in zip(prior, theta))]


def spence_equilibrium(game, means, theta, prior, grid, efforts, kind="efforts"):
    """Types choose efforts; unsent efforts are taken for the lowest type."""
    sent = [grid.index(e) for e in efforts]
    sender = [[Fraction(int(m == s)) for m in range(len(grid))] for s in sent]
    posterior, receiver = [], []
    for m in range(len(grid)):
        weights = [Fraction(p) if s == m else Fraction(0) for p, s in zip(prior, sent)]
        belief = (
            [w / sum(weights) for w in weights] if any(weights) else [Fraction(int(t == 0)) for t in range(len(theta))]
        )
        mean = sum(b * x for b, x in zip(belief, theta))
        posterior.append(belief)
        receiver.append([Fraction(int(w == mean)) for w in means])
    return equilibrium(game, kind, (sender, [receiver], [posterior]))


# -- beer and quiche -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("name", BELIEF_BASED)
def test_every_forward_induction_argument_keeps_beer_and_strikes_quiche(name, exact):
    game = beer_quiche(Fraction(9, 10) if exact else 0.9)
    strong = Fraction(9, 10) if exact else 0.9
    half = Fraction(1, 2)
    beer = [pool_beer(game, (1, 0), (1, half), strong=strong), pool_beer(game, (1, half), (half, half), strong=strong)]
    quiche = [
        pool_quiche(game, (1, 0), (1, half), strong=strong),
        pool_quiche(game, (1, half), (half, half), strong=strong),
    ]
    if name == "divinity":  # the prior makes a strong sender likely, and belief 1/2 is what holds quiche up
        assert not any(e.survives(name) for e in quiche)
    for e in beer:
        assert e.verdict(name).part == "whole"
    for e in quiche:
        verdict = e.verdict(name)
        assert (verdict.survives, verdict.part, verdict.surviving) == (False, "nothing", ())


def test_the_reason_names_message_type_and_inequality():
    game = beer_quiche(Fraction(9, 10))
    (why,) = pool_quiche(game, (1, 0), strong=Fraction(9, 10)).verdict("intuitive").reasons
    assert (why["message"], why["pruned"], why["tempted"]) == ("beer", ("weak",), ("strong",))
    assert why["numbers"]["weak"] == {"most": 2, "equilibrium": 3}  # not even peace is worth beer to the weak
    assert why["inequality"]["weak"] == "max u(weak, beer, .) over the best replies left = 2 < u*(weak) = 3"
    assert why["shortfall"] == 1  # strong gets 3 after beer, 2 now
    assert why["beliefs"] == ({"strong": 1, "weak": 0},)
    assert why["own_beliefs"] == "none"


def test_own_beliefs_are_told_apart_from_the_outcome():
    game = beer_quiche()
    for off_path, own in [([(1, 0)], "all"), ([(1, 0), (1, 0.5)], "some"), ([(1, 0.5), (0.5, 0.5)], "none")]:
        verdict = pool_beer(game, *off_path).verdict("intuitive")
        assert verdict.part == "whole"
        assert [r["own_beliefs"] for r in verdict.reasons] == [own]


# -- the alliance signal -------------------------------------------------------------------------------------

ALSIG_1 = {"rho": 0.3, "k": 0.6, "h": 0, "d1": 1, "v_I": 0.4, "w": 1, "v_R": 2, "g": 1, "d": 1}
ALSIG_2 = {**ALSIG_1, "k": 0.2}


def silence(game, rho):
    return equilibrium(game, "pooling on silence", ([[1, 0], [1, 0]], [[[1, 0], [1, 0]]], [[[rho, 1 - rho], [0, 1]]]))


def test_a_dear_signal_unmasks_silence_by_the_intuitive_criterion():
    game = alliance_signal(**ALSIG_1)
    assert not any(silence(game, 0.3).survives(name) for name in BELIEF_BASED)
    separating = equilibrium(game, "separating", ([[0, 1], [1, 0]], [[[1, 0], [0, 1]]], [[[0, 1], [1, 0]]]))
    assert all(separating.survives(name) for name in BELIEF_BASED)


def test_a_cheap_signal_needs_d1():
    game = alliance_signal(**ALSIG_2)
    pool = silence(game, 0.3)
    assert {name: pool.survives(name) for name in BELIEF_BASED} == {
        "intuitive": True, "d1": False, "d2": False, "universal divinity": False, "nwbr": False,
        "divinity": True,  # R may be no likelier to sign than I, and the prior then calls for an attack
    }  # fmt: skip
    verdict = pool.verdict("D1")
    assert not verdict.survives
    (why,) = verdict.reasons
    assert (why["message"], why["pruned"], why["by"]) == ("treaty", ("I",), {"I": ("R",)})
    # I breaks even at attack probability (v_I - k)/(v_I) = 1/2, where R gets -k - w/2 = -0.7 against -1
    assert why["numbers"]["I"]["least_gain"] == pytest.approx(0.3)
    assert why["shortfall"] == pytest.approx(0.8)  # the belief goes to R, no attack: R gains w - k
    beta = 3 / 7
    semi = equilibrium(
        game, "semi-separating: I mixes",
        ([[0, 1], [1 - beta, beta]], [[[1, 0], [0.5, 0.5]]], [[[0, 1], [0.5, 0.5]]]),
    )  # fmt: skip
    assert all(semi.survives(name) for name in BELIEF_BASED)


def prior_that_deters():
    game = alliance_signal(**{**ALSIG_2, "rho": 0.7})
    bayes = [0.7, 0.3]
    pool0 = equilibrium(game, "pooling on silence", ([[1, 0], [1, 0]], [[[0, 1], [0, 1]]], [[bayes, [1, 0]]]))
    pool1 = equilibrium(game, "pooling on treaty", ([[0, 1], [0, 1]], [[[1, 0], [0, 1]]], [[[0, 1], bayes]]))
    s = 1 - 0.3 * 0.5 / (0.7 * 0.5)
    semi = equilibrium(
        game, "semi-separating: R mixes", ([[1 - s, s], [1, 0]], [[[0.2, 0.8], [0, 1]]], [[[0.5, 0.5], [1, 0]]])
    )
    return [pool0, pool1, semi]


def test_where_the_prior_deters_all_classes_pass_d1_and_silence_defeats_the_treaty():
    classes = prior_that_deters()
    linked = [replace(e, siblings=classes) for e in classes]
    assert [e.survives("d1") for e in linked] == [True, True, True]
    assert [e.survives("undefeated") for e in linked] == [True, False, True]
    (why,) = linked[1].verdict("undefeated").reasons
    assert why["message"] == "silence"
    assert not why["survives"]
    assert any(n["defeated_by"] == "pooling on silence" and n["senders"] == ("R", "I") for n in why["defeated_by"])


# -- Spence's education --------------------------------------------------------------------------------------

GRID = [Fraction(i, 2) for i in range(8)]
THIRDS = [Fraction(1, 3)] * 3


@pytest.mark.parametrize(("efforts", "expected"), [([0, 0, 3], False), ([0, 1, 3], True)])
def test_three_types_pass_the_intuitive_criterion_and_only_riley_passes_d1(efforts, expected):
    game, means = spence([1, 2, 3], THIRDS, GRID)
    e = spence_equilibrium(game, means, [1, 2, 3], THIRDS, GRID, [Fraction(x) for x in efforts])
    assert e.survives("intuitive")
    assert e.survives("d1") is expected
    assert e.survives("universal divinity") is expected


def test_riley_separation_costs_the_least_that_deters_imitation():
    game, means = spence([1, 2, 3], THIRDS, GRID)
    e = spence_equilibrium(game, means, [1, 2, 3], THIRDS, GRID, [Fraction(0), Fraction(1), Fraction(3)])
    assert list(e.profile.type_payoffs(game).values()) == [1, Fraction(3, 2), 2]


@pytest.mark.parametrize(("share", "undefeated"), [("3/5", "pooling"), ("2/5", "separating")])
def test_undefeated_is_pooling_iff_high_types_are_many(share, undefeated):
    """Mailath et al. (1993): the threshold share is 1 - theta_L / theta_H = 1/2."""
    high = Fraction(share)
    prior, grid = [1 - high, high], [Fraction(0), Fraction(1, 10), Fraction(1, 2), Fraction(1)]
    game, means = spence([1, 2], prior, grid)
    pools = [spence_equilibrium(game, means, [1, 2], prior, grid, [e, e], f"pooling on {e}")
             for e in grid if 1 + high - e >= 1 and 1 + high - e / 2 >= 1]  # fmt: skip
    riley = spence_equilibrium(game, means, [1, 2], prior, grid, [Fraction(0), Fraction(1)], "separating")
    siblings = [*pools, riley]
    survivors = [e.kind for e in siblings if refine(e, "undefeated", siblings).survives]
    assert survivors == (["pooling on 0"] if undefeated == "pooling" else ["separating"])
    assert not any(e.survives("intuitive") for e in pools) or high > Fraction(1, 2)


# -- by the definition, once more ----------------------------------------------------------------------------


def tie_sets(v, types, kept):
    """Sets of responses optimal at the corners of the cells into which indifferences cut the beliefs on some types."""
    n, responses = len(kept), v.shape[1]
    planes = [np.eye(n)[i] for i in range(n)]
    planes += [(v[kept, r] - v[kept, s]).astype(float) for r in range(responses) for s in range(r)]
    found = set()
    for chosen in combinations(planes, n - 1):
        matrix = np.vstack([*chosen, np.ones(n)])
        if abs(np.linalg.det(matrix)) < 1e-9:
            continue
        belief = np.linalg.solve(matrix, np.append(np.zeros(n - 1), 1))
        if (belief > -1e-9).all():
            values = belief @ v[kept]
            found.add(tuple(np.flatnonzero(values > values.max() - 1e-7)))
    return found


def some_mixture(u, sets, value, at_least=(), at_most=()):
    """Whether a mixture over one of some sets of responses gives these types at least, those at most, their value."""
    for ties in sets:
        rows = [-u[t, ties] for t in at_least] + [u[t, ties] for t in at_most]
        bounds = [-value[t] + 1e-7 for t in at_least] + [value[t] + 1e-7 for t in at_most]
        if linprog(np.zeros(len(ties)), rows or None, bounds or None, np.ones((1, len(ties))), [1]).status == 0:
            return True
    return False


def by_definition(name, u, v, value):
    """Whether the outcome survives one unsent message, straight from the definitions; also the types struck out."""
    types = list(range(len(u)))
    sets = tie_sets(v, types, types)
    gains = {t: any(u[t, r] > value[t] + 1e-7 for ties in sets for r in ties) for t in types}
    others = {t: [s for s in types if s != t] for t in types}
    if name == "intuitive":
        struck = [t for t in types if all(u[t, r] < value[t] - 1e-7 for ties in sets for r in ties)]
        if len(struck) == len(types):
            return True, []
        left = [t for t in types if t not in struck]
        replies = {r for ties in tie_sets(v, types, left) for r in ties}
        return all(min(u[t, r] for r in replies) <= value[t] + 1e-7 for t in left), struck
    if name == "d1":
        struck = [t for t in types if any(gains[s] and not some_mixture(u, sets, value, [t], [s]) for s in others[t])]
    elif name == "d2":
        struck = [
            t for t in types if any(gains[s] for s in others[t]) and not some_mixture(u, sets, value, [t], others[t])
        ]
    else:
        struck = [t for t in types if any(gains[s] for s in others[t]) and not some_mixture(u, sets, value, [t], types)]
    left = [t for t in types if t not in struck]
    return some_mixture(u, tie_sets(v, types, left), value, at_most=types), struck


def random_equilibria(rng, types, messages, responses, tries=3):
    """Pooling equilibria of random games; what all get at home is at or a little above what they need to stay."""
    for _ in range(tries):
        prior = rng.integers(1, 5, types)
        u, v = (rng.integers(0, 6, (types, messages, responses)).astype(float) for _ in range(2))
        beliefs = np.vstack(
            [prior, rng.integers(0, 3, (messages - 1, types)) + np.eye(types)[rng.integers(types, size=messages - 1)]]
        )
        beliefs = beliefs / beliefs.sum(axis=1, keepdims=True)
        reply = [int(np.argmax(beliefs[m] @ v[:, m])) for m in range(messages)]
        away = np.max([u[:, m, reply[m]] for m in range(1, messages)], axis=0)
        u[:, 0, reply[0]] = away + rng.choice([0, 0, 0.5, 1, 2], types)
        names = [[f"{letter}{i}" for i in range(n)] for letter, n in zip("tmr", (types, messages, responses))]
        game = SignalingGame(*names, prior / prior.sum(), u, v)
        sender = np.tile(np.eye(messages)[0], (types, 1))
        profile = SignalingProfile(sender, np.eye(responses)[reply][None], beliefs[None])
        yield Equilibrium(game=game, concept="pbe", kind="pooling on m0", profile=profile, refine=refine)


@pytest.mark.parametrize("shape", [(2, 2, 2), (2, 2, 4), (3, 2, 3), (3, 3, 3), (4, 2, 3)])
def test_verdicts_agree_with_the_definitions_on_random_games(shape):
    rng = np.random.default_rng(sum(shape))
    seen = {True: 0, False: 0}
    for _ in range(40 if max(shape) == 2 else 12):
        for e in random_equilibria(rng, *shape):
            value = list(e.profile.type_payoffs(e.game).values())
            unsent = [m for m in range(shape[1]) if e.profile.sender[:, m].sum() == 0]
            for name in ("intuitive", "d1", "d2", "nwbr"):
                told = [
                    by_definition(name, e.game.sender_payoffs[:, m], e.game.receiver_payoffs[:, m], value)
                    for m in unsent
                ]
                verdict = e.verdict(name)
                assert verdict.survives == all(survives for survives, _ in told)
                struck = {
                    e.game.messages[m]: {e.game.types[t] for t in types} for m, (_, types) in zip(unsent, told) if types
                }
                assert {r["message"]: set(r["pruned"]) for r in verdict.reasons if r["pruned"]} == struck
                seen[verdict.survives] += 1
    assert min(seen.values()) > 5


def test_never_weak_best_response_strikes_out_more_than_d2():
    """Both types stay at home with 0; away, r1 gives them (1, -1), r2 (-1, 2) and r3 (-1, -1).

    The receiver replies r3 if it is sure enough of t1, r1 if of t2, and r2 in between, so that it may mix r1 with r2,
    and r2 with r3. *D2*: t1 gains at r1, where t2 does not, and t2 gains at r2, where t1 does not. Nobody is struck
    out, and r3 at a belief in t1 keeps both at home. *NWBR* (Cho and Kreps 1987) looks only where a type breaks even:
    t1 does at r1 and r2 with 1/2 each, where t2 gains 1/2, and is struck out; t2 does at r2 with 1/3 and r3, where t1
    loses, and is not. The receiver then is sure of t2 and replies r1, which brings t1 out.
    """
    away = np.array([[1, -1, -1], [-1, 2, -1]])
    replies = np.array([[0, 2, 3], [3, 2, 0]])
    game = SignalingGame(
        ("t1", "t2"), ("home", "away"), ("r1", "r2", "r3"), [0.5, 0.5],
        np.stack([np.zeros((2, 3)), away], axis=1), np.stack([np.zeros((2, 3)), replies], axis=1),
    )  # fmt: skip
    e = equilibrium(game, "pooling on home", ([[1, 0], [1, 0]], [[[1, 0, 0], [0, 0, 1]]], [[[0.5, 0.5], [1, 0]]]))
    assert e.survives("d1")
    assert e.survives("d2")
    assert not e.survives("nwbr")
    (reason,) = [r for r in e.verdict("nwbr").reasons if r["pruned"]]
    assert set(reason["pruned"]) == {"t1"}


@pytest.mark.parametrize("shape", [(2, 2, 3), (3, 2, 3), (4, 2, 3)])
def test_refinements_are_ordered_by_strength(shape):
    """Pruning grows from intuitive over d1 and d2 to nwbr, from divinity to its universal form; 2 types: d1 = d2."""
    rng = np.random.default_rng(17)
    stronger = [
        ("d1", "intuitive"), ("d2", "d1"), ("nwbr", "d2"),
        ("divinity", "intuitive"), ("universal divinity", "divinity"), ("universal divinity", "d2"),
    ]  # fmt: skip
    for _ in range(15):
        for e in random_equilibria(rng, *shape):
            survives = {name: e.survives(name) for name in BELIEF_BASED}
            for strong, weak in stronger:
                assert survives[weak] or not survives[strong], (strong, weak)
            if shape[0] == 2:
                assert survives["d1"] == survives["d2"]


# -- payoffs that vary over a component ----------------------------------------------------------------------


def toll(*, exact=True):
    """Both stay home, where an idle receiver pays anything from 0 to 2; in peace going is worth 3/2 or 1."""
    half = Fraction(1, 2)
    game = SignalingGame(
        types=("strong", "weak"), messages=("stay", "go"), responses=("fight", "yield"),
        prior=[Fraction(9, 10), Fraction(1, 10)],
        sender_payoffs=[[[0, 2], [1, Fraction(3, 2)]], [[0, 2], [0, 1]]],
        receiver_payoffs=[[[0, 0], [0, 1]], [[0, 0], [1, 0]]],
    )  # fmt: skip
    game = game.exact() if exact else game.floats()
    vertices = [([[1, 0], [1, 0]], [[[1 - s, s], [1, 0]]], [[[Fraction(9, 10), Fraction(1, 10)], b]])
                for s in (half, 1) for b in ([0, 1], [half, half])]  # fmt: skip
    return equilibrium(game, "pooling on stay", *vertices)


@pytest.mark.parametrize("exact", [True, False])
def test_what_survives_is_the_part_of_the_component_with_enough_at_home(exact):
    """Weak with more than 1 at home would not go for peace; then strong is believed, and goes unless it has 3/2."""
    verdict = toll(exact=exact).verdict("intuitive")
    assert verdict.survives
    assert verdict.part == "part"
    at_home = sorted({round(float(2 * p.receiver[0, 0, 1]), 6) for p in verdict.surviving})
    assert at_home == pytest.approx(
        [1, 1.5, 2]
    )  # the point 1, where weak may still hope, and the segment from 3/2 to 2
    (why,) = verdict.reasons
    assert why["message"] == "go"
    assert 1 < why["numbers"]["weak"]["equilibrium"] < 1.5  # told inside the part that fails
    game = toll(exact=exact).game
    for p in verdict.surviving:
        assert verify(game, p).sequentially_rational


def test_two_types_under_d1_leave_only_the_segment():
    """At 1 weak breaks even in peace, where strong gains: d1 strikes it out and the isolated point falls."""
    verdict = toll().verdict("d1")
    assert verdict.part == "part"
    assert {2 * p.receiver[0, 0, 1] for p in verdict.surviving} == {Fraction(3, 2), 2}


# -- receiver types ------------------------------------------------------------------------------------------


def split_receiver(game, shares):
    """The same game with a receiver whose type means nothing."""
    joint = np.outer(game.prior, shares)
    copies = [
        np.repeat(np.asarray(x)[:, None], len(shares), axis=1) for x in (game.sender_payoffs, game.receiver_payoffs)
    ]
    return SignalingGame(
        game.types, game.messages, game.responses, joint, *copies, receiver_types=[f"q{i}" for i in range(len(shares))]
    )


@pytest.mark.parametrize("name", BELIEF_BASED)
def test_receiver_types_that_mean_nothing_change_nothing(name):
    rng = np.random.default_rng(23)
    for _ in range(6):
        for e in random_equilibria(rng, 3, 2, 2):
            split = split_receiver(e.game, [0.25, 0.75])
            p = e.profile
            twice = SignalingProfile(p.sender, np.repeat(p.receiver, 2, axis=0), np.repeat(p.posterior, 2, axis=0))
            copy = Equilibrium(game=split, concept="pbe", kind="", profile=twice, refine=refine)
            assert verify(split, twice).sequentially_rational
            assert copy.survives(name) == e.survives(name)


def informed_receivers(fears_a, fears_b):
    """After "go" p fights if it believes in a by at least ``fears_a``, q if it believes in b by ``fears_b``.

    Going gains 1/2 unless somebody fights for sure: a fight by one type only still leaves both sender types a
    gain.
    """
    x, y = 1 / fears_a - 1, 1 / fears_b - 1  # yielding to a costs p x, fighting b costs it 1; q the other way round
    game = SignalingGame(
        types=("a", "b"), messages=("stay", "go"), responses=("fight", "yield"), receiver_types=("p", "q"),
        prior=[[0.4, 0.2], [0.1, 0.3]],
        sender_payoffs=np.broadcast_to([[0.0, 0.0], [-0.1, 0.5]], (2, 2, 2, 2)),
        receiver_payoffs=[[[[0, 0], [x, 0]], [[0, 0], [0, 1]]], [[[0, 0], [0, 1]], [[0, 0], [y, 0]]]],
    )  # fmt: skip
    bayes = [[0.8, 0.2], [0.4, 0.6]]
    receiver = [[[1, 0], [1, 0]], [[1, 0], [1, 0]]]
    return equilibrium(game, "pooling on stay", ([[1, 0], [1, 0]], receiver, [[bayes[0], [1, 0]], [bayes[1], [0, 1]]]))


def test_beliefs_of_receiver_types_come_from_the_same_trembles():
    """With likelihoods (l, 1 - l) of "go", p believes in a by 4l / (1 + 3l), q in b by 3(1 - l) / (3 - l)."""
    possible = informed_receivers(0.5, 0.5)  # l in [1/5, 3/5] makes both fight
    contrary = informed_receivers(0.9, 0.9)  # p needs l >= 9/13, q needs l <= 1/7: no common origin
    for name in ("d1", "d2", "universal divinity", "nwbr", "divinity"):
        assert possible.survives(name)
        verdict = contrary.verdict(name)
        assert not verdict.survives
        assert verdict.reasons[0]["pruned"] == ()
        assert verdict.reasons[0]["shortfall"] > 0


def test_types_that_the_receivers_rule_out_unlike_each_other_are_refused():
    game = SignalingGame(
        ("a", "b"), ("x", "y"), ("r", "s"), [[0.5, 0.0], [0.25, 0.25]], np.zeros((2, 2, 2, 2)), np.zeros((2, 2, 2, 2)),
        receiver_types=("p", "q"),
    )  # fmt: skip
    bayes = [[2 / 3, 1 / 3], [0, 1]]
    e = equilibrium(game, "pooling on x", ([[1, 0], [1, 0]], np.full((2, 2, 2), 0.5), [[bayes[0]] * 2, [bayes[1]] * 2]))
    with pytest.raises(GameError, match="rule out different sender types"):
        e.survives("d1")


# -- names and limits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("alias", "name"),
    [("Intuitive Criterion", "intuitive"), ("IC", "intuitive"), ("cho-kreps", "intuitive"), ("D1", "d1"), ("D2", "d2"),
     ("universal_divinity", "universal divinity"), ("Universally-Divine", "universal divinity"), ("Divine", "divinity"),
     ("NWBR", "nwbr")],
)  # fmt: skip
def test_usual_names_are_understood(alias, name):
    assert pool_beer(beer_quiche(), (1, 0)).verdict(alias).refinement == name


def test_unknown_names_and_missing_siblings_are_errors():
    e = pool_beer(beer_quiche(), (1, 0))
    with pytest.raises(GameError, match=r"no refinement 'divnity'.*did you mean 'divinity'"):
        e.survives("divnity")
    with pytest.raises(GameError, match="ask one from the set"):
        e.survives("undefeated")


@pytest.mark.parametrize("name", ["divinity", "undefeated"])
def test_a_prior_of_zero_is_refused_where_bayes_rule_is_needed(name):
    e = equilibrium(
        SignalingGame(("a", "b"), ("x", "y"), ("r", "s"), [1, 0], np.zeros((2, 2, 2)), np.zeros((2, 2, 2))),
        "pooling on x", ([[1, 0], [1, 0]], [[[1, 0], [1, 0]]], [[[1, 0], [1, 0]]]),
    )  # fmt: skip
    with pytest.raises(GameError, match="must be positive for every type"):
        refine(e, name, [e])


def test_rounding_is_no_gain_where_payoffs_are_all_the_same():
    flat = SignalingGame(("a", "b"), ("x", "y"), ("r", "s"), [0.625, 0.375], np.ones((2, 2, 2)), np.ones((2, 2, 2)))
    bayes = [0.625, 0.375]
    e = equilibrium(flat, "pooling on x", ([[1, 0], [1, 0]], [[[0.9, 0.1], [1 / 3, 2 / 3]]], [[bayes, bayes]]))
    for name in REFINEMENTS:
        assert refine(e, name, [e]).part == "whole"


def test_an_equilibrium_that_uses_every_message_has_nothing_to_refine():
    game = alliance_signal(**ALSIG_1)
    separating = equilibrium(game, "separating", ([[0, 1], [1, 0]], [[[1, 0], [0, 1]]], [[[0, 1], [1, 0]]]))
    for name in BELIEF_BASED:
        verdict = separating.verdict(name)
        assert (verdict.part, verdict.reasons, verdict.surviving) == ("whole", (), ())


# -- end to end: the textbook's table, from all equilibria ---------------------------------------------------


def verdicts(game, name):
    """Whether the equilibria of each kind survive; components of one outcome agree."""
    table = {}
    for e in pbe(game):
        table.setdefault(e.kind, set()).add(e.survives(name))
    assert all(len(answers) == 1 for answers in table.values())
    return {kind: answers.pop() for kind, answers in table.items()}


def test_beer_quiche_end_to_end():
    for name in BELIEF_BASED:
        assert verdicts(beer_quiche(), name) == {"pooling on beer": True, "pooling on quiche": False}
    assert pbe(beer_quiche()).where(survives="intuitive").kinds == ("pooling on beer",)
    # quiche is better for weak, beer for strong: K is everybody and nobody's gain is everybody's
    assert verdicts(beer_quiche(), "undefeated") == {"pooling on beer": True, "pooling on quiche": True}


@pytest.mark.parametrize(
    ("changes", "name", "expected"),
    [
        ({"k": 0.6}, "intuitive", {"pooling on silence": False, "separating": True}),
        ({"k": 0.6}, "d1", {"pooling on silence": False, "separating": True}),
        ({"k": 0.2}, "intuitive", {"pooling on silence": True, "semi-separating: I mixes": True}),
        ({"k": 0.2}, "d1", {"pooling on silence": False, "semi-separating: I mixes": True}),
        ({"k": 0.2}, "divinity", {"pooling on silence": True, "semi-separating: I mixes": True}),
        ({"k": 0.2, "rho": 0.7}, "d1",
         {"pooling on silence": True, "pooling on treaty": True, "semi-separating: R mixes": True}),
        ({"k": 0.2, "rho": 0.7}, "undefeated",
         {"pooling on silence": True, "pooling on treaty": False, "semi-separating: R mixes": True}),
    ],
)  # fmt: skip
def test_the_alliance_signal_end_to_end(changes, name, expected):
    assert verdicts(alliance_signal(**{**ALSIG_1, **changes}), name) == expected


def test_exact_and_float_verdicts_agree():
    rng = np.random.default_rng(31)
    for _ in range(15):
        weights = [int(w) for w in rng.integers(1, 5, 3)]
        u, v = (rng.integers(0, 5, (3, 2, 3)).tolist() for _ in range(2))
        game = SignalingGame(list("abc"), list("xy"), list("rst"), [Fraction(w, sum(weights)) for w in weights], u, v)
        exact, floats = pbe(game, exact=True), pbe(game)
        assert len(exact) == len(floats)
        for name in REFINEMENTS:
            assert [answer(e, name) for e in exact] == [answer(e, name) for e in floats]


def answer(equilibrium, name):
    try:
        return equilibrium.verdict(name).part
    except GameError as error:
        return str(error)


def generic_games(rng, count):
    for _ in range(count):
        types, messages, responses = rng.integers(2, 4, 3)
        prior = rng.integers(1, 10, types)
        u, v = (rng.integers(0, 1000, (types, messages, responses)).astype(float) for _ in range(2))
        names = [[f"{letter}{i}" for i in range(n)] for letter, n in zip("tmr", (types, messages, responses))]
        yield SignalingGame(*names, prior / prior.sum(), u, v)


def test_some_outcome_of_a_generic_game_survives_every_belief_based_refinement():
    """Cho and Kreps (1987), from Kohlberg and Mertens (1986): a stable component of a generic game passes NWBR."""
    refined = 0
    for game in generic_games(np.random.default_rng(41), 25):
        found = pbe(game)
        for name in BELIEF_BASED:
            survivors = [e.survives(name) for e in found]
            assert any(survivors)
            refined += not all(survivors)
    assert refined > 10


def defeated_by_definition(e, rivals):
    """Mailath et al. for two types: intersect the beliefs in type 0 that rivals allow; look for one that deters."""
    game, value = e.game, list(e.profile.type_payoffs(e.game).values())
    p = float(game.prior[0])
    for m in range(len(game.messages)):
        if e.profile.sender[:, m].sum() > 0:
            continue
        low, high = 0.0, 1.0
        for rival in rivals:
            there = list(rival.profile.type_payoffs(game).values())
            senders = [t for t in (0, 1) if rival.profile.sender[t, m] > 0]
            better = [t for t in senders if there[t] > value[t] + 1e-7]
            if not senders or not better or any(there[t] < value[t] - 1e-7 for t in senders):
                continue
            if senders == [0]:
                allowed = (1.0, 1.0)
            elif senders == [1]:
                allowed = (0.0, 0.0)
            else:
                allowed = (p, p) if len(better) == 2 else (p, 1.0) if better == [0] else (0.0, p)
            low, high = max(low, allowed[0]), min(high, allowed[1])
        u, v = game.sender_payoffs[:, m], game.receiver_payoffs[:, m]
        slopes = [
            (v[1, s] - v[1, r], v[0, r] - v[1, r] - v[0, s] + v[1, s]) for r in range(u.shape[1]) for s in range(r)
        ]
        beliefs = [low, high, *(a / b for a, b in slopes if abs(b) > 1e-12 and low <= a / b <= high)]
        beliefs = sorted(b for b in beliefs if low <= b <= high)
        beliefs += [(a + b) / 2 for a, b in pairwise(beliefs)]
        ties = set()
        for b in beliefs:
            values = b * v[0] + (1 - b) * v[1]
            ties.add(tuple(np.flatnonzero(values > values.max() - 1e-7)))
        if not some_mixture(u, ties, value, at_most=(0, 1)):
            return True
    return False


def test_undefeated_agrees_with_its_definition_on_generic_two_type_games():
    rng = np.random.default_rng(43)
    seen = {True: 0, False: 0}
    for _ in range(60):
        messages, responses = rng.integers(2, 4, 2)
        prior = rng.integers(1, 10, 2)
        u, v = (rng.integers(0, 1000, (2, messages, responses)).astype(float) for _ in range(2))
        names = [[f"{letter}{i}" for i in range(n)] for letter, n in zip("tmr", (2, messages, responses))]
        found = pbe(SignalingGame(*names, prior / prior.sum(), u, v))
        for e in found:
            assert e.survives("undefeated") is not defeated_by_definition(e, found)
            seen[e.survives("undefeated")] += 1
    assert min(seen.values()) > 10


# -- the linear programs underneath ----------------------------------------------------------------------------


def test_rational_linear_programs_agree_with_floating_point():
    rng = np.random.default_rng(3)
    infeasible = 0
    for _ in range(200):
        n, rows, equal = rng.integers(1, 6), rng.integers(1, 5), rng.integers(1, 4)
        cost = rng.integers(-4, 5, n)
        upper = np.vstack([rng.integers(-3, 4, (rows, n)), np.ones((1, n), dtype=int)])  # the last row bounds x
        bounds = np.append(rng.integers(-4, 5, rows), 10)
        matrix, right = rng.integers(-3, 4, (equal, n)), rng.integers(-3, 4, equal)
        third = Fraction(1, 3)
        found = minimise(
            [third * int(c) for c in cost],
            [([int(a) for a in row], int(b)) for row, b in zip(upper, bounds)],
            [([third * int(a) for a in row], third * int(b)) for row, b in zip(matrix, right)],
        )
        reference = linprog(cost / 3, upper, bounds, matrix, right)
        if reference.status == 2:
            infeasible += 1
            assert found is None
            continue
        value, x = found
        assert float(value) == pytest.approx(reference.fun, abs=1e-9)
        assert value == sum(third * int(c) * y for c, y in zip(cost, x))
        assert all(y >= 0 for y in x)
        assert all(sum(int(a) * y for a, y in zip(row, x)) <= b for row, b in zip(upper, bounds))
        assert all(sum(int(a) * y for a, y in zip(row, x)) == b for row, b in zip(matrix, right))
    assert 20 < infeasible < 180


def test_an_unbounded_program_says_so():
    with pytest.raises(ValueError, match="unbounded"):
        minimise([-1, 0], equal=[([0, 1], 1)])
