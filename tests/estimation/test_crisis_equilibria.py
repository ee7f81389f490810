"""All equilibria of the crisis-signaling game: certificates in 25 digits, known answers, counts, limits."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_ndtr, ndtr, owens_t

import deterrence as dt
from deterrence.solvers.crisis_signaling import challenger, crisis_equilibria

NAMES = ("S_A", "V_A", "C_B", "W_A", "W_B", "a", "V_B")
SEVERAL = {"S_A": 0.0, "V_A": 1.0, "C_B": 0.0, "W_A": -1.9, "W_B": -2.85, "a": -1.2, "V_B": 1.0}
DETERRED = {"S_A": 10.0, "V_A": 10.5, "C_B": 0.0, "W_A": 0.5, "W_B": -1.0, "a": 0.0, "V_B": 1.0}
FOLDS = (-2.74704373878532, -2.94691286831399)  # in W_B


def games(seed: int, n: int, scale: float = 1.0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=n) * scale for name in NAMES}


def near_several(seed: int, n: int, spread: float) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: value + rng.normal(size=n) * spread for name, value in SEVERAL.items()}


# ---------------------------------------------------------------- certificate: the definition, in 25 digits


def log_chance(c, mean, other):
    """Return the logarithm of P(X > c, X > Y) for normal X and Y, by quadrature of the scaled integrand."""

    def log_density(t):
        return -((c + t - mean) ** 2) / 2 + mp.log(mp.ncdf(c + t - other))

    steps = np.arange(50) / 2
    rough = -((float(c - mean) + steps) ** 2) / 2 + log_ndtr(float(c - other) + steps)
    near = [mp.mpf(t) for t in steps[rough > rough.max() - 60]]
    ends = sorted({mp.mpf(0), *near, near[-1] + mp.mpf(1) / 2, mp.mpf(1) / 50, mp.mpf(1) / 10})
    highest = log_density(mp.mpf(steps[rough.argmax()]))
    total = mp.quad(lambda t: mp.exp(log_density(t) - highest), ends, maxdegree=5)
    return mp.log(total) + highest - mp.log(2 * mp.pi) / 2


@pytest.mark.parametrize(
    "game",
    [
        SEVERAL,
        DETERRED,
        {**SEVERAL, "W_B": FOLDS[0] - 1e-8},
        {**SEVERAL, "W_B": FOLDS[1] + 1e-8},
        {**DETERRED, "S_A": 37.0, "V_A": 37.2},
        {**SEVERAL, "S_A": 5.0, "V_A": 4.0, "W_A": 1.0},
        *({name: float(x[i]) for name, x in games(3, 4, 2.0).items()} for i in range(4)),
    ],
)
def test_every_equilibrium_meets_the_definition_in_25_digits(game):
    found = crisis_equilibria(**game)
    with mp.workdps(25):
        S, V, C, W, B, a, win = (mp.mpf(game[name]) for name in NAMES)
        for i in range(int(found.count)):
            z = mp.mpf(float(found.quantile[i]))
            if abs(z) > 30:
                continue
            resist = mp.ncdf(z)
            c = (S - (1 - resist) * V) / resist
            firm, back = log_chance(c, W, a), log_chance(c, a, W)
            odds = mp.exp(back - firm)
            fixed_point = B - C + (win - C) * odds
            slope = float(found.slope[i])
            # The distance to the exact root is the gap divided by how fast the gap closes, near a fold by its root.
            assert abs(float((fixed_point - z) / (1 - slope))) * float(mp.npdf(z)) < 1e-10
            assert float(found.log_p_C[i]) == pytest.approx(float(mp.log(mp.exp(firm) + mp.exp(back))), rel=1e-12)
            assert float(found.log_p_F[i]) == pytest.approx(-float(mp.log(1 + odds)), rel=1e-10, abs=1e-12)
            assert float(found.log_p_B[i]) == pytest.approx(-float(mp.log(1 + 1 / odds)), rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("c", [-9.0, 0.3, 6.5, 1000.0])
@pytest.mark.parametrize(("W_A", "a"), [(-0.7, 0.4), (1.0, -9.0), (0.2, 0.2 + 1e-9)])
def test_chances_of_the_challenger_keep_14_digits_everywhere(c, W_A, a):
    challenge, firm, back = (float(x) for x in challenger(np.array(c), np.array(W_A), np.array(a)))
    with mp.workdps(25):
        war, down = log_chance(mp.mpf(c), mp.mpf(W_A), mp.mpf(a)), log_chance(mp.mpf(c), mp.mpf(a), mp.mpf(W_A))
        total = war + mp.log(1 + mp.exp(down - war))
        assert challenge == pytest.approx(float(total), rel=2e-14, abs=2e-14)
        assert firm == pytest.approx(float(war - total), rel=1e-12, abs=2e-14)
        assert back == pytest.approx(float(down - total), rel=1e-12, abs=2e-14)


# ---------------------------------------------------------------- known answers


def test_the_published_game_with_three_equilibria():
    found = crisis_equilibria(**SEVERAL)
    assert found.p_R == pytest.approx([0.270782592660, 0.531107858779, 0.849413389395], abs=1e-12)


def test_a_deterred_challenger_keeps_its_digits():
    found = crisis_equilibria(**DETERRED)
    assert found.count == 1
    assert found.p_R[0] == pytest.approx(0.164863889, abs=1e-9)
    assert found.p_F[0] == pytest.approx(0.97528848, abs=1e-8)
    assert 1e-12 < found.p_C[0] < 2e-12


def test_challenges_as_rare_as_floats_allow():
    found = crisis_equilibria(**{**DETERRED, "S_A": 39.4, "V_A": 39.8})
    assert 0 < found.p_C[0] < 1e-290
    rarer = crisis_equilibria(**{**DETERRED, "S_A": 500.0, "V_A": 500.5})
    assert rarer.p_C[0] == 0
    assert -200_000 < rarer.log_p_C[0] < -100_000
    assert np.exp(rarer.log_p_F[0]) + np.exp(rarer.log_p_B[0]) == pytest.approx(1, abs=1e-14)


@pytest.mark.parametrize(("fold", "inside"), [(FOLDS[0], -1), (FOLDS[1], 1)])
@pytest.mark.parametrize("distance", [1e-12, 1e-10, 1e-8, 1e-6, 1e-3])
def test_two_equilibria_vanish_at_a_fold(fold, inside, distance):
    within = crisis_equilibria(**{**SEVERAL, "W_B": fold + inside * distance})
    without = crisis_equilibria(**{**SEVERAL, "W_B": fold - inside * distance})
    assert (within.count, without.count) == (3, 1)
    pair = within.slope[:2] if inside < 0 else within.slope[1:]
    assert sorted(pair > 1) == [False, True]
    # Near a fold the distance between the two grows with the root of the distance from it.
    assert np.abs(pair - 1).max() < 3 * np.sqrt(distance)


def test_the_fold_itself_has_two_equilibria():
    low, high = FOLDS[1] - 1e-12, FOLDS[1] + 1e-12
    counts = set()
    for _ in range(60):
        middle = (low + high) / 2
        count = int(crisis_equilibria(**{**SEVERAL, "W_B": middle}).count)
        counts.add(count)
        low, high = (middle, high) if count == 1 else (low, middle)
        if count == 2:
            break
    assert 2 in counts


# ---------------------------------------------------------------- how many


def independent_count(game: dict[str, float]) -> int:
    """Count the sign changes of the fixed-point equation on a fine grid, by Owen's function and the plain formulas."""
    z = np.linspace(-5.5, 5.5, 22_001)
    resist = ndtr(z)
    c = (game["S_A"] - (1 - resist) * game["V_A"]) / resist
    h, k = game["W_A"] - c, (game["W_A"] - game["a"]) / np.sqrt(2)
    opposed = np.where(h * k < 0, 0.5, 0)
    stand = (ndtr(h) + ndtr(k)) / 2 - owens_t(h, np.sqrt(2) * k / h - 1) - owens_t(k, np.sqrt(2) * h / k - 1) - opposed
    p_F = stand / (1 - ndtr(c - game["W_A"]) * ndtr(c - game["a"]))
    gap = game["W_B"] - game["V_B"] + (game["V_B"] - game["C_B"]) / p_F - z
    return int((np.sign(gap[1:]) != np.sign(gap[:-1])).sum())


