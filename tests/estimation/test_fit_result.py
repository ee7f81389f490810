"""What comes with a fit: honest status, standard errors, predictions, the way back to games."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

import deterrence as dt
from deterrence.estimation.profiles import profile
from tests.estimation.tree_games import SPEC, WAR, crisis, simulated, war_data


@pytest.fixture(scope="module")
def data():
    frame = simulated(300, 7)
    return frame.assign(group=np.arange(300) // 10, kind=np.where(np.arange(300) % 3 == 0, "a", "b"))


@pytest.fixture(scope="module")
def result(data):
    return dt.fit(crisis(), data, outcome="outcome", utilities=SPEC, cluster="group", covariance="hessian")


# ---------------------------------------------------------------- status


def separated_data() -> pd.DataFrame:
    """Return 60 crises in which every defender with f = 1 resists."""
    generator = np.random.default_rng(2)
    frame = pd.DataFrame({"x": generator.normal(size=60), "f": (np.arange(60) % 4 == 0).astype(int)})
    fights = (generator.uniform(size=60) < 0.5) | (frame.f == 1)
    escalates = generator.uniform(size=60) < 0.6
    return frame.assign(outcome=np.where(~escalates, "sq", np.where(fights, "war", "capit")))


SEPARATED = {"u1_sq": "x - 1", "u1_capit": "1", "u1_war": "0", "u2_war": "f"}


def test_separated_data_are_said_to_be():
    result = dt.fit(crisis(), separated_data(), outcome="outcome", utilities=SEPARATED)
    assert result.status == "separated"
    assert not result.converged
    assert "u2_war:f" in result.separation
    assert "use a penalty" in result.message
    assert np.isnan(result.bse).all()
    assert "Not an interior maximum" in str(result)


@pytest.mark.parametrize("penalty", ["firth", "cauchy", "log-F", dt.Penalty("cauchy", scale=1.0)])
def test_a_penalty_keeps_estimates_finite(penalty):
    result = dt.fit(crisis(), separated_data(), outcome="outcome", utilities=SEPARATED, penalty=penalty)
    assert result.status == "converged"
    assert 0 < result.params["u2_war:f"] < 10
    step = 1e-5
    for k in range(result.likelihood.size):
        e = np.eye(result.likelihood.size)[k] * step
        value = result.objective.value
        assert (value(result.theta + e) - value(result.theta - e)) / (2 * step) == pytest.approx(0, abs=1e-4)


def test_jeffreys_shrinks_a_proportion_as_firth_says():
    """In a logit with a constant alone Firth's estimate is log((y + 1/2) / (n - y + 1/2)), in units of sqrt 2."""
    a = dt.symbols("a")
    game = dt.ExtensiveGame(("A",), dt.move("A", {"no": dt.end("no", A=0), "yes": dt.end("yes", A=a)}))
    frame = pd.DataFrame({"y": ["yes"] * 10})
    result = dt.fit(game, frame, outcome="y", utilities={"a": "1"}, link="logit", penalty="jeffreys")
    assert result.theta[0] / np.sqrt(2) == pytest.approx(np.log(10.5 / 0.5), abs=1e-6)


def test_a_ridge_is_no_convergence():
    ridge = {"u1_sq": "balanc + s_wt_re1", "u1_capit": 0, "u1_war": "balanc", "u2_war": "balanc + s_wt_re1"}
    result = dt.fit(crisis(), war_data().dropna(), outcome="outcome", utilities=ridge)
    assert result.llf > -287.95
    assert result.status in ("ridge", "at infinity")
    assert "u1_sq:Intercept" in result.message


def test_a_scale_that_runs_off_is_no_convergence():
    scale = {"Challenger": "balanc - 1", "Defender": "balanc - 1"}
    result = dt.fit(crisis(), war_data(), outcome="outcome", utilities=WAR, scale=scale)
    assert not result.converged
    assert result.status in ("ridge", "at infinity", "not converged")


def test_a_known_scale_divides_the_utilities(data, result):
    twice = dt.fit(crisis(), data, outcome="outcome", utilities=SPEC, scale=2.0)
    assert twice.llf == pytest.approx(result.llf, abs=1e-9)
    assert twice.theta == pytest.approx(2 * result.theta, abs=1e-6)


def test_a_scale_is_estimated_where_utilities_are_known(data):
    known = {"u1_sq": "offset(0.8 * x) - 1", "u1_capit": 0.6, "u1_war": "offset(0.7 * w - 0.4) - 1", "u2_war": 0.3}
    fitted = dt.fit(crisis(), data, outcome="outcome", utilities=known, scale="~ 1")
    assert fitted.names == ("log scale:Intercept",)
    assert fitted.status == "converged"
    same = fitted.likelihood.evaluate(np.zeros(1))[0]
    by_number = dt.fit(
        crisis(), data, outcome="outcome", utilities=known | {"u1_capit": "1"}, scale=1.0, starts=[[0.6]], iterations=1
    )
    assert by_number.likelihood.value(np.array([0.6])) == pytest.approx(same, abs=1e-12)


