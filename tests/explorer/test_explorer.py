"""The explorer shows what the package finds: each number of a view is compared with the solvers' own."""

from __future__ import annotations

import base64
import importlib.util
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deterrence as dt
from deterrence.explorer.explorer import Explorer
from deterrence.explorer.maps import MOST_PHASES, NOTHING, in_bytes, phases_of, scale_of
from deterrence.explorer.meshes import Mesh
from deterrence.explorer.sliders import slider_of, step_of
from deterrence.explorer.snippets import fill_template
from deterrence.explorer.state import PARTS
from deterrence.explorer.subjects import Slider, changed_values
from deterrence.games.answers import BlockAnswer

p, c, w = dt.symbols("p c w")


def posture_game(**labels: Any) -> dt.SignalingGame:
    """Return a posture game: a firm or soft alliance stations forces at a cost, or not; soft ones do not fight."""
    given = {"types": ("firm", "soft"), "messages": ("station", "stay"), "responses": ("refrain", "attack"), **labels}
    fights = np.array([1, 0])[:, None]
    sender = np.zeros((2, 2, 2), dtype=object)
    sender[:, 0, :] -= c
    sender[..., 1] += np.where(fights, -1, -3)
    receiver = np.zeros((2, 2, 2), dtype=object)
    receiver[..., 1] = np.where(fights, w, 1)
    return dt.SignalingGame(**given, prior=[p, 1 - p], sender_payoffs=sender, receiver_payoffs=receiver)


def crisis() -> dt.ExtensiveGame:
    yields = dt.end("conquest", A=1, D=0)
    attacked = dt.move("D", {"fight": dt.end("war", A=-1, D=w), "yield": yields})
    return dt.ExtensiveGame(("A", "D"), dt.move("A", {"refrain": dt.end("peace", A=c, D=1), "attack": attacked}))


@pytest.fixture(scope="module")
def alsig() -> Explorer:
    return dt.explore("ALSIG", grid=24, points=31)


@pytest.fixture(scope="module")
def textbook() -> Explorer:
    return dt.explore("textbook", grid=9, points=11)


@pytest.fixture(scope="module")
def plain() -> Explorer:
    ranges = {"p": (0.02, 0.98), "c": (0.05, 2.6)}
    return dt.explore(posture_game(), ranges=ranges, at={"p": 0.3, "w": -1}, grid=12, points=13)


def decoded(view_map: dict[str, Any], name: str) -> Any:
    codes = np.frombuffer(base64.b64decode(view_map[name]), dtype=np.uint8).reshape(view_map["ny"], view_map["nx"])
    if name == "kinds":
        return codes
    low, high = view_map["scale"]
    return np.where(codes == NOTHING, np.nan, low + codes / 254 * (high - low))


def at(explorer: Explorer, **values: float) -> dict[str, Any]:
    start = explorer.initial_state
    return {**start, "values": {**start["values"], **values}, "serial": 1}


# ---------------------------------------------------------------- the numbers are those of the solvers


@settings(max_examples=15, deadline=None)
@given(rho=st.floats(0.01, 0.99), k=st.floats(0.01, 1.1), v_I=st.floats(0.05, 0.95))
def test_the_point_is_what_pbe_finds(alsig: Explorer, rho: float, k: float, v_I: float) -> None:
    view = alsig.answer(at(alsig, rho=rho, k=k, v_I=v_I), parts=["equilibria"])
    found = dt.models.get("ALSIG").solve(rho=rho, k=k, v_I=v_I)
    low, high = found.probability("attack")
    assert view["point"]["low"] == pytest.approx(low, abs=1e-9)
    assert view["point"]["high"] == pytest.approx(high, abs=1e-9)
    assert [row["kind"] for row in view["equilibria"]] == [e.kind for e in found]
    for row, e in zip(view["equilibria"], found, strict=True):
        assert (row["low"], row["high"]) == pytest.approx(e.probability_range("attack"), abs=1e-9)
        assert {name: part != "nothing" for name, part in row["survives"].items()} == {
            name: e.survives(name) for name in alsig.spec["refinements"]
        }