def test_counts_agree_with_a_scan_by_other_formulas():
    drawn = near_several(0, 300, 0.2)
    found = crisis_equilibria(**drawn)
    central = (np.abs(found.quantile) < 5.4) | np.isnan(found.quantile)
    scanned = np.array([independent_count({name: x[i] for name, x in drawn.items()}) for i in range(300)])
    usable = central.all(axis=1) & (found.p_C[:, 0] > 1e-6)
    assert usable.sum() > 250
    assert (found.count[usable] == 3).sum() > 10
    assert found.count[usable].tolist() == scanned[usable].tolist()


@given(seed=st.integers(0, 10**6), scale=st.sampled_from([0.3, 1.0, 4.0, 30.0]))
def test_the_number_of_equilibria_is_odd_and_at_most_three(seed, scale):
    drawn = games(seed, 40, scale)
    found = crisis_equilibria(**drawn)
    assert set(found.count.tolist()) <= {1, 3}
    product = -(drawn["V_A"] - drawn["S_A"]) * (drawn["W_A"] - drawn["a"]) * (drawn["V_B"] - drawn["C_B"])
    assert (found.unique == (product <= 0)).all()
    assert (found.count[found.unique] == 1).all()
    # Where several are, best responses leave the middle one.
    three = found.count == 3
    assert (found.slope[three, 1] > 1).all()
    assert (found.slope[three][:, [0, 2]] < 1).all()


