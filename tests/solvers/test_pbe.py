"""All perfect Bayesian equilibria of signaling games: known answers, the definition, invariances, degenerate games."""

from __future__ import annotations

import itertools
from fractions import Fraction
from math import lcm

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deterrence.games.errors import GameError, ParameterError
from deterrence.games.quantities import symbols
from deterrence.games.signaling import SignalingGame
from deterrence.solvers.algebra.polytopes import Polytope, form, mean, members
from deterrence.solvers.pbe import pbe
from deterrence.solvers.signaling.equilibria import kind_of
from deterrence.solvers.verify import verify
from tests.strategies import signaling_games

THIRD = Fraction(1, 3)


def beer_quiche(strong):
    """Cho and Kreps (1987)."""
    return SignalingGame(
        ("strong", "weak"), ("beer", "quiche"), ("duel", "not"), [strong, 1 - strong],
        [[[1, 3], [0, 2]], [[0, 2], [1, 3]]], [[[0, 1], [0, 1]], [[1, 0], [1, 0]]],
    )  # fmt: skip


def alliance_signal(rho, k, h, d1, v_I=0.4, w=1.0, v_R=2.0, g=1.0, d=1.0):
    """Fearon (1997) and Morrow (1994) in two types: a guarantor sends a costly sign, an aggressor attacks or not."""

    def attacked(stake, m):
        fight, abandon = -w, -stake - h * m
        return (fight, -(d1 if m else d)) if fight >= abandon else (abandon, g)

    table = [[attacked(stake, m) for m in (0, 1)] for stake in (v_R, v_I)]
    sender = [[[-k * m, table[t][m][0] - k * m] for m in (0, 1)] for t in (0, 1)]
    receiver = [[[0, table[t][m][1]] for m in (0, 1)] for t in (0, 1)]
    return SignalingGame(("R", "I"), ("silence", "treaty"), ("refrain", "attack"), [rho, 1 - rho], sender, receiver)


def spence(grid, wages, theta=(1, 2, 3)):
    """Spence (1973) with a grid of efforts and of wages: the market's loss is the squared error of the wage."""
    sender = [[[wage - Fraction(effort) / t for wage in wages] for effort in grid] for t in theta]
    receiver = [[[-((wage - t) ** 2) for wage in wages] for _ in grid] for t in theta]
    return SignalingGame(
        [f"ability {t}" for t in theta], [f"effort {e}" for e in grid], [f"wage {w}" for w in wages],
        [Fraction(1, len(theta))] * len(theta), sender, receiver,
    )  # fmt: skip


def square(prior, sender, receiver):
    """A 2x2x2 game by its numbers."""
    return SignalingGame(("t0", "t1"), ("m0", "m1"), ("r0", "r1"), [prior, 1 - prior], sender, receiver)


def senders(found):
    """The distinct sender strategies of relative interiors."""
    return sorted({tuple(map(tuple, np.round(e.profile.sender.astype(float), 8).tolist())) for e in found})


# -- known answers ---------------------------------------------------------------------------------


def test_beer_quiche_has_two_outcomes_held_by_duels():
    found = pbe(beer_quiche(0.9))
    assert found.complete
    assert found.kinds == ("pooling on beer", "pooling on quiche")
    assert found.probability("duel") == (0, 0)
    for message, off in (("beer", 1), ("quiche", 0)):
        duels = [v.receiver[0, off, 0] for e in found if e.kind == f"pooling on {message}" for v in e.vertices]
        assert min(duels) == pytest.approx(0.5, abs=1e-12)
        assert max(duels) == 1
    on_belief = [v.posterior[0, 1] for e in found.where(kind="pooling on beer") for v in e.vertices]
    assert min(weak for _, weak in on_belief) == pytest.approx(0.5, abs=1e-12)


def test_beer_quiche_with_few_strong_types_is_the_unique_hybrid():
    found = pbe(beer_quiche(Fraction(1, 10)), exact=True)
    assert [e.kind for e in found] == ["semi-separating: weak mixes"]
    (only,) = found
    assert only.isolated
    assert only.strategies["Sender"] == {
        "strong": {"beer": 1, "quiche": 0},
        "weak": {"beer": Fraction(1, 9), "quiche": Fraction(8, 9)},
    }
    assert only.strategies["Receiver"] == {
        "beer": {"duel": Fraction(1, 2), "not": Fraction(1, 2)},
        "quiche": {"duel": 1, "not": 0},
    }
    assert only.probability("duel") == Fraction(9, 10)
    assert only.certificate.exact
    assert only.certificate.max_regret == 0