def test_curve_and_map_are_those_of_a_sweep(alsig: Explorer) -> None:
    state = at(alsig, d=0.7)
    view = alsig.answer(state, parts=["curve", "map"])
    rest = {name: value for name, value in state["values"].items() if name != "rho"}
    curve = dt.sweep(dt.models.get("ALSIG"), over={"rho": view["curve"]["values"]}, at=rest, progress=False)
    assert view["curve"]["low"] == pytest.approx(curve.attack_low.values, abs=1e-12)
    assert view["curve"]["high"] == pytest.approx(curve.attack_high.values, abs=1e-12)
    axes = {name: np.linspace(*view["map"][f"{axis}_range"], 24) for axis, name in (("x", "rho"), ("y", "k"))}
    rest = {name: value for name, value in rest.items() if name != "k"}
    swept = dt.sweep(dt.models.get("ALSIG"), over=axes, at=rest, progress=False).transpose("k", "rho")
    for end in ("low", "high"):  # the sweep knows more at ties: on the three lines at rho = 0 and 1, and at k = 0
        far = np.abs(decoded(view["map"], end) - swept[f"attack_{end}"].values) > 0.51 / 254
        assert far.sum() <= view["map"]["ties"] <= 3 * 24
        assert not far[1:, 1:-1].any()


def test_a_phase_is_the_set_of_kinds_that_exist(alsig: Explorer) -> None:
    view = alsig.answer(at(alsig, w=1.03), parts=["map"])["map"]
    kinds = decoded(view, "kinds")
    xs, ys = np.linspace(*view["x_range"], view["nx"]), np.linspace(*view["y_range"], view["ny"])
    for i, j in ((3, 2), (20, 3), (15, 13), (4, 21), (21, 21)):
        found = dt.models.get("ALSIG").solve(rho=xs[i], k=ys[j], w=1.03)
        assert set(view["phases"][kinds[j, i]].split(" + ")) == set(found.kinds)


def test_points_that_make_no_game_have_no_answer(alsig: Explorer) -> None:
    view = alsig.answer(at(alsig, v_I=1.2))  # v_I < w is required
    assert view["point"]["status"] == "INVALID"
    assert view["point"]["low"] is None
    assert "v_I < w" in view["point"]["reason"]
    assert set(view["curve"]["low"]) == {None}
    assert (decoded(view["map"], "kinds") == NOTHING).all()
    assert view["equilibria"] == []
    assert "v_I < w" in view["statement"]


@pytest.mark.parametrize("concept", ["pbe", "qre"])
def test_a_game_with_symbols(plain: Explorer, concept: str) -> None:
    state = {**at(plain, c=0.4), "concept": concept, "event": "attack"}
    view = plain.answer(state)
    found = getattr(dt, concept)(posture_game(), at={"p": 0.3, "c": 0.4, "w": -1})
    assert (view["point"]["low"], view["point"]["high"]) == pytest.approx(found.probability("attack"), abs=1e-7)
    assert len(view["equilibria"]) == len(found)
    assert view["tree_svg"].startswith("<svg")


def test_a_tree_with_symbols() -> None:
    explorer = dt.explore(crisis(), ranges={"w": (-1, 1), "c": (-0.5, 0.5)}, at={"w": -0.3}, grid=10, points=11)
    view = explorer.answer(explorer.initial_state)
    assert view["point"] == {"low": 1.0, "high": 1.0, "status": "OK", "reason": ""}
    expected = [1.0 if value < 0 else 0.0 for value in view["curve"]["values"]]
    untied = [i for i, value in enumerate(view["curve"]["values"]) if abs(value) > 1e-9]
    assert [view["curve"]["high"][i] for i in untied] == [expected[i] for i in untied]
    assert "fight" in view["tree_svg"]


def test_a_model_of_the_readers_own() -> None:
    parameters = [dt.Parameter("w", -0.3, -1, 1, meaning="payoff of war"), dt.Parameter("c", 0.1, -0.5, 0.5)]
    model = dt.Model("crisis", crisis(), parameters, ("attack",), "textbook")
    explorer = dt.explore(model, ranges={"w": (-0.8, 0.8)}, at={"c": 0.2}, grid=5, points=9)
    assert [(s.name, s.low, s.high, s.value) for s in explorer.subject.sliders] == [
        ("w", -0.8, 0.8, -0.3),
        ("c", -0.5, 0.5, 0.2),
    ]
    view = explorer.answer(at(explorer, w=0.4))
    assert (view["point"]["low"], view["point"]["high"]) == model.solve(w=0.4, c=0.2).probability("attack") == (0, 0)
    made = run(view["code"], model=model)
    assert view["curve"]["high"] == pytest.approx(made["curve"].attack_high.values, abs=1e-12)


def test_ties_along_the_curve_are_solved_unless_that_is_not_asked(alsig: Explorer) -> None:
    rough = alsig.answer({**alsig.initial_state, "settle": False}, parts=["curve"])["curve"]
    settled = alsig.answer(alsig.initial_state, parts=["curve"])["curve"]
    assert rough["ties"] > settled["ties"] == 0
    ends = [i for i, x in enumerate(settled["values"]) if x in (0.0, 0.5, 1.0)]
    assert rough["ties"] == len(ends)
    for i, x in enumerate(settled["values"]):
        assert (rough["low"][i] == settled["low"][i]) or i in ends
        if i in ends:
            found = dt.models.get("ALSIG").solve(rho=x)
            assert (settled["low"][i], settled["high"][i]) == pytest.approx(found.probability("attack"), abs=1e-9)


