"""The explorer's page from disk: what it knows is what Python says, and nothing in it can do harm."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import deterrence as dt
from deterrence.explorer import page as pages
from deterrence.explorer.page import bundle, inside_script, write_page
from deterrence.explorer.precomputed.grid import grid_of, movable_parameters
from deterrence.explorer.precomputed.grid_of_answers import points_of, precompute
from deterrence.explorer.subjects import Slider
from deterrence.games.errors import ParameterError

EVIL = '</script><script>alert(1)</script><!-- <img src=x onerror="alert(1)"> &amp;'


@pytest.fixture(scope="module")
def explorer():
    return dt.explore(dt.models.get("ALSIG"))


@pytest.fixture(scope="module")
def grid(explorer):
    return precompute(explorer, over=["rho", "k"], seconds=0.4, most_bytes=1_000_000)


@pytest.fixture(scope="module")
def written(explorer, grid):
    return pages.page(explorer, grid)


def unpacked(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))


def arrays_of(grid) -> tuple[np.ndarray, np.ndarray]:
    """Return the likelihoods in their codes, shape (arrays, points), and bytes of points: phase, group, reason."""
    n = points_of(grid)
    content = np.frombuffer(unpacked(grid.numbers), dtype=np.uint8)
    planes = content[: 2 * n * grid.head["arrays"]].reshape(-1, 2, n).astype(np.int64)
    rest = content[2 * n * grid.head["arrays"] :].reshape(3, n)
    return np.cumsum(planes[:, 0] * 256 + planes[:, 1], axis=1) % 65536, rest


def values_at(grid, at: int) -> dict[str, float]:
    place = np.unravel_index(at, [len(v) for v in grid.axes.values()])
    return {name: float(values[i]) for (name, values), i in zip(grid.axes.items(), place, strict=True)}


# ---------------------------------------------------------------- what it knows


def test_the_cube_holds_what_the_explorer_answers(explorer, grid):
    arrays, (_, _, reasons) = arrays_of(grid)
    settled = np.flatnonzero(reasons == 0)
    assert settled.size >= 25
    for at in np.random.default_rng(0).choice(settled, size=25).tolist():
        for event, field in grid.head["fields"].items():
            state = {"values": values_at(grid, at), "event": event, "parts": []}
            told = explorer.answer(state)["point"]
            low, high = field["scale"]
            for end in ("low", "high"):
                kept = low + arrays[field[end], at] / 60_000 * (high - low)
                assert kept == pytest.approx(told[end], abs=1e-5), (state, end)


def test_the_start_and_the_rarest_kinds_have_their_equilibria(explorer, grid):
    told = json.loads(unpacked(grid.pictures))
    assert len(told["points"]) == grid.drawn
    start = told["points"][0]
    state = explorer.initial_state
    view = explorer.answer(state)
    assert values_at(grid, start["at"]) == {name: state["values"][name] for name in grid.axes}
    assert [e["label"] for e in start["equilibria"]] == [e["label"] for e in view["equilibria"]]
    assert [told["texts"][e["html"]] for e in start["equilibria"]] == [e["html"] for e in view["equilibria"]]
    assert told["texts"][start["trees"][0]] == view["tree_svg"]
    ranges = [[e["low"], e["high"]] for e in view["equilibria"]]
    assert start["events"][state["event"]]["ranges"] == ranges
    _, (_, groups, _) = arrays_of(grid)
    assert {int(groups[p["at"]]) for p in told["points"]} == set(groups.tolist())


def test_a_parameter_that_changes_nothing_is_not_chosen(explorer):
    names = movable_parameters(explorer, None)
    assert names[:2] == list(explorer.subject.axes)
    assert len(names) == 3
    assert movable_parameters(explorer, "k") == ["k"]
    assert movable_parameters(explorer, ["k", "rho"]) == ["k", "rho"]


def test_less_room_gives_less(explorer):
    small = precompute(explorer, over="k", seconds=0.1, most_bytes=6_000)
    assert len(small.numbers) + len(small.pictures) <= 6_000
    assert small.drawn >= 1
    assert list(small.axes) == ["k"]


def test_a_scenario_has_its_true_values_beside_the_perceived():
    explorer = dt.explore("textbook")
    grid = precompute(explorer, over=explorer.subject.axes[:1], seconds=0.05, most_bytes=500_000)
    arrays, _ = arrays_of(grid)
    field = grid.head["fields"]["attack"]
    told = json.loads(unpacked(grid.pictures))["points"][0]
    view = explorer.answer({**explorer.initial_state})
    assert told["events"]["attack"]["comparison"] == json.loads(json.dumps(view["comparison"]))
    kept = arrays[field["low"], told["at"]] / 60_000
    assert kept == pytest.approx(view["point"]["low"], abs=1e-5)


@given(
    low=st.floats(-100, 100),
    width=st.floats(0.01, 100),
    share=st.floats(0, 1),
    most=st.integers(5, 61),
    whole=st.booleans(),
)
def test_a_grid_holds_the_start_in_equal_steps(low, width, share, most, whole):
    high, value = low + width, low + share * width
    if whole:
        low, high, value = np.floor([low, high, value]).tolist()
        assume(low < high)
        value = min(max(value, low), high)
    grid = grid_of(Slider("p", low, high, value, 0.01, whole=whole), most)
    assert 2 <= len(grid) <= most + 1
    assert low <= grid[0]
    assert grid[-1] <= high
    assert np.abs(grid - value).min() <= 1e-9 * max(abs(value), 1)
    steps = np.diff(grid)
    assert steps.min() > 0
    assert steps == pytest.approx(steps[0], rel=1e-6, abs=1e-9)
    assert grid[0] - low < steps[0] * (1 + 1e-6)
    assert high - grid[-1] < steps[0] * (1 + 1e-6)


# ---------------------------------------------------------------- what it is


class Scripts(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.found, self.links, self.policy, self.inside = [], [], "", False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        self.inside = tag == "script"
        if self.inside:
            self.found.append([told.get("type"), ""])
        if told.get("http-equiv") == "Content-Security-Policy":
            self.policy = told["content"]
        self.links += [told[name] for name in ("src", "href") if name in told]

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.found[-1][1] += data


def test_the_page_is_one_file_that_may_run_its_own_program_only(written):
    scripts = Scripts(written)
    assert [kind for kind, _ in scripts.found] == ["application/json", "text/plain", "text/plain", "module"]
    program = scripts.found[-1][1]
    digest = base64.b64encode(hashlib.sha256(program.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in scripts.policy
    assert "default-src 'none'" in scripts.policy
    assert scripts.links == []
    assert not re.search(r"^(import|export)\s", program, re.MULTILINE)


def test_only_the_parameters_of_the_cube_move(written):
    told = json.loads(Scripts(written).found[0][1])
    axes = {axis["name"]: axis["values"] for axis in told["head"]["axes"]}
    assert {told["state"]["x"], told["state"]["y"]} <= set(axes)
    for parameter in told["spec"]["parameters"]:
        if parameter["name"] in axes:
            values = axes[parameter["name"]]
            assert (parameter["low"], parameter["high"]) == (values[0], values[-1])
            assert parameter["step"] == pytest.approx(values[1] - values[0])
            assert "fixed" not in parameter
        else:
            assert "fixed at" in parameter["fixed"]
    assert "computed in advance" in told["spec"]["note"]


def test_text_cannot_leave_the_data(explorer, grid, monkeypatch):
    spec = {**explorer.spec, "title": EVIL, "note": EVIL}
    monkeypatch.setitem(explorer.__dict__, "spec", spec)
    scripts = Scripts(pages.page(explorer, grid))
    assert len(scripts.found) == 4
    assert json.loads(scripts.found[0][1])["spec"]["title"] == EVIL
    assert scripts.links == []


@given(st.text())
def test_json_inside_a_script_is_the_same_value_and_holds_no_markup(text):
    told = inside_script({"text": text, text: EVIL})
    assert not set(told) & set("<>&")
    assert json.loads(told) == {"text": text, text: EVIL} if text != "text" else True


def test_a_program_cannot_end_its_element(monkeypatch):
    texts = {
        "a.js": 'import b from "./b.js";\nb("</SCRIPT><!--");\n',
        "b.js": "const later = 1;\nexport default (x) => x + later;\n",
    }
    monkeypatch.setattr(pages, "_static", texts.__getitem__)
    program = bundle("a")
    assert "</script" not in program.lower()
    assert "<!--" not in program
    assert program.index("const module_b") < program.index("const b = module_b;")


@pytest.mark.parametrize(
    ("path", "options", "said"),
    [
        ("page.txt", {}, "ends in .html"),
        ("no/such/page.html", {}, "folder does not exist"),
        ("page.html", {"seconds": 0}, "seconds must be above 0"),
        ("page.html", {"most_bytes": 1000}, "most_bytes must be at least 500,000"),
        ("page.html", {"over": ["rhoo"]}, "'rhoo', which is no parameter; there are rho"),
        ("page.html", {"over": []}, "1 to 4 different parameters, got none"),
        ("page.html", {"over": ["k", "k"]}, "1 to 4 different parameters, got k, k"),
        ("page.html", {"over": ["rho", "k", "h", "w", "g"]}, "1 to 4 different"),
    ],
)
def test_a_bad_option_is_an_error_and_writes_nothing(explorer, tmp_path, path, options, said):
    with pytest.raises(ParameterError, match=said):
        write_page(explorer, tmp_path / path, **options)
    assert list(tmp_path.iterdir()) == []