@pytest.mark.parametrize(
    ("rho", "k", "h", "d1", "expected"),
    [  # sender strategies (R, I), attacks after silence and (least) after a treaty, attack probability
        (0.3, 0.6, 0, 1, {((1, 0), (1, 0)): (1, 0.4, 1), ((0, 1), (1, 0)): (1, 0, 0.7)}),
        (0.3, 0.2, 0, 1, {((1, 0), (1, 0)): (1, 0.8, 1), ((0, 1), (1 - 3 / 7, 3 / 7)): (1, 0.5, 0.7)}),
        (0.3, 0, 0.2, 1, {((1, 0), (1, 0)): (1, 1, 1), ((0, 1), (1 - 3 / 7, 3 / 7)): (1, 2 / 3, 0.8)}),
        (0.4, 0.2, 0, 3, {((1, 0), (1, 0)): (1, 0.8, 1), ((0, 1), (0, 1)): (0.5, 0, 0)}),
        (0.3, 0.1, 0.7, 1, {((0, 1), (0, 1)): (0.25, 0, 0)}),
        (0.7, 0.2, 0, 1, {
            ((1, 0), (1, 0)): (0, 0, 0),
            ((3 / 7, 4 / 7), (1, 0)): (0.2, 0, 0.12),
            ((0, 1), (0, 1)): (0.5, 0, 0),
        }),
    ],
)  # fmt: skip
def test_alliance_signals_have_the_closed_form_classes(rho, k, h, d1, expected):
    found = pbe(alliance_signal(rho, k, h, d1))
    rounded = {tuple(map(tuple, np.round(key, 8).tolist())): value for key, value in expected.items()}
    assert senders(found) == sorted(rounded)
    for strategy, (after_silence, after_treaty, attack) in rounded.items():
        same = [e for e in found if senders([e]) == [strategy]]
        vertices = [v for e in same for v in e.vertices]
        assert min(v.receiver[0, 0, 1] for v in vertices) == pytest.approx(after_silence, abs=1e-9)
        assert min(v.receiver[0, 1, 1] for v in vertices) == pytest.approx(after_treaty, abs=1e-9)
        for e in same:
            assert e.probability_range("attack") == pytest.approx((attack, attack), abs=1e-9)


def test_spence_market_separates_at_the_least_cost():
    """Riley (1979): efforts 0, 1, 3 of abilities 1, 2, 3; each type is just indifferent to the next one's effort.

    On a grid of wages a few imitators change no wage, so that separation is the corner of a component.
    """
    found = pbe(spence((0, 1, 3), (1, Fraction(3, 2), 2, Fraction(5, 2), 3)), exact=True)
    riley = [e for e in found if any((v.sender == np.eye(3, dtype=int)).all() for v in e.vertices)]
    assert riley
    for e in riley:
        assert {tuple(v.type_payoffs(e.game).values()) for v in e.vertices} == {(1, Fraction(3, 2), 2)}
    pooling = found.where(kind="pooling on effort 0")
    assert pooling[0].strategies["Receiver"]["effort 0"]["wage 2"] == 1
    dearer = pbe(spence((0, Fraction(11, 10), Fraction(33, 10)), (1, 2, 3)), exact=True)
    assert "separating" in dearer.kinds


def test_pooling_held_up_by_a_mixed_reply_is_found():
    """Found by no pure reply off the path; a well-known tree solver returns nothing here."""
    found = pbe(
        square(
            Fraction(5, 6), [[[30, 75], [19, 49]], [[53, 54], [59, 17]]], [[[22, 24], [65, 52]], [[61, 0], [6, 69]]]
        ),
        exact=True,
    )
    assert [e.kind for e in found] == ["pooling on m0"]
    replies = sorted(v.receiver[0, 1, 0] for v in found[0].vertices)
    assert replies == [Fraction(19, 30), Fraction(6, 7)]


def test_unique_totally_mixed_equilibrium_is_found():
    found = pbe(
        square(Fraction(8, 17), [[[7, 89], [49, 13]], [[61, 11], [77, 20]]], [[[69, 0], [52, 4]], [[12, 29], [5, 89]]]),
        exact=True,
    )
    assert [e.kind for e in found] == ["semi-separating: t0, t1 mix"]
    assert found[0].isolated
    assert all(0 < x < 1 for array in (found[0].profile.sender, found[0].profile.receiver) for x in array.ravel())