def test_a_quantity_that_is_no_probability_has_its_own_scale() -> None:
    explorer = dt.explore("CHAIN", grid=5, points=9)
    view = explorer.answer(explorer.initial_state)
    numbers = [x for x in view["curve"]["high"] if x is not None]
    assert view["curve"]["scale"][1] == pytest.approx(max(numbers))
    assert view["curve"]["scale"][1] > 1


# ---------------------------------------------------------------- what the aggressor sees, and what is true


def test_a_scenario_shows_perceived_beside_true_values(textbook: Explorer) -> None:
    view = textbook.answer(textbook.initial_state)
    game = dt.Scenario.load("textbook").game()
    seen = float(game.attack_probabilities().likelihood[1])
    right = float(replace(game, perception={}).attack_probabilities().likelihood[1])
    assert seen != pytest.approx(right, abs=0.1)
    assert view["point"]["high"] == pytest.approx(seen, abs=1e-9)
    assert list(view["comparison"]["rows"][0])[1:] == [f"{seen:.1%}", f"{right:.1%}"]
    assert f"probability {float(game.regret_probability()):.1%}" in view["comparison"]["words"]
    assert view["curve"]["true_high"] == pytest.approx([right] * 11, abs=1e-9)
    assert "Ally" in view["tree_svg"]


@pytest.mark.parametrize("seen", [0.1, 0.45])
def test_a_model_shows_perceived_beside_true_values(alsig: Explorer, seen: float) -> None:
    state = {**at(alsig, rho=0.7), "believer": "Attacker", "perceived": {"rho": seen}}
    state |= {"x": "rho", "y": "perceived:rho"}
    view = alsig.answer(state)
    found = dt.subjective(
        dt.models.get("ALSIG"), truth=state["values"], beliefs={"Attacker": {"rho": seen}}, concept="pbe"
    )
    low, high = found.probability("attack")
    assert (view["point"]["low"], view["point"]["high"]) == pytest.approx((low, high), abs=1e-9)
    rows = {row[0]: row[1] for row in view["comparison"]["rows"]}
    told = found.unwanted_war
    assert rows["unwanted war"] in (f"{told[0]:.1%}", f"{told[0]:.1%} to {told[1]:.1%}")
    xs = np.linspace(0, 1, 24)
    grid = dt.subjective(
        dt.models.get("ALSIG"), truth={**state["values"], "rho": xs[None, :]},
        beliefs={"Attacker": {"rho": xs[:, None]}}, concept="pbe",
    )  # fmt: skip
    np.testing.assert_allclose(decoded(view["map"], "high"), grid.probability("attack")[1], atol=1 / 254)
    names: dict[str, Any] = {}
    exec(view["code"].replace("print(", "str("), names)
    assert names["outcome"].probability("attack") == pytest.approx((low, high))


@pytest.mark.parametrize("believer", ["Guarantor", "Attacker"])
@pytest.mark.parametrize("measure", ["unwanted war", "missed deterrence"])
def test_what_would_not_have_happened_is_an_event(alsig: Explorer, believer: str, measure: str) -> None:
    assert measure in alsig.spec["perceived"]["measures"]
    state = {**at(alsig, rho=0.7), "believer": believer, "perceived": {"rho": 0.2, "g": 0.6}}
    state |= {"event": measure, "x": "perceived:g", "y": "h"}
    view = alsig.answer(state)
    model, seen = dt.models.get("ALSIG"), {"rho": 0.2}
    one = dt.subjective(model, truth=state["values"], beliefs={believer: {**seen, "g": 0.6}})
    assert (view["point"]["low"], view["point"]["high"]) == pytest.approx(getattr(one, measure.replace(" ", "_")))
    assert "true_low" not in view["curve"]  # nobody makes a mistake who knows the truth
    xs = np.array(view["curve"]["values"])
    along = dt.subjective(model, truth=state["values"], beliefs={believer: {**seen, "g": xs}})
    ys = np.linspace(*view["map"]["y_range"], 24)[:, None]
    xs = np.linspace(*view["map"]["x_range"], 24)[None, :]
    over = dt.subjective(model, truth={**state["values"], "h": ys}, beliefs={believer: {**seen, "g": xs}})
    asked = {
        "unwanted war": lambda grid: grid.unwanted_war("war"),
        "missed deterrence": lambda grid: grid.missed_deterrence("attack"),
    }[measure]
    for end, line, area in zip(("low", "high"), asked(along), asked(over), strict=True):
        assert view["curve"][end] == pytest.approx(line, abs=1e-12)
        np.testing.assert_allclose(decoded(view["map"], end), area, atol=0.51 / 254)
    low, high = asked(over)
    phases = np.array(view["map"]["phases"])[decoded(view["map"], "kinds")]
    np.testing.assert_array_equal(np.char.find(phases, f"{measure} whatever they expect") >= 0, low > 1e-9)
    np.testing.assert_array_equal(np.char.find(phases, measure) >= 0, high > 1e-9)
    made = run(view["code"])
    assert asked(made["phases"])[1] == pytest.approx(high, abs=1e-12)
    assert made["curve"].shape == (31,)


