"""Decisions: policies on common draws, against the closed form of the textbook scenario."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import deterrence as dt
from deterrence.alliances.scenarios.building import build
from deterrence.alliances.scenarios.options import affordable
from deterrence.alliances.scenarios.uncertainty import draw_uncertainty

TEXT = (
    dt.Scenario.load("textbook")
    .text.split("[variants.")[0]
    .replace(
        'punishment = { value = "loss / 2", illustrative = true, range = [0.05, 2.5], note',
        'punishment = { value = "loss / 2", source = "THR", note',
    )
)


def scenario(*options: str) -> dt.Scenario:
    return dt.Scenario.loads("\n".join((TEXT, *options)), "file.toml")


def option(name: str, changes: str, cost: float = 1, more: str = "") -> str:
    return f"[options.{name}]\nchanges = {changes}\ncost = {cost}\nunit = 'euros'\n{more}"


def closed_form(loss: np.ndarray, perceived: float | np.ndarray, extra: float = 0.0) -> np.ndarray:
    """P(v (1 - q') > loss q') with v uniform on [0, 2]."""
    return np.clip(1 - (loss + extra) * perceived / (1 - perceived) / 2, 0, 1)


BELIEVED = option("believed", '{ "perception.Aggressor.resolve" = 0.5 }')
DEARER = option("dearer", '{ loss = "+0.5" }', 2)


def drawn(decision: dt.Decision, name: str) -> np.ndarray:
    numbers = decision.uncertainty.numbers
    return decision.uncertainty.inputs[:, [n.name for n in numbers].index(name)]


def test_every_policy_is_the_closed_form_at_every_draw():
    found = scenario(BELIEVED, DEARER).decide(draws=64, seed=3)
    loss = drawn(found, "parameters.loss")
    assert found.names == ("status quo", "A", "B", "A+B")
    for policy, perceived, extra in (((), 0.4, 0), (("A",), 0.5, 0), (("B",), 0.4, 0.5), (("A", "B"), 0.5, 0.5)):
        at = found.policy(*policy)
        assert found.likelihood()[at] == pytest.approx(closed_form(loss, perceived, extra), abs=1e-9)
    assert found.cost[:, 0].tolist() == [0, 1, 2, 3]


def test_the_status_quo_is_the_assessment_at_the_same_draws():
    one = scenario(BELIEVED)
    found, assessed = one.decide(draws=32, seed=7), draw_uncertainty(one, draws=32, seed=7)
    assert found.low["attack"][0].tolist() == assessed.low["attack"].tolist()
    assert found.high["unwanted war"][0].tolist() == assessed.high["unwanted war"].tolist()


def test_a_set_value_is_known_and_a_changed_one_moves_with_what_is_drawn():
    found = scenario(option("fixed", "{ loss = 1.5 }"), option("half", '{ loss = "*0.5" }')).decide(draws=16, seed=1)
    loss = drawn(found, "parameters.loss")
    assert found.likelihood()[1] == pytest.approx(np.full(16, closed_form(np.array(1.5), 0.4)), abs=1e-9)
    assert found.likelihood()[2] == pytest.approx(closed_form(loss * 0.5, 0.4), abs=1e-9)
    both = found.likelihood()[3]  # what is set comes first
    assert both == pytest.approx(np.full(16, closed_form(np.array(0.75), 0.4)), abs=1e-9)


def test_a_relative_change_stays_within_the_bounds_of_its_number():
    up = option("up", '{ "members.Ally.recognition" = "+0.5", "members.Ally.delay" = "-5" }')
    assert np.isfinite(scenario(up).decide(draws=8, seed=1).likelihood()).all()


def test_an_option_with_a_trigger_is_taken_and_paid_for_where_it_holds():
    adaptive = option("adaptive", '{ "perception.Aggressor.resolve" = 0.5 }', 3, 'when = "loss below 1.2"')
    found = scenario(adaptive, DEARER).decide(draws=128, seed=5)
    loss = drawn(found, "parameters.loss")
    where = loss < 1.2
    assert 0.1 < where.mean() < 0.9
    perceived = np.where(where, 0.5, 0.4)
    assert found.likelihood()[found.policy("adaptive")] == pytest.approx(closed_form(loss, perceived), abs=1e-9)
    assert found.likelihood()[found.policy("A", "B")] == pytest.approx(closed_form(loss, perceived, 0.5), abs=1e-9)
    assert found.cost[found.policy("adaptive")] == pytest.approx(np.where(where, 3, 0))


@pytest.mark.parametrize(
    ("when", "share"),
    [
        ("perceived resolve below 0.5", 1.0),  # 0.4 at every draw
        ("true resolve against full below 0.0", 0.0),
        ("attack at least 0", 1.0),
        ("members.Ally.capability above 2", 0.0),
    ],
)
def test_a_trigger_may_speak_of_resolve_of_events_and_of_numbers(when: str, share: float):
    adaptive = option("adaptive", "{ loss = 2 }", 3, f'when = "{when}"')
    assert scenario(adaptive).decide(draws=8, seed=5).options[0].taken.mean() == share


def test_an_option_is_not_taken_where_one_that_it_requires_is_not():
    first = option("first", "{ loss = 2 }", 1, 'when = "loss below 1.2"')
    second = option("second", '{ "perception.Aggressor.resolve" = 0.5 }', 1, 'requires = ["first"]')
    found = scenario(first, second).decide(draws=32, seed=2)
    assert found.names == ("status quo", "A", "A+B")
    assert found.options[1].taken.tolist() == found.options[0].taken.tolist()


def test_what_takes_too_long_is_paid_for_and_does_nothing():
    late = option("late", '{ "perception.Aggressor.resolve" = 0.5 }', 2, "lead_time = 3")
    soon = scenario(late).decide(draws=8, seed=1, within=2)
    assert soon.likelihood()[1].tolist() == soon.likelihood()[0].tolist()
    assert soon.cost[1].tolist() == [2.0] * 8
    assert (scenario(late).decide(draws=8, seed=1, within=3).reduction()[1] > 0).any()


def test_a_variant_may_be_an_option():
    text = (
        option("say", '"believed"')
        + '\n[variants.believed]\nmechanism = "m"\nisolates = "i"\nperception = { Aggressor = {} }'
    )
    found = scenario(text).decide(draws=16, seed=1)
    loss, resolve = drawn(found, "parameters.loss"), drawn(found, "parameters.resolve")
    assert found.likelihood()[1] == pytest.approx(closed_form(loss, resolve), abs=1e-9)


def test_a_variant_with_tables_may_be_an_option_and_keeps_the_draws_of_what_both_have():
    tables = '{ aggressor = { prize = { scale = { value = 4, source = "THR" } } } }'
    variant = f'[variants.more]\nmechanism = "m"\nisolates = "i"\ntables = {tables}'
    found = scenario(option("more", '"more"') + "\n" + variant).decide(draws=16, seed=1)
    loss = drawn(found, "parameters.loss")
    assert found.likelihood()[1] == pytest.approx(np.clip(1 - loss * 0.4 / 0.6 / 4, 0, 1), abs=1e-9)


def test_the_budget_is_a_knapsack():
    names, costs = ["a", "b", "c"], [1, 2, 3]
    gains = [0.1, 0.35, 0.4]
    some = [option(n, f'{{ loss = "+{g}" }}', c) for n, g, c in zip(names, gains, costs, strict=True)]
    found = scenario(*some, "[budget]\namount = 3\nunit = 'euros'").decide(draws=16, seed=1)
    fits = {p for k in range(4) for p in itertools.combinations(range(3), k) if sum(costs[i] for i in p) <= 3}
    assert set(found.policies) == fits
    best = max(fits, key=lambda p: sum(gains[i] for i in p))
    assert found.policies[found.choices()["least expected loss"]] == best == (0, 1)


def test_costs_that_are_uncertain_are_drawn_and_the_budget_holds_in_the_stated_share():
    dear = BELIEVED.replace("cost = 1", "cost = { value = 2, illustrative = true, range = [1, 3] }")
    for confidence, count in ((0.2, 2), (0.9, 1)):
        budget = f"[budget]\namount = 1.8\nunit = 'euros'\nconfidence = {confidence}"
        found = scenario(dear, budget).decide(draws=100, seed=1)
        assert len(found.policies) == count
        cost = found.options[0].cost
        assert affordable(cost, found.budget, confidence) == (count == 2)
        assert 1 < cost.min() < cost.max() < 3


def test_the_rules_choose_by_hand():
    """At every draw A + B is best of all; by cost A is; with a harm of 2.5 euros nothing is worth its cost."""
    one = scenario(BELIEVED, DEARER)
    found = one.decide(draws=64, seed=3)
    chosen = {rule: found.names[p] for rule, p in found.choices().items()}
    assert chosen["least expected loss"] == chosen["minimax regret"] == "A+B"
    frame = found.to_frame()
    rate = frame["reduction"] / frame["cost"]
    assert frame["per_cost"].iloc[1:].tolist() == pytest.approx(rate.iloc[1:].tolist())
    assert chosen["most per cost"] == rate.iloc[1:].idxmax()
    assert found.regret().max(axis=1)[3] == 0
    worth = found.at(harm=2.5)
    assert worth.losses.tolist() == one.decide(draws=64, seed=3, harm=2.5).losses.tolist()
    assert worth.names[worth.choices()["least expected loss"]] == "status quo"
    assert worth.losses == pytest.approx(2.5 * worth.likelihood() + worth.cost)


def test_information_is_worth_something_only_where_it_would_change_the_choice():
    """With harm H option A, at cost 1, gains H loss / 6: worth it where loss > 6 / H."""
    found = scenario(BELIEVED).decide(draws=2000, seed=3, harm=5.0)
    loss = drawn(found, "parameters.loss")
    quo, act = 5 * closed_form(loss, 0.4), 5 * closed_form(loss, 0.5) + 1
    exact = min(quo.mean(), act.mean()) - np.minimum(quo, act).mean()
    assert exact > 0.02
    assert found.perfect_information()[0] == pytest.approx(exact)
    table = found.information()
    assert table.index[0] == "parameters.loss"
    assert table["value"].iloc[0] == pytest.approx(exact, rel=0.1)
    assert abs(table.loc["parameters.resolve", "value"]) < 0.1 * exact


def test_dominated_policies_and_fronts():
    useless = option("useless", "{ decay = 8 }", 1)
    found = scenario(BELIEVED, useless).decide(draws=32, seed=1)
    dominated = found.dominated()
    assert dominated["policy"].tolist() == ["B", "A+B"]
    assert dominated["by the cheapest"].tolist() == ["status quo", "A"]
    assert [found.names[p] for p in found.front()] == ["status quo", "A"]
    assert set(found.front()) <= set(found.front("attack", "unwanted war"))
    assert found.dominated("first order")["policy"].tolist() == ["B", "A+B"]


def test_a_surrogate_finds_the_best_of_many_policies():
    """Seven additive options, a budget for some: the integer program finds what all sets would give."""
    gains = [0.05, 0.11, 0.02, 0.09, 0.14, 0.03, 0.08]
    costs = [2, 3, 1, 2, 5, 1, 2]
    some = [option(f"o{i}", f'{{ loss = "+{g}" }}', c) for i, (g, c) in enumerate(zip(gains, costs, strict=True))]
    one = scenario(*some, "[budget]\namount = 8\nunit = 'euros'")
    every, few = one.decide(draws=4, seed=1), one.decide(draws=4, seed=1, most=20)
    assert every.method == "all that can be afforded"
    assert "surrogate, as more than 20" in few.method
    assert len(few.policies) < len(every.policies)
    best = [one.policies[one.choices()["least expected loss"]] for one in (every, few)]
    assert sum(gains[i] for i in best[1]) == pytest.approx(sum(gains[i] for i in best[0]))


def test_it_shows_itself_within_eighty_columns_and_as_plain_data():
    found = scenario(BELIEVED, DEARER).decide(draws=32, seed=1)
    assert max(map(len, str(found).splitlines())) <= 80
    assert "4 policies on 32 common draws (seed 1" in str(found).replace("\n", " ")
    told = found.to_dict()
    assert [p["policy"] for p in told["policies"]] == list(found.names)
    assert told["policies"][0]["per_cost"] is None
    assert found.to_markdown().startswith("# One ally")
    data = found.to_dataset()
    assert dict(data.sizes) == {"draw": 32, "policy": 4, "number": 2, "option": 2}
    assert data["attack_low"].sel(policy="A").values.tolist() == found.low["attack"][1].tolist()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"event": "peace"}, "no event 'peace'"),
        ({"level": 0}, "level is a likelihood above 0 and up to 1, got 0"),
        ({"within": -1}, "within is a number of years of at least 0"),
        ({"harm": 0}, "harm is above 0"),
        ({"most": 0}, "most is a whole number of at least 1"),
        ({"draws": 1}, "draws must be a whole number from 2"),
    ],
)
def test_arguments_out_of_range_are_refused(options: dict[str, object], message: str):
    with pytest.raises(dt.ParameterError, match=message):
        scenario(BELIEVED).decide(**{"draws": 8, **options})


def test_what_cannot_be_decided_is_said():
    with pytest.raises(dt.ParameterError, match="textbook has no options to decide among"):
        scenario().decide(draws=8)
    found = scenario(BELIEVED).decide(draws=8)
    with pytest.raises(dt.ParameterError, match=r"no option 'beleived'.*did you mean 'believed'"):
        found.policy("beleived")
    with pytest.raises(dt.ParameterError, match="no event 'peace'"):
        found.likelihood("peace")
    with pytest.raises(dt.ParameterError, match="dominance is one of statewise"):
        found.dominated("statewide")
    poor = scenario(BELIEVED, "[budget]\namount = 0\nunit = 'euros'").decide(draws=8)
    assert poor.names == ("status quo",)
    with pytest.raises(dt.ParameterError, match="the policy believed is not among the 1 that were solved"):
        poor.policy("believed")


def test_an_option_that_makes_no_game_at_some_draw_is_named():
    wrong = option("wrong", '{ resolve = "+0.5" }')
    with pytest.raises(dt.ParameterError, match=r"textbook with wrong makes no game at some draws: .*probability"):
        scenario(wrong).decide(draws=32)


# ---------------------------------------------------------------- options that come with the package


@pytest.mark.parametrize("name", ["baltic-2017", "baltic-2024"])
def test_shipped_options_say_where_their_costs_come_from(name: str):
    table = dt.Scenario.load(name).table
    assert len(table.options) >= 7
    for one in table.options.values():
        assert one.cost is not None
        assert one.cost.annotated
        assert one.cost.range is not None
        assert one.lead_time is not None
    assert table.budget is not None
    assert table.budget.amount.annotated


def test_policies_solved_together_are_those_solved_alone():
    """Games of many policies in one batch, against the scenario with each policy's changes written into it."""
    text = dt.Scenario.load("baltic-2017").text.split("[budget]")[0]
    brigade = option("brigade", '{ "members.USA.forward" = "+1" }')
    one = dt.Scenario.loads(text + brigade + option("exercises", '{ "perception.Russia.resolve" = "+0.3" }'))
    found = one.decide(draws=4, seed=2)
    numbers = found.uncertainty.numbers
    both = found.policy("brigade", "exercises")
    for d in (0, 3):
        drawn = {n.location: found.uncertainty.inputs[d : d + 1, i] for i, n in enumerate(numbers)}
        plain = dt.Scenario.loads(text.replace('resolve = "+0.6"', 'resolve = "+0.3"'))
        game = build(plain.table, drawn=drawn).at(**{"members.USA.forward": "+1"})
        answer = plain.likelihoods(game, ("attack", "unwanted war"), 1)
        for event in ("attack", "unwanted war"):
            assert found.low[event][both, d] == pytest.approx(answer.low[event][0], abs=1e-9)
            assert found.high[event][both, d] == pytest.approx(answer.high[event][0], abs=1e-9)