# -- the definition, directly ----------------------------------------------------------------------


def whole(table):
    """Rationals times their common denominator."""
    common = lcm(*(x.denominator for x in table.ravel()))
    return np.vectorize(lambda x: int(x * common), otypes=[object])(table)


def coordinates(point):
    """A polytope's point in rational numbers."""
    return tuple(Fraction(x, point[-1]) for x in point[:-1])


def products(game):
    """Maximal products by the definition: all pairs of supports, and every product compared with every other."""
    T, Q, M, R = game.shape
    u, v, b = (
        whole(table).tolist() for table in (game.sender_view[:, :, None, None] * game.U, game.V, game.receiver_view)
    )
    pay = {
        (t, m): [((q * M + m) * R + r, u[t][q][m][r]) for q in range(Q) for r in range(R)]
        for t in range(T) for m in range(M)
    }  # fmt: skip
    found = []
    for sends in itertools.product(range(1, 1 << M), repeat=T):
        on = {(q, m) for q in range(Q) for m in range(M) if any(sends[t] >> m & 1 and b[t][q] > 0 for t in range(T))}
        for replies in itertools.product(range(1, 1 << R), repeat=Q * M):
            beliefs, sigma = (
                {},
                Polytope([[t * M + m for m in members(sends[t])] for t in range(T)], T * M),
            )
            for q, m in itertools.product(range(Q), range(M)):
                mask = replies[q * M + m]
                first = members(mask)[0]
                target = sigma if (q, m) in on else Polytope([range(T)], T)
                for r in range(R):
                    gap = [v[t][q][m][first] - v[t][q][m][r] for t in range(T)]
                    row = (
                        [(t * M + m, b[t][q] * g) for t, g in enumerate(gap)] if (q, m) in on else list(enumerate(gap))
                    )
                    target.cut(row, equality=bool(mask >> r & 1))
                beliefs[q, m] = target
            rho = Polytope([[i * R + r for r in members(mask)] for i, mask in enumerate(replies)], Q * M * R)
            for t, m in itertools.product(range(T), range(M)):
                home = members(sends[t])[0]
                rho.cut(pay[t, home] + [(i, -c) for i, c in pay[t, m]], equality=bool(sends[t] >> m & 1))
            supports = [sum(x << i * n for i, x in enumerate(masks)) for masks, n in ((sends, M), (replies, R))]
            if [sigma.support, rho.support] != supports or not all(p.vertices for p in beliefs.values()):
                continue
            inner, reply = mean(sigma.points), mean(rho.points)
            values = [[form(pay[t, m], reply) for m in range(M)] for t in range(T)]
            best = [0, 0]
            for t, m in itertools.product(range(T), range(M)):
                best[0] |= (values[t][m] == max(values[t])) << (t * M + m)
            for q, m in itertools.product(range(Q), range(M)):
                weights = (
                    [b[t][q] * inner[t * M + m] for t in range(T)] if (q, m) in on else mean(beliefs[q, m].points)[:T]
                )
                gains = [sum(w * v[t][q][m][r] for t, w in enumerate(weights)) for r in range(R)]
                for r in range(R):
                    best[1] |= (gains[r] == max(gains)) << ((q * M + m) * R + r)
            found.append((on, supports, best, set(map(coordinates, sigma.points)), set(map(coordinates, rho.points))))

    def inside(a, c):
        return a is not c and a[0] == c[0] and all(s & ~s2 == 0 and s2 & ~h == 0 for s, s2, h in zip(a[1], c[1], a[2]))

    return [a for a in found if not any(inside(a, c) for c in found)]


def as_sets(found):
    """Each component as its sender's and its receivers' vertices."""
    return {
        (
            frozenset(tuple(v.sender.ravel().tolist()) for v in e.vertices),
            frozenset(tuple(v.receiver.ravel().tolist()) for v in e.vertices),
        )
        for e in found
    }


@given(game=signaling_games(shapes=((2, 2, 2),)))
@settings(max_examples=30)
def test_components_are_the_maximal_products_of_the_definition(game):
    found = pbe(game, exact=True)
    expected = {(frozenset(a[3]), frozenset(a[4])) for a in products(game.exact())}
    assert as_sets(found) == expected
    assert len(found) == len(expected)