def test_a_tree_with_symbols_shows_perceived_beside_true_values() -> None:
    explorer = dt.explore(crisis(), ranges={"w": (-1, 1)}, at={"w": 0.5, "c": 0}, grid=7, points=5)
    assert explorer.spec["perceived"]["believer"] == "A"
    state = {**explorer.initial_state, "perceived": {"w": -0.5}, "event": "war", "y": "perceived:w"}
    view = explorer.answer(state)
    found = dt.subjective(crisis(), truth={"w": 0.5, "c": 0}, beliefs={"A": {"w": -0.5}})
    assert (view["point"]["low"], view["point"]["high"]) == found.probability("war") == (1, 1)
    rows = {row[0]: row[1:] for row in view["comparison"]["rows"]}
    assert rows["war"] == ("100.0%", "0.0%", "0.0%", "0.0%")  # what happens; A, D expect; if nobody were wrong
    assert {name: rows[name][0] for name in ("miscalculation", "unwanted war", "called bluff")} == {
        "miscalculation": "100.0%", "unwanted war": "100.0%", "called bluff": "0.0%"
    }  # fmt: skip
    assert "A takes w for -0.5 (in truth 0.5)" in view["comparison"]["words"]
    w = np.linspace(-1, 1, 7)
    expected = (w[None, :] > 0) & (w[:, None] < 0)  # A attacks as it takes D for one that yields, and D fights
    off = w != 0  # D is indifferent there
    np.testing.assert_array_equal(decoded(view["map"], "low")[off][:, off], expected[off][:, off])
    made = run(view["code"], game=crisis())
    assert made["outcome"].unwanted_war == (1, 1)


def test_points_of_which_one_view_makes_no_game_have_no_answer(alsig: Explorer) -> None:
    state = {**at(alsig, w=1.0), "perceived": {"v_I": 0.5}, "x": "perceived:v_I", "y": "w"}
    view = alsig.answer(state, parts=["map"])["map"]
    xs, ys = np.linspace(*view["x_range"], 24), np.linspace(*view["y_range"], 24)
    w = ys[:, None]  # v_I < w < v_R is required, of the true values and of the perceived ones
    there = (xs[None, :] < w) & (state["values"]["v_I"] < w) & (w < state["values"]["v_R"])
    np.testing.assert_array_equal(decoded(view, "kinds") != NOTHING, there)
    for i, j in ((3, 13), (12, 15)):
        assert there[j, i]
        found = dt.subjective(
            dt.models.get("ALSIG"), truth={**state["values"], "w": ys[j]}, beliefs={"Attacker": {"v_I": xs[i]}}
        )
        assert decoded(view, "high")[j, i] == pytest.approx(found.probability("attack")[1], abs=0.51 / 254)
    told = alsig.answer({**at(alsig, w=0.5), "perceived": {"v_I": 0.9}}, parts=["comparison"])
    assert (told["point"]["status"], told["point"]["low"]) == ("INVALID", None)
    assert "v_I < w" in told["point"]["reason"]
    assert "v_I < w" in told["comparison"]["words"]