def test_searches_and_distinct_maxima_are_counted(result):
    assert len(result.search.runs) == 3
    assert result.distinct_optima == 1
    assert "distinct maxima 1" in str(result)


# ---------------------------------------------------------------- standard errors


def test_covariances_agree_where_the_model_is_true():
    big = simulated(4000, 3)
    one = dt.fit(crisis(), big, outcome="outcome", utilities=SPEC, cluster=np.arange(4000), starts=1)
    errors = {kind: one.with_covariance(kind).bse.to_numpy() for kind in ("hessian", "robust", "clustered", "opg")}
    for kind in ("robust", "clustered", "opg"):
        assert errors[kind] == pytest.approx(errors["hessian"], rel=0.15)
    assert errors["clustered"] == pytest.approx(errors["robust"] * np.sqrt(4000 / 3999), rel=1e-9)


def test_the_inverse_hessian_is_the_numerical_one(result):
    likelihood, theta, step = result.likelihood, result.theta, 1e-4
    size = likelihood.size
    hessian = np.empty((size, size))
    for i in range(size):
        for j in range(size):
            a, b = np.eye(size)[i] * step, np.eye(size)[j] * step
            f = likelihood.value
            hessian[i, j] = (f(theta + a + b) - f(theta + a - b) - f(theta - a + b) + f(theta - a - b)) / (4 * step**2)
    assert result.cov_params().to_numpy() == pytest.approx(np.linalg.inv(-hessian), rel=1e-3, abs=1e-5)


def test_repeating_every_row_within_its_cluster_does_not_make_surer(data):
    once = dt.fit(crisis(), data, outcome="outcome", utilities=SPEC, cluster="group")
    twice = dt.fit(crisis(), pd.concat([data, data]), outcome="outcome", utilities=SPEC, cluster="group")
    assert twice.bse.to_numpy() == pytest.approx(once.bse.to_numpy(), rel=1e-6)


def test_profile_ends_are_where_the_likelihood_has_fallen_enough(result):
    ends = result.conf_int(method="profile").to_numpy()
    for k in (0, 4):
        fallen = profile(result.objective, result.optimum, k, ends[k])
        assert 2 * (result.llf - fallen) == pytest.approx(3.841458820694124, abs=1e-4)
    assert np.abs(ends - result.conf_int().to_numpy()).max() < 0.2 * result.bse.max() * 2


def test_the_bootstrap_does_not_depend_on_who_runs_it(result, tmp_path):
    alone = result.bootstrap(20, seed=3)
    with ThreadPoolExecutor(2) as pool:
        together = result.bootstrap(20, seed=3, executor=pool)
    assert np.array_equal(alone.draws, together.draws, equal_nan=True)
    store = tmp_path / "draws.npz"
    result.bootstrap(10, seed=3, store=store)
    told = []
    resumed = result.bootstrap(20, seed=3, store=store, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (20, 20)
    assert told[0][0] > 10
    assert np.array_equal(alone.draws, resumed.draws, equal_nan=True)
    with pytest.raises(dt.ParameterError, match="another fit, method or seed"):
        result.bootstrap(20, seed=4, store=store)


def test_the_bootstrap_is_of_the_size_of_the_inverse_hessian(result):
    for method in ("rows", "parametric"):
        errors = result.bootstrap(60, method=method).bse
        assert np.median(errors / result.bse) == pytest.approx(1, abs=0.25)


# ---------------------------------------------------------------- the table


def test_information_criteria_have_the_right_sign(result):
    assert result.aic == pytest.approx(-2 * result.llf + 12)
    assert result.bic == pytest.approx(-2 * result.llf + 6 * np.log(300))
    assert result.tvalues.to_numpy() == pytest.approx((result.params / result.bse).to_numpy())
    assert result.pvalues.between(0, 1).all()


def test_the_table_comes_in_three_forms(result):
    table = result.summary()
    for text in (table.as_text(), table.as_html(), table.as_latex()):
        assert "u2" in text
        assert f"{result.params['u2_war:z']:.4f}" in text
    assert r"u2\_war" in table.as_latex()
    assert "Log-likelihood" in result._repr_html_()


# ---------------------------------------------------------------- predictions


def test_predictions_are_probabilities_of_the_fitted_game(result, data):
    p = result.predict(data)
    assert list(p.columns) == ["sq", "capit", "war"]
    assert p.sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-12)
    actions = result.predict(data, kind="actions")
    escalate = actions["start: escalate"].to_numpy()
    assert p["war"].to_numpy() == pytest.approx(escalate * actions["escalate: resist"].to_numpy(), abs=1e-12)
    missing = result.predict(data.head(3).assign(x=[0.0, np.nan, 1.0]))
    assert missing.isna().all(axis=1).tolist() == [False, True, False]


@pytest.mark.parametrize("bands", ["delta", "simulation"])
def test_bands_hold_the_prediction(result, data, bands):
    table = result.predict(data.head(10), bands=bands)
    for outcome in ("sq", "capit", "war"):
        low, middle, high = (table[outcome, end].to_numpy() for end in ("low", "estimate", "high"))
        assert ((low < middle) & (middle < high) & (low > 0) & (high < 1)).all()