@pytest.mark.parametrize("strong", [0, Fraction(1, 2), 1])
def test_components_are_the_maximal_products_at_special_priors(strong):
    """At 1/2 the prior itself makes the receiver indifferent: a point where cells of beliefs meet."""
    game = beer_quiche(Fraction(strong))
    found = pbe(game, exact=True)
    assert as_sets(found) == {(frozenset(a[3]), frozenset(a[4])) for a in products(game.exact())}
    assert len(found) == len(products(game.exact()))


@given(game=signaling_games(shapes=((2, 2, 2),), three_priors=True))
@settings(max_examples=settings().max_examples // 3)  # each takes a fifth of a second
def test_components_are_the_maximal_products_if_priors_differ(game):
    assert as_sets(pbe(game, exact=True)) == {(frozenset(a[3]), frozenset(a[4])) for a in products(game.exact())}


@given(game=signaling_games(shapes=((2, 2, 2),), receiver_types=2, three_priors=True))
@settings(max_examples=4)
def test_components_are_the_maximal_products_for_two_receiver_types(game):
    assert as_sets(pbe(game, exact=True)) == {(frozenset(a[3]), frozenset(a[4])) for a in products(game.exact())}


# -- certificates and exactness --------------------------------------------------------------------


@given(game=signaling_games(three_priors=True))
def test_every_vertex_is_certified_and_some_equilibrium_exists(game):
    found = pbe(game, exact=True)
    assert len(found) >= 1
    for e in found:
        assert verify(game.exact(), e).max_regret == 0
        assert verify(game.exact(), e).max_belief_error == 0
        assert e.certificate.sequentially_rational


@given(game=signaling_games(three_priors=True))
def test_floats_and_rationals_agree(game):
    exact, floats = pbe(game, exact=True), pbe(game)
    assert [e.kind for e in exact] == [e.kind for e in floats]
    for a, b in zip(exact, floats):
        assert len(a.vertices) == len(b.vertices)
        for name in ("sender", "receiver", "posterior"):
            ours, theirs = getattr(a.profile, name), getattr(b.profile, name)
            assert all(isinstance(x, Fraction) for x in ours.ravel())
            assert np.allclose(ours.astype(float), theirs, atol=1e-9)


@given(game=signaling_games(shapes=((2, 2, 2), (2, 2, 3)), receiver_types=2))
@settings(max_examples=settings().max_examples // 3)  # each takes a fifth of a second
def test_floats_and_rationals_agree_for_two_receiver_types(game):
    exact, floats = pbe(game, exact=True), pbe(game)
    assert [(e.kind, len(e.vertices)) for e in exact] == [(e.kind, len(e.vertices)) for e in floats]
    for r in game.responses:
        assert [float(x) for x in exact.probability(r)] == pytest.approx(floats.probability(r), abs=1e-9)


def test_the_largest_search_drops_nothing():
    """The linear systems that thin out candidates keep every equilibrium of games with three of everything."""
    rng = np.random.default_rng(5)
    for high in (3, 5, 1000):
        u, v = rng.integers(0, high, (2, 3, 3, 3)).astype(float)
        game = SignalingGame(*[[f"{x}{i}" for i in range(3)] for x in "tmr"], [0.2, 0.3, 0.5], u, v)
        assert [e.kind for e in pbe(game)] == [e.kind for e in pbe(game, exact=True)]


def test_an_improbable_type_is_no_tie():
    """A posterior is judged alike however improbable its message: the weak type alone sends quiche at p = 1 - 1e-11."""
    for game in (beer_quiche(1 - 1e-11), beer_quiche(1e-11)):
        for e in pbe(game):
            assert verify(game, e).sequentially_rational
    assert pbe(beer_quiche(1e-11)).kinds == ("semi-separating: weak mixes",)


@pytest.mark.parametrize("rare", [1e-3, 1e-8, 1e-9, 1e-10, 1e-12, 1e-14])
def test_rare_types_and_ties_are_solved_at_every_scale(rare):
    """Posteriors within the tolerance of a tie, where the payoffs are tied besides: each case is still certified."""
    rng = np.random.default_rng(3)
    for types, responses in ((2, 2), (2, 3), (3, 2)) * 8:
        u, v = rng.integers(0, rng.choice([2, 4]), (2, types, 2, responses)).astype(float)
        prior = np.array([1 - rare * (types - 1)] + [rare] * (types - 1))
        labels = [[f"{x}{i}" for i in range(n)] for x, n in zip("tmr", (types, 2, responses))]
        found = pbe(SignalingGame(*labels, prior, 1e6 * u + 1000, v / 3 + 0.1))
        assert all(e.certificate.max_regret <= 1e-8 * 4e6 for e in found)


# -- invariances -----------------------------------------------------------------------------------


@given(game=signaling_games(shapes=((2, 2, 3), (3, 2, 2), (2, 3, 2))), data=st.data())
def test_labels_do_not_matter(game, data):
    T, _, M, R = game.shape
    types, messages, responses = (data.draw(st.permutations(range(n))) for n in (T, M, R))
    index = np.ix_(types, messages, responses)
    other = SignalingGame(
        [game.types[i] for i in types], [game.messages[i] for i in messages], [game.responses[i] for i in responses],
        game.prior[list(types)], game.sender_payoffs[index], game.receiver_payoffs[index],
    )  # fmt: skip

    def permuted(e):
        return (
            frozenset(tuple(v.sender[np.ix_(types, messages)].ravel().tolist()) for v in e.vertices),
            frozenset(tuple(v.receiver[:, messages][:, :, responses].ravel().tolist()) for v in e.vertices),
        )

    assert as_sets(pbe(other, exact=True)) == {permuted(e) for e in pbe(game, exact=True)}


@given(game=signaling_games(), scale=st.sampled_from([THIRD, 2, 1000]), shift=st.integers(-5, 5))
def test_units_of_payoff_do_not_matter(game, scale, shift):
    u, v = game.sender_payoffs.tolist(), game.receiver_payoffs.tolist()

    def rescaled(table, by_type):
        return [
            [[scale * Fraction(x) + shift * by_type[t] for x in row] for row in rows] for t, rows in enumerate(table)
        ]

    steps = list(range(1, len(game.types) + 1))
    other = SignalingGame(
        game.types, game.messages, game.responses, game.prior, rescaled(u, steps), rescaled(v, steps)
    )  # fmt: skip
    assert as_sets(pbe(other, exact=True)) == as_sets(pbe(game, exact=True))
    assert [e.kind for e in pbe(other)] == [e.kind for e in pbe(game)]


@settings(max_examples=settings().max_examples // 3)
@given(game=signaling_games(shapes=((2, 2, 2), (2, 2, 3))))
def test_splitting_a_type_in_two_changes_no_outcome(game):
    split_in_two(game)


@pytest.mark.slow
@given(game=signaling_games(shapes=((2, 3, 2),)))
def test_splitting_a_type_in_two_changes_no_outcome_with_three_messages(game):
    split_in_two(game)


def split_in_two(game):
    """Twins may divide what the one type did between them; beliefs add up."""
    twice = [0, 0, *range(1, len(game.types))]
    half = [game.prior[t] / 2 if t == 0 else game.prior[t] for t in twice]
    split = SignalingGame(
        [f"s{i}" for i in range(len(twice))], game.messages, game.responses, half,
        game.sender_payoffs[twice], game.receiver_payoffs[twice],
    )  # fmt: skip
    one, two = pbe(game, exact=True), pbe(split, exact=True)
    for event in (*game.messages, *game.responses):
        assert one.probability(event) == two.probability(event)


@given(game=signaling_games(shapes=((2, 2, 2), (2, 2, 3))), which=st.sampled_from([0, 1]))
def test_a_certain_type_meets_complete_information(game, which):
    """Outcomes without the other type are among those of prior one; all of them if the receiver does not care."""
    certain = [1 - which, which]
    v = game.receiver_payoffs
    careless = v[[which, which]]
    for payoffs, same in ((v, False), (careless, True)):
        both = pbe(
            SignalingGame(game.types, game.messages, game.responses, certain, game.sender_payoffs, payoffs), exact=True
        )
        alone = pbe(
            SignalingGame(
                game.types[which : which + 1], game.messages, game.responses, [1],
                game.sender_payoffs[[which]], payoffs[[which]],
            ),
            exact=True,
        )  # fmt: skip
        for event in (*game.messages, *game.responses):
            (low, high), (least, most) = alone.probability(event), both.probability(event)
            assert least <= low <= high <= most
            assert not same or (least, most) == (low, high)


def test_order_does_not_depend_on_the_run():
    game = spence((0, 1, 2), (1, 2, 3))
    first, second = pbe(game), pbe(game)
    for a, b in zip(first, second, strict=True):
        assert a.kind == b.kind
        assert (a.profile.sender == b.profile.sender).all()
        assert (a.profile.receiver == b.profile.receiver).all()


# -- degenerate games ------------------------------------------------------------------------------


def test_a_game_nobody_cares_about_has_one_component_per_path():
    """All profiles are equilibria: off-path beliefs set the three sets of messages apart, and nothing else does."""
    found = pbe(square(0.5, np.zeros((2, 2, 2)), np.zeros((2, 2, 2))))
    assert [(e.kind, len(e.vertices)) for e in found] == [
        ("pooling on m0", 8),
        ("pooling on m1", 8),
        ("semi-separating: t0, t1 mix", 16),
    ]
    assert found.probability("m0") == (0, 1)
    assert found.probability("r1") == (0, 1)


def contrary():
    """The receiver says yes or no, no pays nothing; yes pays the sender -1 where message and type fit, else 1."""
    fits = np.array([[1, -1], [-1, 1]])
    zero = np.zeros((2, 2))
    return SignalingGame(
        ("L", "R"), ("A", "B"), ("yes", "no"), [0.9, 0.1],
        np.stack([-fits, zero], axis=-1), np.stack([fits, zero], axis=-1),
    )  # fmt: skip


def test_a_component_knows_every_kind_that_occurs_on_it():
    """Separating, L to B and R to A, both met by no, is a corner of a component in which L mixes."""
    game = contrary()
    found = pbe(game)
    separating = found.where(kind="separating")
    assert separating
    assert "separating" in found.kinds
    for e in separating:
        assert e.kind != "separating"
        assert e.kind == e.kinds[0]
        crossed = [v for v in e.vertices if v.sender.tolist() == [[0, 1], [1, 0]]]
        assert crossed
        assert all(v.receiver[0, :, 1].tolist() == [1, 1] for v in crossed)


@given(game=signaling_games(shapes=((2, 2, 2), (3, 2, 2), (2, 3, 2))))
def test_the_kinds_of_a_component_are_those_of_its_points(game):
    """Each vertex and each average of two has a kind that its component names."""
    for e in pbe(game):
        vertices = [e.vertices[i] for i in range(min(len(e.vertices), 12))]
        for a, b in itertools.combinations_with_replacement(vertices, 2):
            sends = [np.flatnonzero(row).tolist() for row in (a.sender + b.sender)]
            assert kind_of(sends, game.types, game.messages) in e.kinds
        assert "mixes" not in e.kind or any(((row > 0) & (row < 1)).any() for row in e.profile.sender)


def test_constant_payoffs_other_than_zero_are_ties_too():
    found = pbe(square(0.3, np.full((2, 2, 2), 0.1), np.full((2, 2, 2), 1 / 3)))
    assert [len(e.vertices) for e in found] == [8, 8, 16]


def test_free_announcements_babble():
    """ALSIG with k = h = 0: whatever is said, the aggressor attacks; the talk itself is a continuum."""
    found = pbe(alliance_signal(0.3, 0, 0, 1))
    assert found.probability("attack") == pytest.approx((1, 1), abs=1e-12)
    talk = [e for e in found if not e.isolated and e.kind.startswith("semi-separating")]
    assert talk
    assert talk[0].probability_range("treaty") == (0, 1)


def test_twin_messages_share_what_one_would_get():
    """Two copies of beer: the strong may divide beer between them, and the set of attack probabilities is the same."""
    single = beer_quiche(Fraction(1, 10))
    double = SignalingGame(
        single.types, ("beer", "ale", "quiche"), single.responses, single.prior,
        single.sender_payoffs[:, [0, 0, 1]], single.receiver_payoffs[:, [0, 0, 1]],
    )  # fmt: skip
    found = pbe(double, exact=True)
    assert found.probability("duel") == (Fraction(9, 10), Fraction(9, 10))
    mixed = [e for e in found if e.kind == "semi-separating: strong, weak mix"]
    assert mixed
    low, high = mixed[0].probability_range("ale")
    assert (low, high) == (0, Fraction(1, 5))


def test_types_that_no_prior_allows_still_choose_best():
    game = SignalingGame(
        ("real", "imagined"), ("m0", "m1"), ("r0", "r1"), [1, 0],
        [[[2, 2], [0, 0]], [[0, 0], [3, 1]]], [[[1, 0], [1, 0]], [[0, 1], [0, 1]]],
    )  # fmt: skip
    found = pbe(game, exact=True)
    assert {e.kind for e in found} == {"separating"}
    replies = {v.receiver[0, 1, 0] for e in found for v in e.vertices}
    assert replies == {0, 1}, "after m1 the belief is free, although the imagined type sends it"


def test_priors_that_differ_rule_who_expects_what():
    """The receiver rules out the type that is there: its message surprises, and the belief after it is free."""
    game = SignalingGame(
        ("a", "b"), ("m0", "m1"), ("r0", "r1"), [1, 0],
        [[[1, 1], [0, 0]], [[0, 0], [1, 1]]], [[[1, 0], [1, 0]], [[0, 1], [0, 1]]], receiver_prior=[0, 1],
    )  # fmt: skip
    found = pbe(game, exact=True)
    assert found.probability("m0") == (1, 1)
    assert found.probability("r0") == (0, 1)
    after = {v.posterior[0, 0, 0] for e in found for v in e.vertices}
    assert after == {0, Fraction(1, 2), 1}


def test_two_receiver_types_see_one_message_differently():
    """A hawk and a dove hold the same belief and reply differently; the sender averages over them."""
    game = SignalingGame(
        ("tough", "soft"), ("arm", "wait"), ("yield", "fight"), [["1/4", "1/4"], ["1/4", "1/4"]],
        [[[[2, 0], [1, -1]]] * 2, [[[-1, -2], [1, -1]]] * 2],
        [[[[0, -3]] * 2, [[0, -1]] * 2], [[[0, -1]] * 2, [[0, 2]] * 2]],
        receiver_types=("dove", "hawk"),
    )  # fmt: skip
    separating = pbe(game, exact=True).where(kind="separating")
    assert len(separating) == 1
    replies = separating[0].strategies["Receiver"]
    assert replies["wait", "dove"]["yield"] == 1
    assert replies["wait", "hawk"]["fight"] == 1
    assert separating[0].probability("fight") == Fraction(1, 4)


# -- kinds, parameters, errors ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sender", "kind"),
    [
        ([[[1], [0]], [[1], [0]], [[0], [1]]], "partially pooling"),
        ([[[1], [0]], [[1], [0]], [[1], [0]]], "pooling on m0"),
        ([[[1], [1]], [[1], [0]], [[0], [1]]], "semi-separating: t0 mixes"),
        ([[[1], [1]], [[1], [1]], [[0], [1]]], "semi-separating: t0, t1 mix"),
    ],
)
def test_kinds_of_three_types(sender, kind):
    game = SignalingGame(("t0", "t1", "t2"), ("m0", "m1"), ("r",), [THIRD] * 3, sender, np.zeros((3, 2, 1)))
    assert kind in pbe(game, exact=True).kinds


def test_parameters_take_their_values_from_at():
    p = symbols("p")
    game = SignalingGame(
        ("strong", "weak"), ("beer", "quiche"), ("duel", "not"), [p, 1 - p],
        [[[1, 3], [0, 2]], [[0, 2], [1, 3]]], [[[0, 1], [0, 1]], [[1, 0], [1, 0]]],
    )  # fmt: skip
    assert pbe(game, at={"p": "1/10"}, exact=True).probability("duel") == (Fraction(9, 10), Fraction(9, 10))
    assert pbe(game, at={"p": 0.1}).probability("duel") == pytest.approx((0.9, 0.9), abs=1e-12)
    with pytest.raises(GameError, match="free parameters p"):
        pbe(game)
    with pytest.raises(ParameterError, match="no parameter 'q'"):
        pbe(game, at={"q": 0.5})


def test_a_game_too_large_says_how_large():
    many = [f"t{i}" for i in range(40)]
    game = SignalingGame(
        many, ("m0", "m1"), ("r0", "r1"), [Fraction(1, 40)] * 40, np.zeros((40, 2, 2)), np.zeros((40, 2, 2))
    )
    with pytest.raises(GameError, match=r"40 types .* 2 x 2\*\*40 sets of types .* limit=2000000"):
        pbe(game)
    rng = np.random.default_rng(0)
    u, v = rng.random((2, 4, 4, 4))
    large = SignalingGame(*[[f"{x}{i}" for i in range(4)] for x in "tmr"], [0.25] * 4, u, v)
    with pytest.raises(GameError, match=r"or more combinations of supports .* limit=100"):
        pbe(large, limit=100)
    with pytest.raises(GameError, match=r"combine to \d+ components"):
        pbe(spence((0, 1, 2), (1, 2, 3)), limit=1000)


def test_a_search_that_is_cut_short_returns_what_it_found_and_claims_nothing():
    """Types, messages and responses in fours: some thousand components, each certified, the set not claimed whole."""
    u, v = np.random.default_rng(0).integers(0, 9, (2, 4, 4, 4))
    large = SignalingGame(*[[f"{x}{i}" for i in range(4)] for x in "tmr"], [0.25] * 4, u, v)
    found = pbe(large, time_limit=1e-6)
    assert not found.complete
    assert len(found) == 0
    assert "time_limit" in found.options["unsearched"][0]
    small = beer_quiche(0.9)
    assert pbe(small, time_limit=60).complete
    some = pbe(spence((0, 1, 2), (1, 2, 3)), time_limit=0.5)
    whole = pbe(spence((0, 1, 2), (1, 2, 3)))
    assert len(some) <= len(whole)
    assert {e.kind for e in some} <= {e.kind for e in whole}
    assert not some.complete or len(some) == len(whole)
    with pytest.raises(ParameterError, match="time_limit must be a positive number of seconds"):
        pbe(small, time_limit=0)
    with pytest.raises(ParameterError, match="time_limit= is for one signaling game"):
        pbe(small.to_extensive(), time_limit=1)


def test_a_batch_is_not_solved_exactly():
    game = SignalingGame(("a", "b"), ("m", "n"), ("r", "s"), [0.5, 0.5], np.zeros((3, 2, 2, 2)), np.zeros((3, 2, 2, 2)))
    with pytest.raises(GameError, match="index one game"):
        pbe(game, exact=True)


def test_polytope_cut_at_a_vertex_and_through_an_edge():
    """A square pyramid's worth of cases: redundant, touching, dividing and emptying cuts of a triangle."""
    triangle = Polytope([[0, 1, 2]], 3)
    assert triangle.cut([(0, 1)])  # redundant but for the edge on which it is tight
    assert len(triangle.points) == 3
    assert triangle.cut([(0, 2), (1, -1)])  # through the vertex (0, 0, 1)
    assert sorted(map(coordinates, triangle.points)) == [(0, 0, 1), (THIRD, 2 * THIRD, 0), (1, 0, 0)]
    assert triangle.cut([(0, 1), (2, -1)], equality=True)
    assert sorted(map(coordinates, triangle.points)) == [
        (Fraction(1, 4), Fraction(1, 2), Fraction(1, 4)),
        (Fraction(1, 2), 0, Fraction(1, 2)),
    ]
    assert not triangle.cut([(0, -1)])
    assert triangle.points == []


@given(cuts=st.lists(st.tuples(*[st.integers(-2, 2)] * 4), min_size=1, max_size=4), equality=st.booleans())
@settings(max_examples=150)
def test_polytope_of_a_cut_cube_has_the_vertices_of_its_tight_constraints(cuts, equality):
    """A cube cut by planes a.x >= c, the last perhaps a.x = c; numbers so small that cuts meet in corners and edges."""
    cube = Polytope([[0, 1], [2, 3], [4, 5]], 6)
    for i, (*a, c) in enumerate(cuts):
        row = [(2 * k, x) for k, x in enumerate(a)] + [(6, -c)]
        cube.cut(row, equality=equality and i == len(cuts) - 1)
    axes = [(k == 0, k == 1, k == 2) for k in range(3)]
    sides = [(a, 0) for a in axes] + [(tuple(-x for x in a), -1) for a in axes]
    walls = [*sides, *((tuple(a), c) for *a, c in cuts)]
    if equality:
        walls.append((tuple(-x for x in cuts[-1][:3]), -cuts[-1][3]))
    expected = set()
    for three in itertools.combinations(walls, 3):
        rows, target = [list(map(Fraction, a)) for a, _ in three], [Fraction(c) for _, c in three]
        det = _det(rows)
        if det:
            x = tuple(_det([[*r[:k], t, *r[k + 1 :]] for r, t in zip(rows, target)]) / det for k in range(3))
            if all(sum(y * z for y, z in zip(a, x)) >= c for a, c in walls):
                expected.add(x)
    found = [coordinates(point)[::2] for point in cube.points]
    assert set(found) == expected
    assert len(found) == len(expected)


def _det(m):
    return (
        m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1])
        - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
        + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
    )