def test_errors_at_single_points_of_a_mesh_leave_the_others() -> None:
    x, y = np.arange(7.0)[None, :], np.arange(5.0)[:, None]

    def ask(values: Any, seen: Any) -> Any:
        total = values["x"] + seen["y"]
        if (total == 6).any():
            raise dt.ParameterError("six is none")
        return {"total": (total, total + values["one"])}

    mesh = Mesh.of(ask, {"x": x, "one": 1.0}, {"y": y}, np.broadcast_to(x != 2, (5, 7)))
    there = (x + y != 6) & (x != 2)
    np.testing.assert_array_equal(mesh.solved, there)
    np.testing.assert_array_equal(mesh.low["total"], np.where(there, x + y, np.nan))
    np.testing.assert_array_equal(mesh.high["total"], np.where(there, x + y + 1, np.nan))
    assert mesh.reasons == dict.fromkeys(np.flatnonzero((x + y == 6) & (x != 2)).tolist(), "six is none")
    ragged = Mesh.of(ask, {"x": x, "one": 1.0}, {"y": y}, x > y)
    np.testing.assert_array_equal(ragged.solved, (x > y) & (x + y != 6))
    assert not Mesh.of(ask, {"x": x, "one": 1.0}, {"y": y}, np.zeros((5, 7), dtype=bool)).solved.any()


def test_nobody_is_wrong_who_perceives_what_is_true(alsig: Explorer) -> None:
    right = alsig.answer(at(alsig, rho=0.7))
    seen = alsig.answer({**at(alsig, rho=0.7), "perceived": {"rho": 0.7}})
    assert [seen["point"][end] for end in ("low", "high")] == pytest.approx(
        [right["point"][end] for end in ("low", "high")]
    )
    assert "nobody is wrong" in seen["comparison"]["words"]
    assert right["comparison"] is None


def test_a_scenario_with_a_posture_stage_can_be_explored() -> None:
    text = dt.Scenario.load("textbook").text.split("[variants.")[0]
    scenario = dt.Scenario.loads(
        text
        + """
[posture]
sender = "Ally"
quantiles = 3
types = [
    { name = "firm", probability = 0.5 },
    { name = "soft", probability = 0.5, changes = { "members.Ally.cost.shape.probability" = 0.1 } },
]
postures = [{ name = "words" }, { name = "troops", cost = 0.1, forward = { Ally = 2 } }]
"""
    )
    explorer = dt.explore(scenario, grid=4, points=5)
    view = explorer.answer(explorer.initial_state)
    assert view["point"]["status"] == "OK"
    assert (view["point"]["low"], view["point"]["high"]) == pytest.approx(scenario.probability("attack"), abs=1e-9)
    assert {row["kind"] for row in view["equilibria"]} == set(scenario.solve().kinds)


def test_a_strategic_game_can_be_explored() -> None:
    x = dt.symbols("x")
    sides = (("stag", "hare"), ("stag", "hare"))
    hunt = dt.StrategicGame([[4, 0], [x, x]], [[4, x], [0, x]], players=("A", "B"), strategies=sides)
    explorer = dt.explore(hunt, ranges={"x": (1, 3)}, at={"x": 2}, points=5)
    view = explorer.answer({**explorer.initial_state, "event": "stag"})
    found = dt.nash(hunt.at(x=2))
    assert len(view["equilibria"]) == len(found) == 3
    assert (view["point"]["low"], view["point"]["high"]) == pytest.approx(found.probability("stag"))
    assert all("stag" in row["html"] for row in view["equilibria"])
    made = run(view["code"], game=hunt)
    assert view["curve"]["low"] == pytest.approx(made["curve"].stag_low.values, abs=1e-12)
    assert explorer.spec["perceived"] is None
    with pytest.raises(dt.ParameterError, match="nobody's perceived values can be given"):
        explorer.answer({**explorer.initial_state, "perceived": {"x": 2}})


def test_perceived_resolve_stays_where_it_is_when_true_resolve_moves(textbook: Explorer) -> None:
    name = next(s.name for s in textbook.subject.sliders if s.name.startswith("perception."))
    scenario = dt.Scenario.load("textbook")
    seen = textbook.initial_state["values"][name]
    view = textbook.answer(at(textbook, resolve=0.9), parts=[])
    expected = scenario.answer({"resolve": [0.9], name: [seen]})
    assert view["point"]["high"] == pytest.approx(expected.high["attack"][0], abs=1e-9)
    assert f'"{name}": {seen}' in view["code"]


def test_only_what_differs_from_the_scenario_is_told() -> None:
    sliders = (
        Slider("resolve", 0, 1, 0.5, 0.01, neutral=0.5),
        Slider("seen", 0, 1, 0.4, 0.01, neutral=0.4, tied="resolve"),
        Slider("always", 0, 1, 0.2, 0.01),
    )
    values = {"resolve": 0.5, "seen": 0.4, "always": 0.2}
    assert changed_values(sliders, values) == {"always": 0.2}
    assert changed_values(sliders, {**values, "resolve": 0.6}) == {**values, "resolve": 0.6}
    assert changed_values(sliders, values, ["resolve"]) == {"seen": 0.4, "always": 0.2}


# ---------------------------------------------------------------- copy as code