@pytest.mark.parametrize("d", [1e-6, 1e-3, 0.03, 0.3, 1.0, 3.0, 10.0, 60.0])
def test_the_difference_of_hazards_rises_to_the_difference_of_means(d):
    # The certificate of a count rests on it: odds of backing down bend only one way relative to themselves.
    c = np.linspace(-40, 80, 6001)
    _, firm, back = challenger(c, 0.0, d)
    log_odds = firm - back  # its slope is minus the difference of hazards
    slope = -np.diff(log_odds) / np.diff(c)
    assert (np.diff(slope) >= -2e-11 * max(1, d) - 1e-13 / np.diff(c)[1:]).all()
    assert 0.99 * d < slope[-1] < d


@pytest.mark.slow
def test_100_000_games_have_one_equilibrium_or_three():
    for seed in range(100):
        drawn = near_several(seed, 500, 0.6) if seed % 2 else games(seed, 1500, 10 ** ((seed % 8) / 3 - 1))
        assert set(crisis_equilibria(**drawn).count.tolist()) <= {1, 3}


def test_a_challenger_who_loses_by_a_concession_may_never_challenge():
    game = {"S_A": 2.0, "V_A": 1.0, "C_B": 1.0, "W_A": -1.0, "W_B": 0.0, "a": 0.0, "V_B": 0.0}
    found = crisis_equilibria(**game)
    assert found.quantile[0] == -np.inf
    assert (found.p_R[0], found.p_C[0], found.p_F[0]) == (0, 0, 0)
    assert found.outcomes[0].tolist() == [1, 0, 0, 0]
    assert found.count in (1, 3)


# ---------------------------------------------------------------- invariance, shape, errors


def test_units_and_origins_of_payoffs_do_not_matter():
    drawn = near_several(1, 50, 0.2)
    base = crisis_equilibria(**drawn)
    moved = {name: 3 * (x + (0.7 if name in ("S_A", "V_A", "W_A", "a") else -0.2)) for name, x in drawn.items()}
    same = crisis_equilibria(**moved, sigma=3)
    assert same.count.tolist() == base.count.tolist()
    np.testing.assert_allclose(same.p_R, base.p_R, atol=1e-9)


def test_a_batch_has_the_answers_of_its_games():
    drawn = near_several(2, 12, 0.2)
    batch = crisis_equilibria(**{name: x.reshape(3, 4) for name, x in drawn.items()})
    assert batch.p_R.shape == (3, 4, 3)
    for i in range(12):
        single = crisis_equilibria(**{name: x[i] for name, x in drawn.items()})
        np.testing.assert_allclose(single.p_R, batch.p_R.reshape(12, 3)[i], atol=1e-13)
    np.testing.assert_allclose(batch.outcomes.sum(axis=-1)[~np.isnan(batch.p_R)], 1, atol=1e-14)


def test_the_model_of_the_catalogue_gives_the_same():
    found = dt.models.get("LS").closed_form(**SEVERAL)["equilibria"]
    assert [e["p_R"] for e in found] == crisis_equilibria(**SEVERAL).p_R.tolist()


def test_payoffs_must_be_numbers():
    with pytest.raises(dt.ParameterError, match="W_B must be finite, got nan"):
        crisis_equilibria(**{**SEVERAL, "W_B": np.nan})
    with pytest.raises(dt.ParameterError, match="sigma must be positive and finite, got 0"):
        crisis_equilibria(**SEVERAL, sigma=0)
