"""Batches of signaling games: arrays against one game at a time, and against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deterrence.games.errors import GameError, ParameterError
from deterrence.games.signaling import SignalingGame
from deterrence.solvers import pbe_batch as batch_module
from deterrence.solvers.pbe import pbe
from deterrence.solvers.pbe_batch import pbe_batch
from deterrence.solvers.signaling.off_path_faces import deterring_faces
from deterrence.solvers.signaling.tied_games import survey_tied
from deterrence.solvers.signaling.two_by_two_kernel import survey_222
from deterrence.solvers.signaling.two_type_kernel import Tile, kind_names, survey_tile

STRONG_STAYS = [[[1, 3], [0, 2]], [[0, 2], [1, 3]]]  # beer-quiche, duel first
DUEL_THE_WEAK = [[[0, 1], [0, 1]], [[1, 0], [1, 0]]]


def labels(letter, n):
    return tuple(f"{letter}{i}" for i in range(n))


def random_games(n, shape, seed, integers=None, own_priors=False):
    """A batch of n games of shape (T, Q, M, R), normal or small integer payoffs, one prior or three."""
    rng = np.random.default_rng(seed)
    t, q, m, r = shape
    core = (n, t, m, r) if q == 1 else (n, t, q, m, r)
    draw = (lambda: rng.integers(0, integers, core).astype(float)) if integers else (lambda: rng.normal(size=core))
    priors = [rng.dirichlet(np.ones(t * q), n).reshape((n, t) if q == 1 else (n, t, q)) for _ in range(3)]
    return SignalingGame(
        labels("t", t),
        labels("m", m),
        labels("r", r),
        priors[0],
        draw(),
        draw(),
        receiver_types=None if q == 1 else labels("q", q),
        sender_prior=priors[1] if own_priors else None,
        receiver_prior=priors[2] if own_priors else None,
        events={"odd": rng.random((t, m, r) if q == 1 else (t, q, m, r))},
    )


def beer_quiche(strong):
    strong = np.asarray(strong)
    return SignalingGame(
        ("strong", "weak"),
        ("beer", "quiche"),
        ("duel", "not"),
        np.stack([strong, 1 - strong], axis=-1),
        STRONG_STAYS,
        DUEL_THE_WEAK,
    )


def tile_of(n, seed, integers=None, messages=2, responses=2):
    rng = np.random.default_rng(seed)
    shape = (2, 1, messages, responses, n)
    draw = (lambda: rng.integers(0, integers, shape).astype(float)) if integers else (lambda: rng.normal(size=shape))
    prior = [rng.dirichlet([1, 1], n).T.reshape(2, 1, n) for _ in range(2)]
    return Tile(draw(), draw(), np.ones((2, 1, n)), prior[0], prior[1], [rng.random((2, 1, messages, responses, 1))])


def assert_agrees(found, i, singly, events):
    assert found.count[i] == len(singly), f"game {i}: {found.count[i]} components, singly {len(singly)}: {singly.kinds}"
    assert {kind for kind, flags in found.kinds.items() if flags[i]} == set(singly.kinds), f"game {i}"
    for event in events:
        low, high = found.probability(event)
        assert (low[i], high[i]) == pytest.approx(singly.probability(event), abs=1e-9), f"game {i}, {event}"


# ---------------------------------------------------------------- known answers


def test_beer_quiche_has_its_closed_form():
    strong = np.array([0.1, 0.3, 0.45, 0.6, 0.9])
    found = pbe_batch(beer_quiche(strong))
    low, high = found.probability("duel")
    expected = np.where(
        strong < 0.5, 1 - strong, 0.0
    )  # the weak mix so that beer leaves the odds even; beer is met half the time
    assert low == pytest.approx(expected, abs=1e-12)
    assert high == pytest.approx(expected, abs=1e-12)
    assert (
        found.kinds["pooling on beer"].tolist() == found.kinds["pooling on quiche"].tolist() == (strong > 0.5).tolist()
    )
    assert found.kinds["semi-separating: weak mixes"].tolist() == (strong < 0.5).tolist()
    assert not found.degenerate.any()


def test_the_knife_edge_of_beer_quiche_is_flagged_and_settled_singly():
    found = pbe_batch(beer_quiche([0.4, 0.5, 0.6]))
    assert found.degenerate.tolist() == [False, True, False]
    assert found.count[1] == len(found[1])
    assert found.probability("duel")[1][1] == pytest.approx(found[1].probability("duel")[1])


def test_totally_mixed_game_that_other_solvers_lose():
    U = np.array([[[[7, 89], [49, 13]], [[61, 11], [77, 20]]]])
    V = np.array([[[[69, 0], [52, 4]], [[12, 29], [5, 89]]]])
    found = pbe_batch(SignalingGame(("a", "b"), ("x", "y"), ("l", "r"), [8 / 17, 9 / 17], U, V))
    assert found.count.tolist() == [1]
    assert found.kinds["semi-separating: a, b mix"].all()


def test_pooling_held_up_by_a_mixed_reply_off_the_path():
    U = np.array([[[[30, 75], [19, 49]], [[53, 54], [59, 17]]]])
    V = np.array([[[[22, 24], [65, 52]], [[61, 0], [6, 69]]]])
    found = pbe_batch(SignalingGame(("a", "b"), ("x", "y"), ("l", "r"), [5 / 6, 1 / 6], U, V))
    assert found.count.tolist() == [1]
    assert found.kinds["pooling on x"].all()


# ---------------------------------------------------------------- against the solver of single games

SHAPES = [
    (2, 1, 2, 2),
    (2, 1, 3, 2),
    (2, 1, 2, 3),
    (2, 1, 3, 3),
    (2, 2, 2, 2),
    (2, 2, 2, 3),
    (2, 2, 3, 2),
    (2, 3, 2, 2),
]
MANY = {(2, 1, 2, 2): 300, (2, 1, 3, 2): 100, (2, 1, 2, 3): 150, (2, 1, 3, 3): 30, (2, 2, 2, 2): 60}


@pytest.mark.parametrize("own_priors", [False, True], ids=["one prior", "three priors"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_arrays_agree_with_single_games(shape, own_priors):
    n = MANY.get(shape, 10)
    games = random_games(n, shape, seed=sum(shape) + own_priors, own_priors=own_priors)
    found = pbe_batch(games)
    assert not found.degenerate.any()
    for i in range(n):
        assert_agrees(found, i, pbe(games[i]), ("r0", "m1", "odd"))


@pytest.mark.slow
@pytest.mark.parametrize("own_priors", [False, True], ids=["one prior", "three priors"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_arrays_agree_with_many_single_games(shape, own_priors):
    n = 10 * MANY.get(shape, 10)
    games = random_games(n, shape, seed=1000 + sum(shape) + own_priors, own_priors=own_priors)
    found = pbe_batch(games)
    for i in range(n):
        assert_agrees(found, i, pbe(games[i]), ("r0", "odd"))


@pytest.mark.parametrize(
    ("shape", "n"), [((2, 1, 2, 2), 150), ((2, 1, 2, 3), 40), ((2, 1, 3, 2), 25), ((2, 2, 2, 2), 10)], ids=str
)
def test_ties_are_flagged_and_settled(shape, n):
    games = random_games(n, shape, seed=5, integers=8)
    found = pbe_batch(games)
    assert found.degenerate.any()
    assert not found.degenerate.all()
    for i in range(n):
        assert_agrees(found, i, pbe(games[i]), ("r0", "odd"))


def test_receiver_types_that_switch_together_are_flagged():
    games = random_games(20, (2, 2, 2, 2), seed=26)
    V = games.receiver_payoffs.copy()
    V[:, :, 1] = V[:, :, 0]
    p, q = games.prior.sum(axis=2), games.prior.sum(axis=1)
    alike = SignalingGame(
        games.types,
        games.messages,
        games.responses,
        p[:, :, None] * q[:, None, :],
        games.sender_payoffs,
        V,
        receiver_types=games.receiver_types,
    )
    found = pbe_batch(alike)
    gain = V[:, :, 0, :, 1] - V[:, :, 0, :, 0]
    assert (found.degenerate == (gain[:, 0] * gain[:, 1] < 0).any(axis=1)).all()
    for i in range(20):
        assert_agrees(found, i, pbe(alike[i]), ("r0", "m0"))


@pytest.mark.parametrize("sender", [None, [[0.3, 0.7]]], ids=["same prior", "sender knows better"])
def test_types_that_the_receiver_rules_out(sender):
    games = random_games(12, (2, 1, 2, 2), seed=3)
    certain = SignalingGame(
        games.types,
        games.messages,
        games.responses,
        np.eye(2)[np.arange(12) % 2],
        games.sender_payoffs,
        games.receiver_payoffs,
        sender_prior=sender,
    )
    found = pbe_batch(certain)
    assert found.degenerate.all()
    for i in range(12):
        assert_agrees(found, i, pbe(certain[i]), ("r0", "m0"))


@pytest.mark.parametrize("shape", [(2, 1, 2, 2), (2, 1, 3, 3), (2, 2, 2, 2)], ids=str)
def test_a_message_that_ends_the_game_is_no_tie(shape):
    games = random_games(30, shape, seed=21)
    U, V = games.sender_payoffs.copy(), games.receiver_payoffs.copy()
    U[..., 0, :], V[..., 0, :] = U[..., 0, :1], V[..., 0, :1]  # whatever the reply
    ended = SignalingGame(
        games.types,
        games.messages,
        games.responses,
        games.prior,
        U,
        V,
        receiver_types=games.receiver_types,
        events=games.events,
    )
    found = pbe_batch(ended)
    assert not found.degenerate.any()
    low, high = found.probability("r0")
    assert (low[found.kinds["pooling on m0"]] == 0).all()
    assert high[found.kinds["pooling on m0"]] == pytest.approx(1)
    for i in range(30):
        assert_agrees(found, i, pbe(ended[i]), ("r0", "m0", "odd"))


def test_a_type_of_true_probability_zero_that_the_receiver_fears():
    games = random_games(30, (2, 1, 2, 2), seed=4)
    truth = np.array([[0.0, 1.0]])
    biased = SignalingGame(
        games.types,
        games.messages,
        games.responses,
        truth,
        games.sender_payoffs,
        games.receiver_payoffs,
        receiver_prior=games.prior,
    )
    found = pbe_batch(biased)
    assert not found.degenerate.any()
    for i in range(30):
        assert_agrees(found, i, pbe(biased[i]), ("r0", "m0", "t0"))


@pytest.mark.parametrize("shape", [(1, 1, 3, 2), (1, 2, 2, 2), (3, 1, 2, 2)], ids=str)
def test_one_type_and_three_types(shape):
    games = random_games(5, shape, seed=6)
    found = pbe_batch(games)
    assert not found.degenerate.any()
    for i in range(5):
        assert_agrees(found, i, pbe(games[i]), ("r0", "m1", "odd"))


@pytest.mark.slow
def test_processes_do_not_matter():
    games = random_games(6, (3, 1, 2, 2), seed=22)
    here, elsewhere = pbe_batch(games), pbe_batch(games, threads=2)
    assert (here.count == elsewhere.count).all()
    assert here.probability("odd")[0] == pytest.approx(elsewhere.probability("odd")[0], abs=0)
    assert {k: v.tolist() for k, v in here.kinds.items()} == {k: v.tolist() for k, v in elsewhere.kinds.items()}


def test_three_types_with_a_continuum_are_flagged():
    games = random_games(4, (3, 1, 2, 2), seed=23)
    U = games.sender_payoffs.copy()
    U[0] = 0.0  # the sender of the first game does not care
    found = pbe_batch(
        SignalingGame(games.types, games.messages, games.responses, games.prior, U, games.receiver_payoffs)
    )
    assert found.degenerate.tolist() == [True, False, False, False]


def test_one_type_with_ties_is_flagged():
    games = random_games(12, (1, 1, 2, 2), seed=7, integers=2)
    found = pbe_batch(games)
    assert found.degenerate.any()
    for i in range(12):
        assert_agrees(found, i, pbe(games[i]), ("r0", "m1"))


# ---------------------------------------------------------------- two methods


def test_fast_path_agrees_with_the_general_kernel():
    tile = tile_of(3000, seed=8)
    names = kind_names(("a", "b"), ("x", "y"))
    with np.errstate(all="ignore"):
        fast, general = survey_222(tile, names, 0.0), survey_tile(tile, names, 1e-9)
    assert not fast.unsolved.any()
    assert_same_survey(fast, general, ~general.degenerate)


def assert_same_survey(one, other, where):
    assert (one.count == other.count)[where].all()
    assert all((one.kinds[name] == other.kinds[name])[where].all() for name in other.kinds)
    assert one.low[:, where] == pytest.approx(other.low[:, where], abs=1e-9, nan_ok=True)
    assert one.high[:, where] == pytest.approx(other.high[:, where], abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("integers", [None, 9])
def test_the_kernel_of_ties_needs_no_ties(integers):
    """Where no number is near zero it finds what the fast path finds."""
    tile = tile_of(3000, seed=8, integers=integers)
    names = kind_names(("a", "b"), ("x", "y"))
    with np.errstate(all="ignore"):
        fast, tied = survey_222(tile, names, 0.0), survey_tied(tile, names)
    assert_same_survey(tied, fast, ~fast.unsolved)
    assert not tied.degenerate[~fast.unsolved].any()
    assert tied.degenerate.any() == fast.unsolved.any()


# ---------------------------------------------------------------- ties

DIGITS = {"2": (2, 1), "3": (3, 1), "4": (4, 1), "9": (9, 1), "tenths": (4, 10)}


def tied_games(n, seed, digits, prior):
    """Payoffs of few digits, and priors that are certain, in quarters, in tenths, in thirds or of 17 digits."""
    rng = np.random.default_rng(seed)
    integers, divisor = DIGITS[digits]
    games = random_games(n, (2, 1, 2, 2), seed=seed, integers=integers)
    low, high, parts = {"quarters": (0, 5, 4), "tenths": (1, 10, 10), "thirds": (1, 3, 3), "random": (0, 1, 1)}[prior]
    strong = rng.random(n) if prior == "random" else rng.integers(low, high, n) / parts
    return SignalingGame(
        games.types, games.messages, games.responses, np.stack([strong, 1 - strong], axis=-1),
        games.sender_payoffs / divisor, games.receiver_payoffs / divisor, events=games.events,
    )  # fmt: skip


@pytest.mark.parametrize("prior", ["quarters", "tenths", "thirds", "random"])
@pytest.mark.parametrize("digits", list(DIGITS))
def test_ties_are_settled_by_arrays_as_one_by_one(monkeypatch, digits, prior):
    n = 25
    games = tied_games(n, 3, digits, prior)
    singly = [pbe(games[i]) for i in range(n)]

    def refuse(game, tol):
        raise AssertionError("arrays suffice for whole numbers and short decimals")

    monkeypatch.setattr(batch_module, "_solve_one", refuse)
    found = pbe_batch(games)
    assert not found.unsolved.any()
    for i in range(n):
        assert_agrees(found, i, singly[i], ("r0", "m1", "odd"))


@pytest.mark.slow
@pytest.mark.parametrize("prior", ["quarters", "tenths", "thirds", "random"])
@pytest.mark.parametrize("digits", list(DIGITS))
def test_many_ties_are_settled_by_arrays_as_one_by_one(digits, prior):
    games = tied_games(1500, 4, digits, prior)
    found = pbe_batch(games)
    for i in range(1500):
        assert_agrees(found, i, pbe(games[i]), ("r0", "m1", "odd"))


def test_the_answer_of_a_batch_does_not_depend_on_its_size():
    whole = random_games(40_000, (2, 1, 2, 2), seed=2, integers=101)
    few = SignalingGame(
        whole.types, whole.messages, whole.responses, whole.prior[:500],
        whole.sender_payoffs[:500], whole.receiver_payoffs[:500], events=whole.events,
    )  # fmt: skip
    large, small = pbe_batch(whole), pbe_batch(few)
    assert (large.count[:500] == small.count).all()
    assert all((flags[:500] == small.kinds[kind]).all() for kind, flags in large.kinds.items())
    for ours, theirs in zip(large.probability("r0"), small.probability("r0"), strict=True):
        assert (ours[:500] == theirs).all()


def test_a_game_that_large_batches_answered_otherwise():
    """Payoffs 0 to 100, one tie: the lowest probability of r0 was 0.0074 among 200,000 games and 0.0016 alone."""
    U = [[[22, 36], [65, 33]], [[62, 95], [36, 20]]]
    V = [[[11, 7], [2, 44]], [[69, 69], [13, 0]]]
    prior = (0.9926134664963215, 0.007386533503678447)
    batch = pbe_batch(
        SignalingGame(("a", "b"), ("m0", "m1"), ("r0", "r1"), [prior] * 3, np.array([U] * 3), np.array([V] * 3))
    )
    alone = pbe(SignalingGame(("a", "b"), ("m0", "m1"), ("r0", "r1"), prior, U, V))
    assert batch.probability("r0")[0] == pytest.approx([alone.probability("r0")[0]] * 3, abs=1e-12)
    assert batch.probability("r0")[0][0] == pytest.approx(0.00158283, abs=1e-8)


def test_kinds_at_the_corner_of_a_component_are_flagged_in_batches():
    """L sends B and R sends A, both met by no: a corner of the component in which L mixes (see test_pbe)."""
    fits = np.array([[1.0, -1.0], [-1.0, 1.0]])
    zero = np.zeros((2, 2))
    prior = np.array([[0.9, 0.1], [0.8, 0.2], [0.35, 0.65]])
    games = SignalingGame(
        ("L", "R"), ("A", "B"), ("yes", "no"), prior, np.stack([-fits, zero], axis=-1), np.stack([fits, zero], axis=-1)
    )
    found = pbe_batch(games)
    assert found.kinds["separating"].all()
    for i in range(3):
        assert_agrees(found, i, pbe(games[i]), ("yes", "A"))


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize("offset", [0.0, 1e6, 1e13])
def test_scale_and_offset_do_not_matter_to_a_batch(scale, offset):
    games = tied_games(15, 5, "4", "quarters")
    moved = SignalingGame(
        games.types, games.messages, games.responses, games.prior,
        scale * (games.sender_payoffs + offset), games.receiver_payoffs, events=games.events,
    )  # fmt: skip
    base, found = pbe_batch(games), pbe_batch(moved)
    if scale == 1.0:
        assert (base.count == found.count).all()
    for i in range(15):
        assert_agrees(found, i, pbe(moved[i]), ("r0", "odd"))


def test_every_game_has_an_equilibrium():
    found = pbe_batch(random_games(20_000, (2, 1, 2, 2), seed=9))
    assert not found.unsolved.any()
    assert (found.count >= 1).all()
    flags = np.stack(list(found.kinds.values()))
    assert flags.any(axis=0).all()


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), responses=st.integers(2, 4), receiver_types=st.integers(2, 3))
def test_asking_for_any_face_agrees_with_counting_faces(monkeypatch_limit, seed, responses, receiver_types):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(2, responses, receiver_types, 60))
    steps = np.full((receiver_types, 60), responses - 1)
    values = rng.normal(size=(2, 60)) - 0.7 * receiver_types
    counted = deterring_faces(points, steps, values, 1e-9)
    with monkeypatch_limit(0):
        asked = deterring_faces(points, steps, values, 1e-9)
    sure = ~asked[2]
    assert ((counted[0] > 0) == (asked[0] > 0))[sure].all()
    assert (counted[0] > 0).sum() >= (asked[0] > 0).sum()
    if responses == 2:
        assert sure.all()


@pytest.fixture(scope="module")
def monkeypatch_limit():
    """Set the number of faces that are counted one by one, for a while."""
    from contextlib import contextmanager

    from deterrence.solvers.signaling import off_path_faces

    @contextmanager
    def limited(limit):
        before = off_path_faces.FACE_LIMIT
        off_path_faces.FACE_LIMIT = limit
        try:
            yield
        finally:
            off_path_faces.FACE_LIMIT = before

    return limited


def test_many_receiver_types_count_outcomes():
    many = pbe_batch(random_games(40, (2, 8, 3, 2), seed=10))
    few = pbe_batch(random_games(2, (2, 2, 2, 2), seed=10))
    assert (many.counted, few.counted) == ("outcomes", "components")
    assert not many.unsolved.any()
    assert (many.count == sum(flags.astype(int) for flags in many.kinds.values())).mean() > 0.2
    low, high = many.probability("r0")
    assert ((low >= -1e-12) & (low <= high) & (high <= 1 + 1e-12)).all()


@pytest.mark.parametrize("shape", [(2, 2, 2, 3), (2, 3, 3, 2)], ids=str)
def test_outcomes_and_ranges_do_not_need_faces_to_be_counted(monkeypatch_limit, shape):
    games = random_games(400, shape, seed=25, own_priors=True)
    by_face = pbe_batch(games)
    low, high = by_face.probability("odd")
    with monkeypatch_limit(0):
        by_outcome = pbe_batch(games, threads=1)
        ranges = by_outcome.probability("odd")
        assert by_outcome.counted == "outcomes"
    sure = ~by_outcome.unsolved
    assert sure.mean() > 0.95
    assert (by_outcome.count <= by_face.count)[sure].all()
    assert all((by_face.kinds[kind] == flags)[sure].all() for kind, flags in by_outcome.kinds.items())
    assert ranges[0][sure] == pytest.approx(low[sure], abs=1e-12)
    assert ranges[1][sure] == pytest.approx(high[sure], abs=1e-12)


# ---------------------------------------------------------------- invariance


@given(seed=st.integers(0, 10**6), scale=st.sampled_from([0.5, 3.0]), shift=st.integers(-5, 5))
def test_units_and_order_do_not_matter(seed, scale, shift):
    games = random_games(50, (2, 1, 3, 2), seed=seed)
    U, V, prior = games.sender_payoffs, games.receiver_payoffs, games.prior
    base = pbe_batch(games, threads=1)
    turned = pbe_batch(
        SignalingGame(
            games.types[::-1],
            games.messages[::-1],
            games.responses[::-1],
            prior[:, ::-1],
            scale * U[:, ::-1, ::-1, ::-1] + shift,
            scale * V[:, ::-1, ::-1, ::-1] + shift,
        ),
        threads=1,
    )
    assert (base.count == turned.count).all()
    for kind in ("separating", "pooling on m0", "pooling on m2", "semi-separating: t1 mixes"):
        assert (base.kinds[kind] == turned.kinds[kind]).all()
    for ours, theirs in zip(base.probability("r1"), turned.probability("r1")):
        assert ours == pytest.approx(theirs, abs=1e-9)


def test_a_message_and_a_response_that_nobody_wants_change_nothing():
    small = random_games(300, (2, 1, 2, 2), seed=11)
    U, V = np.full((300, 2, 3, 3), -50.0), np.full((300, 2, 3, 3), -50.0)
    U[:, :, :2, :2], V[:, :, :2, :2] = small.sender_payoffs, small.receiver_payoffs
    V[:, :, 2, 0] = 0.0
    large = SignalingGame(small.types, ("m0", "m1", "m2"), ("r0", "r1", "r2"), small.prior, U, V)
    a, b = pbe_batch(small), pbe_batch(large)
    assert (a.count == b.count).all()
    assert b.probability("m0")[0] == pytest.approx(a.probability("m0")[0], abs=1e-9)


def test_threads_tiles_and_batch_dimensions_do_not_matter(monkeypatch):
    games = random_games(120, (2, 1, 2, 3), seed=12)
    whole = pbe_batch(games, threads=1)
    low, high = whole.probability("r0")
    monkeypatch.setattr(batch_module, "TILE", 96)
    cut = pbe_batch(games, threads=2)
    shaped = pbe_batch(
        SignalingGame(
            games.types,
            games.messages,
            games.responses,
            games.prior.reshape(10, 12, 2),
            games.sender_payoffs.reshape(10, 12, 2, 2, 3),
            games.receiver_payoffs.reshape(10, 12, 2, 2, 3),
        )
    )
    assert (cut.count == whole.count).all()
    assert shaped.batch_shape == shaped.count.shape == (10, 12)
    assert (shaped.count.ravel() == whole.count).all()
    for found in (cut, shaped):
        assert found.probability("r0")[0].ravel() == pytest.approx(low, abs=1e-12)
        assert found.probability("r0")[1].ravel() == pytest.approx(high, abs=1e-12)


def test_dimensions_of_a_grid_are_spread():
    rng = np.random.default_rng(13)
    p = np.linspace(0.1, 0.9, 5)
    U, V = rng.normal(size=(2, 7, 2, 2, 2))
    grid = SignalingGame(("a", "b"), ("x", "y"), ("l", "r"), np.stack([p, 1 - p], -1)[:, None], U, V)
    found = pbe_batch(grid)
    low, high = found.probability("l")
    assert found.count.shape == low.shape == (5, 7)
    for i in (0, 3):
        row = pbe_batch(SignalingGame(("a", "b"), ("x", "y"), ("l", "r"), [p[i], 1 - p[i]], U, V))
        assert (row.count == found.count[i]).all()
        assert row.probability("l")[1] == pytest.approx(high[i], abs=1e-12)


def test_several_events_in_one_pass_are_those_asked_for_one_by_one():
    games = random_games(50, (2, 1, 2, 2), seed=14)
    lows, highs = pbe_batch(games).probabilities(["r0", "odd", lambda path: "m1" in path])
    for event, low, high in zip(("r0", "odd", "m1"), lows, highs):
        one = pbe_batch(games).probability(event)
        assert low == pytest.approx(one[0], abs=0)
        assert high == pytest.approx(one[1], abs=0)


def test_an_event_may_differ_from_game_to_game():
    games = random_games(20, (2, 1, 2, 2), seed=15)
    weights = np.random.default_rng(15).random((20, 2, 2, 2))
    varied = SignalingGame(
        games.types,
        games.messages,
        games.responses,
        games.prior,
        games.sender_payoffs,
        games.receiver_payoffs,
        events={"war": weights},
    )
    found = pbe_batch(varied)
    for i in range(20):
        assert_agrees(found, i, pbe(varied[i]), ("war",))


# ---------------------------------------------------------------- what is refused, and what is handed out


def test_a_game_by_its_index_is_solved_singly():
    games = random_games(3, (2, 1, 2, 2), seed=16)
    found = pbe_batch(games)
    assert len(found) == 3
    assert found[-1].concept == found.concept
    assert len(found[-1]) == found.count[-1]
    assert [len(s) for s in found] == found.count.tolist()
    with pytest.raises(IndexError, match="outside the batch"):
        found[3]
    with pytest.raises(GameError, match="named by 1 indices"):
        found[0, 0]


def test_arrays_are_read_only():
    found = pbe_batch(random_games(3, (2, 1, 2, 2), seed=17))
    for array in (found.count, found.degenerate, found.unsolved, *found.kinds.values()):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_an_empty_batch_has_empty_answers():
    games = SignalingGame(
        ("a", "b"), ("x", "y"), ("l", "r"), np.empty((0, 2)), np.zeros((2, 2, 2)), np.zeros((2, 2, 2))
    )
    found = pbe_batch(games)
    assert len(found) == 0
    assert found.count.shape == found.probability("l")[0].shape == (0,)


def test_bad_input_is_named():
    single = beer_quiche(0.3)
    games = beer_quiche([0.3, 0.4])
    with pytest.raises(GameError, match="no batch"):
        pbe_batch(single)
    with pytest.raises(ParameterError, match="tol must lie in"):
        pbe_batch(games, tol=-1)
    with pytest.raises(ParameterError, match="threads must be a whole number"):
        pbe_batch(games, threads=0)
    with pytest.raises(GameError, match="no event 'war'"):
        pbe_batch(games).probability("war")
    with pytest.raises(GameError, match=r"sender_payoffs.* must be a finite number, got nan"):
        SignalingGame(
            ("a", "b"),
            ("x", "y"),
            ("l", "r"),
            [0.5, 0.5],
            np.full((4, 2, 2, 2), np.nan),
            np.zeros((4, 2, 2, 2)),
        )
    with pytest.raises(GameError, match="batch dimensions do not agree"):
        SignalingGame(("a", "b"), ("x", "y"), ("l", "r"), [0.5, 0.5], np.zeros((4, 2, 2, 2)), np.zeros((3, 2, 2, 2)))