def run(code: str, **names: Any) -> dict[str, Any]:
    made = dict(names)
    exec(compile(code, "view", "exec"), made)
    return made


def test_the_code_of_a_model_gives_the_view(alsig: Explorer) -> None:
    state = {**at(alsig, rho=0.55, k=0.33, w=1.07), "event": "war"}
    view = alsig.answer(state)
    made = run(view["code"])
    assert made["equilibria"].kinds == tuple(dict.fromkeys(row["kind"] for row in view["equilibria"]))
    assert view["curve"]["low"] == pytest.approx(made["curve"].war_low.values, abs=1e-12)
    assert view["curve"]["high"] == pytest.approx(made["curve"].war_high.values, abs=1e-12)
    drawn = decoded(view["map"], "high")
    far = np.abs(drawn - made["phases"].war_high.transpose("k", "rho").values) > 0.51 / 254
    assert far.sum() <= view["map"]["ties"]


def test_the_code_of_a_game_gives_the_view(plain: Explorer) -> None:
    view = plain.answer({**at(plain, p=0.61), "x": "c", "y": "p"})
    made = run(view["code"], game=posture_game())
    event = plain.initial_state["event"]
    assert made["equilibria"].probability(event) == pytest.approx((view["point"]["low"], view["point"]["high"]))
    assert view["curve"]["high"] == pytest.approx(made["curve"][f"{event}_high"].values, abs=1e-12)
    far = np.abs(decoded(view["map"], "low") - made["phases"][f"{event}_low"].transpose("p", "c").values) > 0.51 / 254
    assert far.sum() <= view["map"]["ties"]


def test_the_code_of_a_scenario_gives_the_view(textbook: Explorer) -> None:
    view = textbook.answer(at(textbook, resolve=0.8, loss=1.3))
    made = run(view["code"])
    assert made["here"].high["attack"][0] == pytest.approx(view["point"]["high"], abs=1e-12)
    assert view["curve"]["high"] == pytest.approx(made["curve"].attack_high.values, abs=1e-9)
    x, y = view["map"]["x"], view["map"]["y"]
    assert decoded(view["map"], "high") == pytest.approx(
        made["phases"].attack_high.transpose(y, x).values, abs=0.51 / 254
    )


def test_the_template_gives_the_code_without_python_behind_it(alsig: Explorer) -> None:
    state = at(alsig, rho=0.25)
    places = {"values": state["values"], "x": "rho", "y": "k", "event": "attack", "concept": "pbe",
              "x_range": (0.0, 1.0), "y_range": (0.0, 1.2), "points": 31, "grid": 24}  # fmt: skip
    assert fill_template(alsig.spec["code"], places) == alsig.answer(state, parts=[])["code"]


# ---------------------------------------------------------------- the exchange


def test_all_that_is_exchanged_is_json(alsig: Explorer, textbook: Explorer, plain: Explorer) -> None:
    for explorer in (alsig, textbook, plain):
        for told in (explorer.spec, explorer.initial_state, explorer.answer(explorer.initial_state)):
            assert json.loads(json.dumps(told, allow_nan=False)) is not None


def test_the_same_state_gives_the_same_view(alsig: Explorer) -> None:
    fresh = dt.explore("ALSIG", grid=24, points=31)
    states = [at(alsig, k=0.1 * i) for i in range(4)]
    there = [alsig.answer(state) for state in states]
    back = [fresh.answer(state) for state in reversed(states)][::-1]
    assert [{**v, "seconds": 0} for v in there] == [{**v, "seconds": 0} for v in back]


def test_only_the_parts_asked_for_are_answered(alsig: Explorer) -> None:
    for part, key in zip(PARTS, ("curve", "map", "equilibria", "tree_svg", "comparison"), strict=True):
        view = alsig.answer({**alsig.initial_state, "parts": [part], "serial": 7})
        assert key in view
        assert {"curve", "map", "equilibria", "tree_svg", "comparison"} & set(view) == {key}
        assert view["serial"] == 7


