"""Signaling games whose receiver's value is a continuum: every equilibrium, by theory and by brute force."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import deterrence as dt
from deterrence.alliances.posture import prize_types
from deterrence.games.continuous_receiver import ContinuousReceiverGame, ResponseEvent, chosen_intervals
from deterrence.games.distributions import Distribution
from deterrence.games.equilibrium import Equilibrium, EquilibriumSet
from deterrence.solvers.continuous_receiver import continuous_receiver_batch, continuous_receiver_equilibria
from deterrence.solvers.verify import verify

VALUES = 8_000  # of the prize, in brute force
NORMAL = Distribution(family="normal", location=0.5, scale=0.4)


def random_game(
    seed: int, *, types: int = 2, messages: int = 2, lines: int = 2, value: Distribution = NORMAL
) -> ContinuousReceiverGame:
    rng = np.random.default_rng(seed)
    prior = rng.dirichlet(np.ones(types))
    payoffs = -2 * rng.random((types, messages, 1 + lines))
    payoffs[..., 0] = 0.0
    return ContinuousReceiverGame(
        types=("firm", "soft", "torn", "lost")[:types],
        messages=tuple(f"m{i}" for i in range(messages)),
        responses=("refrain", *(f"attack {i}" for i in range(lines))),
        prior=prior,
        receiver_prior=prior,
        sender_payoffs=payoffs - 0.3 * rng.random((1, messages, 1)),
        slopes=rng.random((types, messages, lines)),
        costs=0.5 * rng.random((types, messages, lines)),
        value=value,
        events={"attack": ResponseEvent(np.broadcast_to(np.r_[0.0, np.ones(lines)], (types, messages, 1 + lines)))},
    )


def signal(k: float = 0.2, prior: float = 0.3, **changes: Any) -> ContinuousReceiverGame:
    """Return the game of a firm or soft sender that signals at cost k or not; an attack costs 0.3, yields 0.4 or 0.9 v.

    An attack costs the firm sender 3 and the soft one 2, and v is uniform on [0, 1].
    """
    given: dict[str, Any] = {
        "types": ("firm", "soft"),
        "messages": ("signal", "silence"),
        "responses": ("refrain", "attack"),
        "prior": np.array([prior, 1 - prior]),
        "receiver_prior": np.array([prior, 1 - prior]),
        "sender_payoffs": np.array([[[-k, -k - 3], [0, -3]], [[-k, -k - 2], [0, -2]]]),
        "slopes": np.array([[[0.4], [0.4]], [[0.9], [0.9]]]),
        "costs": np.full((2, 2, 1), 0.3),
        "value": Distribution(family="uniform", location=0.0, scale=1.0),
    }
    return ContinuousReceiverGame(**{**given, **changes})


def only(found: EquilibriumSet, kind: str) -> Equilibrium:
    (one,) = found.where(kind=kind)
    return one


# -- written apart: the reply at a grid of values, and equilibria on a grid of beliefs --------------------------------


def brute_payoffs(game: ContinuousReceiverGame, grid: np.ndarray) -> np.ndarray:
    """W[t, m, g] at beliefs of a grid: at each of many values the receiver takes the best line."""
    v = game.value.ppf((np.arange(VALUES) + 0.5) / VALUES)
    t, m, lines = game.slopes.shape
    found = np.empty((t, m, len(grid)))
    for j in range(m):
        for g, mu in enumerate(grid):
            belief = np.array([mu, 1 - mu])
            worth = np.stack([np.zeros_like(v), *(v * (belief @ game.slopes[:, j, x]) - belief @ game.costs[:, j, x]
                                                  for x in range(lines))])  # fmt: skip
            taken = np.bincount(worth.argmax(axis=0), minlength=1 + lines) / len(v)
            found[:, j, g] = game.sender_payoffs[:, j] @ taken
    return found


def brute_equilibria(game: ContinuousReceiverGame, grid: np.ndarray, w: np.ndarray, slack: float) -> list[tuple]:
    """(message at the lower belief, at the higher, beliefs) of equilibria with at most two messages, by a grid."""
    m, pi, found = len(game.messages), game.prior[0], []
    at = {0.0: 0, 1.0: len(grid) - 1, pi: int(np.argmin(np.abs(grid - pi)))}

    def held(w0: float, w1: float, sent: set[int]) -> bool:
        return all(((w[0, n] <= w0 + slack) & (w[1, n] <= w1 + slack)).any() for n in range(m) if n not in sent)

    for a in range(m):
        if held(w[0, a, at[pi]], w[1, a, at[pi]], {a}):
            found.append((a, a, pi, pi))
        for b in range(m):
            if a == b:
                continue
            low, high = w[:, a], w[:, b]
            if (
                high[0, -1] >= low[0, 0] - slack
                and low[1, 0] >= high[1, -1] - slack
                and held(high[0, -1], low[1, 0], {a, b})
            ):
                found.append((a, b, 0.0, 1.0))
            roots = np.flatnonzero((low[0, :-1] - high[0, -1]) * (low[0, 1:] - high[0, -1]) < 0)
            found += [
                (a, b, grid[g], 1.0)
                for g in roots
                if grid[g] < pi and low[1, g] >= high[1, -1] - slack and held(high[0, -1], low[1, g], {a, b})
            ]
            roots = np.flatnonzero((high[1, :-1] - low[1, 0]) * (high[1, 1:] - low[1, 0]) < 0)
            found += [
                (a, b, 0.0, grid[g])
                for g in roots
                if grid[g] > pi and high[0, g] >= low[0, 0] - slack and held(high[0, g], low[1, 0], {a, b})
            ]
            # both mix: the two curves (W_firm, W_soft) cross, below and above the prior
            below, above = np.flatnonzero(grid < pi)[:-1], np.flatnonzero(grid > pi)[:-1]
            p, q = low[:, below], low[:, below + 1]
            r, s = high[:, above], high[:, above + 1]
            d, e = (q - p)[:, :, None], (s - r)[:, None, :]
            gap = r[:, None, :] - p[:, :, None]
            cross = d[0] * e[1] - d[1] * e[0]
            with np.errstate(all="ignore"):
                x, y = (gap[0] * e[1] - gap[1] * e[0]) / cross, (gap[0] * d[1] - gap[1] * d[0]) / cross
            found += [
                (a, b, grid[below[i]], grid[above[j]])
                for i, j in np.argwhere((x >= 0) & (x < 1) & (y >= 0) & (y < 1))
                if held(low[0, below[i]], low[1, below[i]], {a, b})
            ]
    return found


def outline(e: Equilibrium) -> tuple:
    """Messages and beliefs of an equilibrium as the brute force has them."""
    game = e.game
    sent = np.flatnonzero(game.receiver_prior @ e.profile.sender > 0)
    beliefs = e.profile.belief[sent, 0]
    order = np.argsort(beliefs)
    a, b = sent[order[0]], sent[order[-1]]
    return a, b, beliefs[order[0]], beliefs[order[-1]]


@pytest.mark.parametrize("seed", range(10))
def test_the_set_of_equilibria_is_that_of_brute_force(seed: int) -> None:
    """Each equilibrium of the grid is found, and each that is found by a margin is on the grid."""
    game = random_game(seed, messages=2 + seed % 2)
    grid = np.linspace(0, 1, 301)
    w = brute_payoffs(game, grid)
    slack = 1.5 * np.abs(np.diff(w, axis=-1)).max()
    found = continuous_receiver_equilibria(game)
    assert found.complete
    mine = [outline(e) for e in found]
    brute = brute_equilibria(game, grid, w, -slack)  # by a margin
    for one in brute:
        assert any(one[:2] == x[:2] and np.abs(np.subtract(one[2:], x[2:])).max() < 0.02 for x in mine), one
    loose = brute_equilibria(game, grid, w, slack)
    for x in mine:
        assert any(one[:2] == x[:2] and np.abs(np.subtract(one[2:], x[2:])).max() < 0.02 for one in loose), x


def test_every_equilibrium_is_certified_by_code_that_shares_nothing() -> None:
    kinds = set()
    for game in (signal(k=0.9, prior=0.5), *(random_game(s, messages=2 + s % 3, lines=1 + s % 3) for s in range(12))):
        for e in continuous_receiver_equilibria(game):
            certificate = verify(game, e)
            assert certificate.max_regret < 1e-11
            assert certificate.max_belief_error < 1e-12
            kinds.add(e.kind.partition(" on ")[0])
    assert kinds == {
        "separating", "pooling", "semi-separating: firm mixes", "semi-separating: soft mixes",
        "semi-separating: firm, soft mix",
    }  # fmt: skip


def test_a_certificate_sees_a_wrong_profile() -> None:
    game = signal()
    pooled = continuous_receiver_equilibria(game)[0].profile
    shifted = replace(pooled, belief=np.array([[0.9, 0.1], [0.9, 0.1]]))
    assert verify(game, shifted).max_belief_error == pytest.approx(0.6, abs=1e-12)
    sender = pooled.sender[:, ::-1].copy()
    assert verify(game, replace(pooled, sender=sender)).max_regret > 0.1


# -- closed forms ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [0.1, 0.2, 0.4])
def test_soft_mixes_at_the_belief_of_the_closed_form(k: float) -> None:
    """P(attack) = 1 - 0.3 / (0.9 - 0.5 mu).

    The soft type is indifferent to silence, at which it is known, if 0.3 / (0.9 - 0.5 mu) = 1/3 + k / 2.
    """
    mu = (0.9 - 0.3 / (1 / 3 + k / 2)) / 0.5
    found = continuous_receiver_equilibria(signal(k=k, prior=mu / 2))
    one = only(found, "semi-separating: soft mixes")
    assert one.beliefs["signal"]["firm"] == pytest.approx(mu, abs=1e-13)
    assert one.beliefs["silence"]["firm"] == 0.0
    assert one.strategies["Receiver"]["signal"]["attack"] == pytest.approx(2 / 3 - k / 2, abs=1e-13)
    # Bayes' rule: (mu / 2) / mu of all send the signal
    assert one.probability("signal") == pytest.approx(0.5, abs=1e-12)


def test_silence_is_kept_off_the_path_by_the_beliefs_of_the_closed_form() -> None:
    """Pooling on the signal at prior 0.6: silence must bring attack with at least P(signal) + k / 2."""
    k, prior = 0.1, 0.6
    reply = 1 - 0.3 / (0.9 - 0.5 * prior)
    edge = (0.9 - 0.3 / (1 - reply - k / 2)) / 0.5
    one = only(continuous_receiver_equilibria(signal(k=k, prior=prior)), "pooling on signal")
    ((low, high),) = one.profile.supporting["silence"]
    assert (low, high) == pytest.approx((0.0, edge), abs=1e-12)
    assert not one.isolated


def test_one_type_takes_its_best_message() -> None:
    game = random_game(3, types=1, messages=4)
    (one,) = continuous_receiver_equilibria(game)
    worth = (game.sender_payoffs * game.response_probabilities(np.ones((4, 1)))).sum(axis=-1)[0]
    assert one.kind == f"pooling on m{worth.argmax()}"
    assert one.payoffs["Sender"] == pytest.approx(worth.max(), abs=1e-13)


def test_costless_words_pool_and_teach_nothing() -> None:
    """Two messages that differ in nothing: pooling on each, and no informative equilibrium besides."""
    game = signal(k=0.0)
    found = continuous_receiver_equilibria(game)
    assert found.kinds == ("pooling on signal", "pooling on silence")
    assert found.complete
    assert found.probability("attack") == pytest.approx((1 - 0.3 / 0.75,) * 2, abs=1e-13)


def test_a_receiver_whom_nothing_moves_leaves_the_cheapest_message() -> None:
    """Full deterrence at every belief: only pooling on the free message, held up by every belief."""
    found = continuous_receiver_equilibria(signal(costs=np.full((2, 2, 1), 2.0)))
    assert found.kinds == ("pooling on silence",)
    assert found[0].profile.supporting == {"signal": ((0.0, 1.0),)}


def test_a_continuum_in_which_both_mix_is_no_complete_answer() -> None:
    """If an attack costs both types the same, what makes one indifferent makes the other: a curve of beliefs."""
    found = continuous_receiver_equilibria(signal(sender_payoffs=np.array([[[-0.4, -2.4], [0, -2]]] * 2), prior=0.3))
    assert not found.complete
    assert found.options["open"] == ("beliefs at which both types mix",)


def test_ends_of_a_continuum_are_kept() -> None:
    """Two free messages that deter whatever the belief: a type may mix at any belief; all with the same outcome."""
    found = continuous_receiver_equilibria(signal(k=0.0, costs=np.full((2, 2, 1), 2.0)))
    assert found.probability("attack") == (0.0, 0.0)
    assert {"pooling on signal", "pooling on silence", "separating"} <= set(found.kinds)


# -- against the finite solver -----------------------------------------------------------------------------------------


def binned(game: ContinuousReceiverGame, bins: int) -> dt.SignalingGame:
    prize = prize_types(game.value, bins)
    v = prize.values[None, :, None, None]
    theirs = v * game.slopes[:, None] - game.costs[:, None]
    theirs = np.concatenate([np.zeros((*theirs.shape[:-1], 1)), theirs], axis=-1)
    shape = theirs.shape
    return dt.SignalingGame(
        types=game.types,
        messages=game.messages,
        responses=game.responses,
        prior=game.prior[:, None] * prize.probabilities,
        sender_payoffs=np.broadcast_to(game.sender_payoffs[:, None], shape),
        receiver_payoffs=theirs,
        receiver_types=list(prize.labels),
    )


@pytest.mark.parametrize(("k", "prior"), [(0.2, 0.2), (0.9, 0.5)])
def test_the_finite_game_converges_as_bins_grow(k: float, prior: float) -> None:
    """Every equilibrium of the continuum is a limit of those of finite games; the distance falls with the bins."""
    game = signal(k=k, prior=prior)
    found = continuous_receiver_equilibria(game)
    worst = []
    for bins in (2, 4, 8):
        near = [e.probability("attack") for e in dt.pbe(binned(game, bins))]
        worst.append(max(min(abs(other - e.probability("attack")) for other in near) for e in found))
    assert worst[-1] < 0.03
    assert worst[-1] < worst[0]


# -- refinements -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_d1_and_the_intuitive_criterion_by_their_definitions_on_a_grid(seed: int) -> None:
    game = random_game(seed, messages=2)
    grid = np.linspace(0, 1, 401)
    w = brute_payoffs(game, grid)
    slack = np.abs(np.diff(w, axis=-1)).max()
    for e in continuous_receiver_equilibria(game):
        if not e.kind.startswith("pooling"):
            assert [e.survives("d1"), e.survives("intuitive")] == [True, True]  # nothing is off the path
            continue
        sent = int(e.kind[-1])
        gains = w[:, 1 - sent] - np.array([e.profile.type_payoffs(game)[t] for t in game.types])[:, None]
        d1 = intuitive = True
        sure = True
        for t in (0, 1):
            mine, other = gains[t], gains[1 - t]
            vertex = 0 if t == 0 else -1  # certain that it is the other type
            margin = np.where(mine >= 0, other, np.inf).min()
            sure &= abs(margin) > slack and abs(mine.max()) > slack and abs(other.max()) > slack
            sure &= bool((np.abs(gains[:, vertex]) > slack).all())
            if other.max() > 0 and margin > 0 and (gains[:, vertex] > 0).any():
                d1 = False
            if mine.max() < 0 <= other.max() and other[vertex] > 0:
                intuitive = False
        if sure:
            assert (e.survives("d1"), e.survives("intuitive")) == (d1, intuitive)
        assert e.survives("d1") <= e.survives("intuitive")


def test_d1_breaks_the_pooling_on_silence_that_the_intuitive_criterion_leaves() -> None:
    """An attack costs the firm twice as much, so it gains from the signal wherever the soft one does; both could."""
    payoffs = np.array([[[-0.1, -4.1], [0, -4]], [[-0.1, -2.1], [0, -2]]])
    found = continuous_receiver_equilibria(signal(sender_payoffs=payoffs, prior=0.3))
    one = only(found, "pooling on silence")
    assert one.survives("intuitive")
    assert not one.survives("d1")
    (reason,) = one.verdict("D1").reasons
    assert reason["message"] == "signal"
    assert list(reason["pruned"]) == ["soft"]


def test_a_refinement_that_is_not_decided_says_so() -> None:
    one = continuous_receiver_equilibria(signal())[0]
    with pytest.raises(dt.GameError, match="'divinity' is not decided for a receiver with a continuum"):
        one.survives("divinity")


# -- batches, priors, three types --------------------------------------------------------------------------------------


def test_a_batch_is_its_games() -> None:
    games = [random_game(seed, messages=3) for seed in range(9)]
    batch = replace(
        games[0],
        **{
            name: np.stack([getattr(g, name) for g in games])
            for name in ("prior", "receiver_prior", "sender_payoffs", "slopes", "costs")
        },
        value=Distribution(family="normal", location=np.linspace(0.4, 0.6, 9), scale=0.4),
    )
    found = continuous_receiver_batch(batch)
    low, high = found.probability("attack")
    for i in range(9):
        single = found[i]
        assert single.game.value.location == pytest.approx(0.4 + 0.025 * i)
        assert (low[i], high[i]) == pytest.approx(single.probability("attack"), abs=1e-12)
        assert found.count[i] == len(single)
        assert all(found.kinds[kind][i] for kind in single.kinds)


def test_a_prior_of_one_leaves_the_other_type_in_beliefs_off_the_path() -> None:
    """The limit of pooling as the prior goes to 1: silence is still punished by the belief that it is soft."""
    near, sure = (continuous_receiver_equilibria(signal(k=0.1, prior=p)) for p in (1 - 1e-7, 1.0))
    assert {"pooling on signal", "pooling on silence"} <= set(near.kinds) & set(sure.kinds)
    assert only(sure, "pooling on signal").probability("attack") == pytest.approx(
        only(near, "pooling on signal").probability("attack"), abs=1e-6
    )


def test_a_receiver_that_rules_out_what_is_there_is_an_error() -> None:
    with pytest.raises(dt.GameError, match="gives probability 0 to a type of the sender that there is"):
        continuous_receiver_equilibria(signal(receiver_prior=np.array([0.0, 1.0])))


def test_a_prior_that_the_receiver_has_wrong_decides_beliefs_but_not_probabilities() -> None:
    game = signal(k=0.0, prior=0.7, receiver_prior=np.array([0.2, 0.8]))
    one = only(continuous_receiver_equilibria(game), "pooling on silence")
    assert one.beliefs["silence"]["firm"] == 0.2
    assert one.probability("attack") == pytest.approx(1 - 0.3 / 0.8, abs=1e-13)


@pytest.mark.parametrize("family", ["logistic", "gumbel_r"])
def test_any_continuous_value_is_solved(family: str) -> None:
    """A family whose density has no known bound is decided by signs alone."""
    game = random_game(2, value=Distribution(family=family, location=0.4, scale=0.2))
    found = continuous_receiver_equilibria(game)
    assert found.complete
    assert all(e.certificate is not None and e.certificate.sequentially_rational for e in found)


def test_three_types_two_of_them_equal_are_two_types() -> None:
    game = random_game(4, messages=2)
    twice = [0, 1, 1]
    split = np.array([game.prior[0], 0.4 * game.prior[1], 0.6 * game.prior[1]])
    three = replace(
        game, types=("firm", "soft", "soft too"), prior=split, receiver_prior=split,
        sender_payoffs=game.sender_payoffs[twice], slopes=game.slopes[twice], costs=game.costs[twice], events={},
    )  # fmt: skip
    two, found = continuous_receiver_equilibria(game), continuous_receiver_equilibria(three)
    assert not found.complete
    assert found.options["open"]
    pure = [e for e in two if not e.kind.startswith("semi")]
    assert pure
    for e in pure:
        assert any(e.probability("refrain") == pytest.approx(other.probability("refrain"), abs=1e-9) for other in found)


def test_one_message_and_any_number_of_types_is_complete() -> None:
    game = random_game(1, types=3, messages=1)
    found = continuous_receiver_equilibria(game)
    assert found.complete
    assert found.kinds == ("pooling on m0",)


def test_a_value_with_atoms_is_no_continuum() -> None:
    with pytest.raises(dt.GameError, match="must have a continuous distribution, got degenerate"):
        signal(value=Distribution(family="degenerate", location=1.0))


def test_the_envelope_takes_the_flatter_line_at_a_tie() -> None:
    lower, upper = chosen_intervals(np.array([0.5, 1.0]), np.array([0.1, 0.4]))
    assert (lower[0], upper[0], lower[1]) == pytest.approx((0.2, 0.6, 0.6))
    assert np.isinf(upper[1])