def test_bands_by_delta_and_simulation_agree(result, data):
    widths = [
        (t["war", "high"] - t["war", "low"]).to_numpy()
        for t in (result.predict(data.head(10), bands=b) for b in ("delta", "simulation"))
    ]
    assert widths[0] == pytest.approx(widths[1], rel=0.25)


def test_marginal_effects_are_derivatives_of_the_mean_prediction(result, data):
    effects = result.effects("z")
    step = 1e-4
    change = (result.predict(data.assign(z=data.z + step)) - result.predict(data.assign(z=data.z - step))).mean()
    assert effects["effect"].to_numpy() == pytest.approx((change / (2 * step)).to_numpy(), abs=1e-7)
    assert effects["effect"].sum() == pytest.approx(0, abs=1e-9)
    assert (effects["std err"] > 0).all()


def test_a_first_difference_is_a_difference_of_mean_predictions(result, data):
    difference = result.effects("z", change=(-1, 1))["effect"]
    means = [result.predict(data.assign(z=v)).mean() for v in (-1, 1)]
    assert difference.to_numpy() == pytest.approx((means[1] - means[0]).to_numpy(), abs=1e-12)


def test_effects_of_words_need_a_change(data):
    utilities = SPEC | {"u2_war": "z + kind"}
    fitted = dt.fit(crisis(), data, outcome="outcome", utilities=utilities)
    assert fitted.effects("kind")["effect"].sum() == pytest.approx(0, abs=1e-12)  # two values: their difference
    with pytest.raises(dt.ParameterError, match="no regressor of this fit"):
        fitted.effects("group")


def test_simulated_outcomes_follow_the_fit(result):
    again = result.simulate(seed=1)
    assert again.equals(result.simulate(seed=1))
    assert set(again.outcome) == {"sq", "capit", "war"}
    many = pd.concat([result.simulate(seed=s) for s in range(40)])
    share = (many.outcome == "war").mean()
    assert share == pytest.approx(result.predict()["war"].mean(), abs=4 * np.sqrt(0.25 / len(many)))


# ---------------------------------------------------------------- the way back to games


def test_a_row_is_a_game_that_other_concepts_solve(result, data):
    game = result.game(data.index[0])
    assert game.parameters == ()
    values = result.values(data.index[0])
    assert dt.spe(game).probability("war") == dt.spe(crisis(), at=values).probability("war")
    quantal = dt.qre_batch(crisis(), at={k: np.array([v]) for k, v in values.items()}, precision=1 / np.sqrt(2))
    logit = dt.fit(crisis(), data, outcome="outcome", utilities=values, scale="~ 1", link="logit", starts=1)
    p = logit.likelihood.probabilities(np.zeros(1))[0]  # log scale 0: a logit of precision 1 / sqrt 2
    assert quantal.probability("war") == pytest.approx(p[2], abs=1e-8)


def test_symbols_that_are_left_free_can_be_swept(result):
    game = result.game({"x": 0.5}, free=["u2_war"])
    assert game.parameters == ("u2_war",)
    table = dt.sweep(game, over={"u2_war": [-1.0, 1.0]}, event="capit", progress=False)
    assert table.capit_high.values.max() <= 1
    truth = result.values({"x": 0.5})
    seen = dt.subjective(crisis(), truth=truth, beliefs={"Challenger": {"u2_war": truth["u2_war"] + 3}})
    assert seen is not None


def test_a_fitted_game_can_be_explored(result):
    explorer = dt.explore(result.game({"x": 0.5}, free=["u2_war"]), ranges={"u2_war": (-2, 2)})
    assert "1 parameters" in repr(explorer)


def test_a_fit_can_be_swept(result):
    table = dt.sweep(result, over={"z": np.linspace(-1, 1, 3)}, event="war", progress=False)
    own = result.sweep("z", np.linspace(-1, 1, 3), bands=None)
    assert table.war_high.values == pytest.approx(own["war"].to_numpy(), abs=1e-12)
    with pytest.raises(dt.ParameterError, match="'xx' is no regressor of this fit"):
        dt.sweep(result, over={"xx": [0.0, 1.0]}, event="war", progress=False)


def test_an_estimate_names_its_source(result):
    estimate = result.parameter("u2_war:z")
    assert estimate.value == result.params["u2_war:z"]
    assert estimate.low < estimate.value < estimate.high
    assert "300 observations" in estimate.source
    with pytest.raises(dt.ParameterError, match="no parameter 'u2_war:zz'"):
        result.parameter("u2_war:zz")


def test_pictures_show_every_estimate(result):
    axes = result.plot()
    assert [t.get_text() for t in axes.get_yticklabels()] == list(result.names)
    lines = result.plot_predictions("z", outcomes=["war"], bands=None).get_lines()
    assert len(lines) == 1
    assert lines[0].get_ydata() == pytest.approx(result.sweep("z", bands=None)["war"].to_numpy())