def test_one_parameter_has_a_curve_and_no_map() -> None:
    explorer = dt.explore("BQ", points=11)
    assert explorer.spec["axes"] == ["P_strong"]
    assert explorer.answer(explorer.initial_state)["map"] is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"values": {"rho": 2.0}}, r"rho must lie in \[0, 1\], got 2"),
        ({"values": {"rho": float("nan")}}, "rho must be a number"),
        ({"values": {"rho": "0.5"}}, "rho must be a number, got '0.5'"),
        ({"values": {"nobody": 0.5}}, "no parameter 'nobody'; there are rho"),
        ({"values": 3}, "values must be a mapping"),
        ({"x": "nobody"}, "x must be one of rho"),
        ({"y": "rho"}, "x and y are both 'rho'"),
        ({"event": "peace on earth"}, "event must be one of attack, war"),
        ({"concept": "hope"}, "concept must be one of pbe"),
        ({"equilibrium": -1}, "equilibrium must be a whole number"),
        ({"serial": 1.5}, "serial must be a whole number"),
        ({"parts": "map"}, "parts must be a list of curve"),
        ({"parts": ["moon"]}, "parts must be one of curve"),
        ({"believer": "nobody"}, "believer must be one of Guarantor, Attacker, got 'nobody'"),
        ({"perceived": {"nobody": 0.5}}, "no parameter 'nobody'"),
        ({"perceived": {"rho": 3}}, r"rho must lie in \[0, 1\], got 3"),
        ({"x": "perceived:rho"}, "x must be one of rho"),
        ({"event": "unwanted war"}, "event must be one of attack, war"),
    ],
)
def test_a_malformed_state_is_an_error_that_says_what_is_wrong(
    alsig: Explorer, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(dt.ParameterError, match=message):
        alsig.answer({**alsig.initial_state, **change})


def test_labels_of_users_are_escaped_in_all_markup() -> None:
    bad = "<script>alert(1)</script>"
    game = posture_game(types=(bad, "soft"), responses=(bad + "!", "attack"), players=(bad + "?", "B"))
    explorer = dt.explore(game, ranges={"p": (0.1, 0.9)}, at={"c": 0.4, "w": -1}, points=5)
    view = explorer.answer(explorer.initial_state)
    markup = view["tree_svg"] + "".join(row["html"] for row in view["equilibria"])
    assert "&lt;script&gt;" in markup
    assert "<script" not in markup


# ---------------------------------------------------------------- opening


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"thing": 3}, dt.ParameterError, "takes a model, a scenario or a game with symbols, got int"),
        ({"thing": "BQ", "grid": 1}, dt.ParameterError, "grid must be a whole number of at least 2, got 1"),
        ({"thing": "BQ", "ranges": {"q": (0, 1)}}, dt.ParameterError, "a range is given of 'q'"),
        ({"thing": "BQ", "ranges": {"P_strong": (0.5, 2)}}, dt.ParameterError, r"P_strong must lie in \[0, 1\]"),
        ({"thing": "BQ", "ranges": {"P_strong": 0.5}}, dt.ParameterError, "must be a pair of numbers"),
        ({"thing": "HORSE"}, dt.GameError, "HORSE has no parameter that is a number"),
        ({"thing": "textbook", "ranges": {"q": (0, 1)}}, dt.ParameterError, "a range is given of 'q'"),
        ({"thing": posture_game()}, dt.ParameterError, "needs a range or a value of"),
        ({"thing": posture_game(), "at": {"p": 0.1, "c": 1, "w": 1}}, dt.ParameterError, "nothing moves"),
        (
            {"thing": posture_game(), "ranges": {"p": (0, 0.5)}, "at": {"p": 0.7, "c": 1, "w": 1}},
            dt.ParameterError,
            "p starts at 0.7, outside its range",
        ),
        ({"thing": posture_game().at(p=0.3, c=1, w=-1), "ranges": {}}, dt.GameError, "no symbols to move"),
    ],
)
def test_what_cannot_be_explored_is_said(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        dt.explore(**arguments)


def test_explore_is_a_function_whatever_was_imported_before() -> None:
    program = "import deterrence.explorer.maps, deterrence as dt; print(dt.explore('BQ', points=3))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith("Explorer('BQ")


@pytest.mark.skipif(importlib.util.find_spec("anywidget") is None, reason="anywidget is not installed")
def test_the_widget_answers_each_state() -> None:
    explorer = dt.explore("BQ", points=5)
    widget = explorer.widget
    assert widget.view["serial"] == 0
    widget.state = {**widget.state, "values": {"P_strong": 0.75}, "serial": 5}
    assert (widget.view["serial"], widget.view["point"]["high"]) == (5, pytest.approx(0.0))
    widget.state = {**widget.state, "x": "nobody", "serial": 6}
    assert widget.view == {"serial": 6, "error": "x must be one of P_strong, got 'nobody'"}
    bundle, _ = explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_without_anywidget_only_the_widget_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anywidget", None)
    explorer = dt.explore("BQ", points=5)
    assert explorer.answer(explorer.initial_state)["point"]["status"] == "OK"
    with pytest.raises(ImportError, match=r'pip install "deterrence\[explore\]"'):
        _ = explorer.widget


# ---------------------------------------------------------------- pieces


@given(low=st.floats(-1e3, 1e3), length=st.floats(1e-3, 1e4))
def test_a_slider_takes_a_hundred_round_steps_or_more(low: float, length: float) -> None:
    step = step_of(low, low + length)
    assert 100 * (1 - 1e-6) <= length / step <= 251
    assert f"{step:.0e}"[0] in "125"


@given(
    value=st.floats(-50, 50), below=st.sampled_from([0.0, 1e-9, 1.0, np.inf]), above=st.sampled_from([0.0, 2.0, np.inf])
)
def test_a_range_fits_the_screen_and_holds_the_start(value: float, below: float, above: float) -> None:
    if below + above == 0:
        return
    slider = slider_of(dt.Parameter("a", value, value - below, value + above))
    assert value - below <= slider.low <= slider.value == value <= slider.high <= value + above
    assert np.isfinite([slider.low, slider.high]).all()


def test_whole_numbers_are_stepped_through() -> None:
    slider = slider_of(dt.Parameter("N", 5, 1, 1000, "count"))
    assert (slider.low, slider.step) == (1, 1)
    assert slider.points(100).tolist() == list(range(1, int(slider.high) + 1))
    assert (slider.points(4) % 1 == 0).all()


def test_bytes_of_a_map() -> None:
    codes = np.frombuffer(base64.b64decode(in_bytes(np.array([0, 0.5, 1, np.nan]), (0, 1))), np.uint8)
    assert codes.tolist() == [0, 127, 254, NOTHING]
    assert scale_of(np.array([0.0, np.nan]), np.array([0.5, np.nan])) == (0, 1)
    assert scale_of(np.array([-2.0]), np.array([3.0])) == (-2, 3)


def test_phases_are_sorted_and_the_rarest_share_the_last() -> None:
    size = 2**MOST_PHASES
    combinations = np.arange(size)
    kinds = {f"kind {k}": (combinations >> k & 1).astype(bool) for k in range(MOST_PHASES)}
    answer = BlockAnswer({}, {}, np.ones(size, dtype=np.int64), kinds, np.zeros(size, dtype=np.uint8))
    codes, words = phases_of(answer)
    assert codes.max() == MOST_PHASES - 1
    assert len(words) == MOST_PHASES
    assert words[-1] == f"{size - MOST_PHASES + 1} rarer phases"


def test_markup_enters_the_page_from_python_alone() -> None:
    source = (files("deterrence.explorer") / "static" / "explorer.js").read_text("utf-8")
    sinks = [line.strip() for line in source.splitlines() if "innerHTML" in line or "insertAdjacent" in line]
    assert len(sinks) == 2
    assert all("made by Python, every label escaped" in line for line in sinks)
    assert not [word for word in ("eval(", "document.write", "fetch(", "import ", "XMLHttp") if word in source]
    assert source.count("://") == 1, "the name space of SVG is the only address"


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_front_end_is_a_module_without_syntax_errors() -> None:
    source = (files("deterrence.explorer") / "static" / "explorer.js").read_bytes()
    subprocess.run(["node", "--check", "--input-type=module"], input=source, check=True, timeout=60)


# ---------------------------------------------------------------- all of them

_STILL = {"AEG", "VDA", "D1-3TYPE", "RILEY", "HORSE"}  # tables of numbers only: nothing moves


@pytest.mark.slow
@pytest.mark.parametrize("id", dt.models.catalogue().ids)
def test_every_model_can_be_explored(id: str) -> None:
    if id in _STILL:
        with pytest.raises(dt.GameError, match="no parameter that is a number"):
            dt.explore(id)
        return
    explorer = dt.explore(id, grid=6, points=7)
    view = explorer.answer(explorer.initial_state)
    assert view["point"]["status"] == "OK"
    assert any(x is not None for x in view["curve"]["low"])
    assert view["equilibria"]
    json.dumps(view, allow_nan=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", dt.Scenario.names())
def test_every_scenario_can_be_explored(name: str) -> None:
    explorer = dt.explore(name, grid=6, points=7)
    view = explorer.answer(explorer.initial_state)
    low, high = dt.Scenario.load(name).game().attack_probabilities().likelihood
    assert (view["point"]["low"], view["point"]["high"]) == pytest.approx((float(low), float(high)), abs=1e-6)
    assert view["equilibria"]
    assert view["tree_svg"].startswith("<svg")
    assert all(x is not None for x in view["curve"]["low"])
    for slider in explorer.subject.sliders:  # each dial moves, to both ends of its range
        for value in (slider.low, slider.high):
            assert explorer.answer(at(explorer, **{slider.name: value}), parts=[])["point"]["status"] == "OK"
