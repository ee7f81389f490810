"""Everything shows itself in one bundle of forms, escaped, in the colours of the page; drawings are saved to files."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from fractions import Fraction
from html.parser import HTMLParser
from itertools import pairwise
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deterrence as dt
from deterrence.games.strategic_table import best_responses
from deterrence.models.registry import REGISTRY
from deterrence.plotting.belief_simplex import best_regions
from deterrence.plotting.picture import Picture
from deterrence.plotting.scene import COLORS, INK, contrast, mix_colours, readable, share_in_theme, width_of
from tests.legibility import NASTY, assert_legible

few = settings(max_examples=25, deadline=None)
COLUMN = 183 / 25.4  # inches: two columns of a journal, 183 mm
SVG = "{http://www.w3.org/2000/svg}"


def beer_quiche(**names):
    labels = {"types": ("strong", "weak"), "messages": ("beer", "quiche"), "responses": ("duel", "not")} | names
    return dt.SignalingGame(
        **labels, prior=[0.9, 0.1], sender_payoffs=[[[1, 3], [0, 2]], [[0, 2], [1, 3]]],
        receiver_payoffs=[[[0, 1], [0, 1]], [[1, 0], [1, 0]]],
    )  # fmt: skip


def guarantee(guarantor="Guarantor"):
    p, c = dt.symbols("p c")

    def crisis(stake):
        ends = {"fight": dt.end("war", {guarantor: -c, "A": -2}), "abandon": dt.end(None, {guarantor: -stake, "A": 1})}
        actions = {"hold": dt.end(None, {guarantor: 0, "A": 0}), "attack": dt.move(guarantor, ends)}
        return dt.move("A", actions, infoset="dark")

    return dt.ExtensiveGame(("A", guarantor), dt.chance({"bold": (p, crisis(2)), "meek": (1 - p, crisis(0.5))}))


def shown():
    game = beer_quiche()
    equilibria = dt.pbe(game)
    scenario = dt.Scenario.load("textbook")
    batch = dt.SignalingGame(
        ("s", "w"), ("m", "n"), ("a", "b"), [0.5, 0.5], np.arange(24.0).reshape(3, 2, 2, 2) % 7,
        np.arange(24.0).reshape(3, 2, 2, 2) % 5,
    )  # fmt: skip
    w = dt.symbols("w")
    choice = dt.ExtensiveGame(("A",), dt.move("A", {"l": dt.end(A=w), "r": dt.end(A=0)}))
    return {
        "tree": (guarantee(), {"text/html", "text/latex", "image/svg+xml"}),
        "signaling": (game, {"text/html", "image/svg+xml"}),
        "signaling batch": (batch, {"text/html"}),
        "strategic": (dt.StrategicGame([[3, 0], [5, 1]], [[3, 5], [0, 1]]), {"text/html", "text/latex"}),
        "equilibrium": (equilibria[0], {"text/html", "text/latex"}),
        "set": (equilibria, {"text/html", "text/latex"}),
        "batch": (dt.pbe(batch), {"text/html"}),
        "regimes": (dt.regimes(choice), {"text/markdown", "text/latex"}),
        "model": (dt.models.get("ALSIG"), {"text/html", "text/latex"}),
        "scenario": (scenario, {"text/html"}),
        "defence": (scenario.game(), {"text/html"}),
        "participation": (scenario.game().participation_game(), {"text/html"}),
        "assessment": (scenario.assess(draws=16), {"text/html"}),
        "subjective": (
            dt.subjective(dt.models.get("ALSIG"), truth={"rho": 0.7}, beliefs={"Attacker": {"rho": 0.3}}),
            {"text/html"},
        ),
        "picture": (dt.draw(game), {"text/html", "image/svg+xml"}),
    }


class Balanced(HTMLParser):
    """A parser that knows which elements are open."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        if tag not in ("br", "img", "hr"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def assert_sound(page):
    parser = Balanced()
    parser.feed(page)
    parser.close()
    assert not parser.open
    assert "script" not in parser.seen
    return parser.seen


def test_everything_shows_itself_in_every_form_that_it_has():
    for name, (thing, forms) in shown().items():
        bundle = thing._repr_mimebundle_()
        assert set(bundle) == {"text/plain"} | forms, name
        assert all(isinstance(x, str) and x for x in bundle.values()), name
        if "text/html" in bundle:
            assert_sound(bundle["text/html"])
            assert not re.search(r"""(fill|stroke|color)[=:]["']?(black|white|#000|#fff)""", bundle["text/html"]), name
        if "image/svg+xml" in bundle:
            assert "currentColor" not in bundle["image/svg+xml"], name
            ET.fromstring(bundle["image/svg+xml"])
        if "text/latex" in bundle:
            for one in bundle["text/latex"].split("\n"):
                assert re.fullmatch(r"\$\$.*\$\$", one), name
                assert_balanced(one)
        assert set(thing._repr_mimebundle_(include=["text/plain"])) == {"text/plain"}
        assert "text/html" not in thing._repr_mimebundle_(exclude=["text/html"])


def test_a_label_never_becomes_markup():
    game = beer_quiche(types=(NASTY, "weak"), messages=("beer", NASTY), responses=(NASTY, "not"))
    found = dt.pbe(game)
    tree = guarantee(NASTY)
    table = dt.StrategicGame([[1, 0]], [[1, 0]], players=(NASTY, "B"), strategies=((NASTY,), ("l", NASTY)), title=NASTY)
    things = (game, found, found[0], tree, table, dt.belief_simplex(game, found[0]), dt.draw(found[0]))
    for thing in things:
        for form, content in thing._repr_mimebundle_().items():
            if form in ("text/html", "image/svg+xml"):
                assert "<script" not in content
                assert_sound(content)


def test_pictures_in_a_page_take_its_colours_and_say_what_they_are():
    html = beer_quiche()._repr_html_()
    assert "color:var(--jp-content-font-color1,currentColor)" in html
    assert 'role="img"' in html
    assert "aria-label=" in html
    assert "<title>" in html


@pytest.mark.parametrize("color", COLORS)
def test_text_has_contrast_on_paper_and_in_both_themes(color):
    assert contrast(readable(color), "#ffffff") >= 4.5
    share = share_in_theme(color)
    assert share >= 0.3, "the colour must still be seen"
    assert contrast(mix_colours(color, "#212121", share), "#ffffff") >= 4.5
    assert contrast(mix_colours(color, "#ffffff", share), "#181818") >= 4.5


def test_contrast_is_that_of_the_guidelines():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert readable(INK) != INK


@few
@given(words=st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=25), bold=st.booleans())
def test_widths_of_texts_are_seldom_guessed_too_small(words, bold):
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    line = " ".join(words.split())
    properties = FontProperties(family="DejaVu Sans", size=12, weight="bold" if bold else "normal")
    real, _, _ = TextToPath().get_text_width_height_descent(line, properties, ismath=False)
    assert width_of(line, 12, bold=bold) >= 0.9 * real - 1


# -- the largest shipped pictures ------------------------------------------------------------------------------------


def shipped():
    found = {}
    for id in REGISTRY:
        game = dt.models.get(id).game()
        for name, one in (game if isinstance(game, dict) else {"": game}).items():
            if isinstance(one, dt.ExtensiveGame | dt.SignalingGame) and not one.batch_shape:
                found[f"{id} {name}"] = one
    for name in dt.Scenario.names():
        defence = dt.Scenario.load(name).game()
        if defence.posture is not None:
            found[name] = defence.posture_game()
    return found


def test_shipped_games_are_legible_at_column_width():
    games = shipped()
    assert len(games) > 20
    for name, game in games.items():
        picture = dt.draw(game)
        assert_legible(picture.svg())
        assert picture.text_points(min(COLUMN, picture.width)) >= 8, name


# -- files -----------------------------------------------------------------------------------------------------------


def assert_balanced(tex):
    depth = 0
    for before, c in pairwise(" " + tex):
        depth += (before != "\\") * ((c == "{") - (c == "}"))
        assert depth >= 0
    assert depth == 0
    begun = re.findall(r"\\begin\{(\w+)\}", tex)
    assert sorted(begun) == sorted(re.findall(r"\\end\{(\w+)\}", tex))


@pytest.mark.parametrize("suffix", ["svg", "png", "pdf", "tex"])
def test_a_picture_is_saved_as_its_suffix_says(suffix, tmp_path):
    game = beer_quiche()
    path = dt.save_picture(game, tmp_path / f"game.{suffix}", dt.pbe(game)[0])
    assert path.stat().st_size > 1000
    start = {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF", "tex": b"% "}[suffix]
    content = path.read_bytes()
    assert content.startswith(start)
    assert path.read_bytes() == dt.save_picture(game, path, dt.pbe(game)[0], overwrite=True).read_bytes(), (
        "no clock in the file"
    )
    if suffix == "svg":
        assert b"currentColor" not in content
        ET.fromstring(content)


def test_all_formats_hold_the_same_lines_and_texts(tmp_path):
    picture = dt.draw(guarantee().at(p=0.2, c=1))
    texts = ["".join(t.itertext()) for t in ET.fromstring(picture.svg()).iter(f"{SVG}text")]
    assert {t.get_text() for t in picture.figure().axes[0].texts} == set(texts)
    tex = picture.tikz()
    assert tex.count(r"\node[") == len(texts)
    figure = picture.figure().axes[0]
    marks = len(re.findall(r"<(?:path|circle)", picture.svg()))
    assert len(figure.patches) == marks == len(re.findall(r"^\\(?:path|fill)\[", tex, re.MULTILINE))


def test_nasty_labels_are_text_in_latex():
    game = beer_quiche(types=(r"a_b^c~d\e{f}%g&h#i$j", "weak ρ ≤ 1"))
    for document in (False, True):
        tex = dt.draw(game).tikz(document=document)
        assert_balanced(tex)
        assert r"a\_b\textasciicircum{}c\textasciitilde{}d\textbackslash{}e\{f\}\%g\&h\#i\$j" in tex
        assert r"weak $\rho$ $\leq$ 1" in tex
        assert tex.count("documentclass") == document
    lines = [line for line in dt.draw(game).tikz().splitlines() if line.startswith("\\") and "node" in line]
    assert all(line.endswith((";", "]")) for line in lines)


@pytest.mark.slow
def test_latex_reads_the_file(tmp_path):
    latex = shutil.which("pdflatex")
    if latex is None:
        pytest.skip("pdflatex is not installed")
    game = beer_quiche(types=(r"a_b^c~d\e{f}%g&h#i$j", "weak ρ ≤ 1"))
    for k, thing in enumerate((dt.draw(game, dt.pbe(game)[0]), dt.belief_simplex(game), dt.draw(guarantee()))):
        thing.save(tmp_path / f"p{k}.tex", document=True)
        done = subprocess.run(
            [latex, "-interaction=nonstopmode", "-halt-on-error", f"p{k}.tex"], cwd=tmp_path, capture_output=True,
            text=True, timeout=100, env=dict(os.environ), check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:]
        assert "(1 page" in done.stdout


def test_what_cannot_be_drawn_or_saved_is_told(tmp_path):
    game = beer_quiche()
    with pytest.raises(dt.GameError, match=r"'game.gif': its suffix must be one of .svg, .png, .pdf, .tex"):
        dt.save_picture(game, tmp_path / "game.gif")
    with pytest.raises(dt.GameError, match="width must be above 0"):
        dt.draw(game).save(tmp_path / "game.svg", width=0)
    with pytest.raises(dt.GameError, match="draw takes an ExtensiveGame, a SignalingGame or an equilibrium"):
        dt.draw(dt.StrategicGame([[1]], [[1]]))
    with pytest.warns(UserWarning, match="below the 8 that can be read in print"):
        dt.draw(game).save(tmp_path / "game.svg", width=2)
    assert dt.draw(dt.draw(game)) == dt.draw(game)


# -- strategic forms -------------------------------------------------------------------------------------------------


@few
@given(data=st.data(), shape=st.lists(st.integers(1, 3), min_size=1, max_size=3), exact=st.booleans())
def test_cells_of_best_responses_are_the_pure_equilibria(data, shape, exact):
    numbers = st.integers(-2, 2).map(Fraction if exact else float)
    cells = int(np.prod(shape)) * len(shape)
    payoffs = np.array(data.draw(st.lists(numbers, min_size=cells, max_size=cells)), dtype=object if exact else float)
    game = dt.StrategicGame(payoffs.reshape(*shape, len(shape)), players=[f"P{i}" for i in range(len(shape))])
    best = best_responses(game)
    for cell in np.ndindex(*shape):
        mixed_profile = dt.MixedProfile(tuple(np.eye(n)[k] for n, k in zip(shape, cell, strict=True)))
        assert best[cell].all() == (dt.verify(game, mixed_profile).max_regret == 0)
    page = game._repr_html_()
    assert page.count("★</td>") == best.all(axis=-1).sum()
    assert page.count("<b><u>") == best.sum() + ("framed" in page)
    assert str(game).count("*") == best.sum() + 1


def test_a_strategic_form_with_symbols_marks_nothing():
    a = dt.symbols("a")
    game = dt.StrategicGame([[a, 0]], [[0, 1]])
    assert "★" not in game._repr_html_()
    assert "a, 0" in game._repr_html_()
    assert "a,\\ 0" in game._repr_latex_()


# -- beliefs ---------------------------------------------------------------------------------------------------------


@few
@given(seed=st.integers(0, 10**6), types=st.sampled_from([2, 3]), responses=st.integers(1, 4))
def test_regions_of_best_responses_cover_the_simplex_once(seed, types, responses):
    rng = np.random.default_rng(seed)
    payoffs = rng.integers(-3, 4, (types, responses)).astype(float)
    regions = best_regions(payoffs)
    for corners in regions:
        assert np.all(corners >= -1e-12)
        np.testing.assert_allclose(corners.sum(axis=1), 1, atol=1e-12)
    for mu in rng.dirichlet(np.ones(types), 12):
        values = mu @ payoffs
        best = values >= values.max() - 1e-12
        for r in range(responses):
            if len(regions[r]):
                assert inside(mu, regions[r]) == best[r]
            else:
                assert not best[r] or best.sum() > 1


def inside(mu, corners):
    if len(mu) == 2:
        return corners[:, 0].min() - 1e-12 <= mu[0] <= corners[:, 0].max() + 1e-12
    turns = []
    for a, b in pairwise([*corners, corners[0]]):
        (x, y), (u, v) = (b - a)[:2], (mu - a)[:2]
        turns.append(x * v - y * u)
    return min(turns) >= -1e-12 or max(turns) <= 1e-12


def test_the_simplex_shows_prior_posterior_and_the_beliefs_that_hold_an_equilibrium_up():
    game = beer_quiche()
    pooling = dt.pbe(game).where(kind="pooling on beer")[0]
    picture = dt.belief_simplex(game, pooling)
    assert isinstance(picture, Picture)
    assert_legible(picture.svg())
    assert "not is best for Pr(strong) in [0.5, 1]" in str(picture)
    words = {"".join(t.itertext()) for t in ET.fromstring(picture.svg()).iter(f"{SVG}text")}
    assert {
        "after beer",
        "after quiche",
        "prior",
        "posterior",
        "beliefs that hold it up",
        "duel is best",
        "0.5",
    } <= words
    quiche = dt.belief_simplex(game, pooling, "quiche")
    (held,) = [p for p in quiche.scene.parts if getattr(p, "dashed", False) and p.start[0] < 200]
    bar = [p.corners for p in quiche.scene.parts if hasattr(p, "corners") and len(p.corners) == 4]
    left, right = min(x for c in bar[:2] for x, _ in c), max(x for c in bar[:2] for x, _ in c)
    shares = [(x - left) / (right - left) for x in (held.start[0], held.steps[0][0])]
    np.testing.assert_allclose(shares, [0, 0.5], atol=1e-9)


@few
@given(seed=st.integers(0, 10**6))
def test_a_triangle_is_legible(seed):
    rng = np.random.default_rng(seed)
    game = dt.SignalingGame(
        ("hard", "middling", "soft"), ("mobilise", "wait"), ("yield", "probe", "attack"), rng.dirichlet(np.ones(3)),
        rng.integers(0, 5, (3, 2, 3)), rng.integers(-3, 4, (3, 2, 3)),
    )  # fmt: skip
    for one in [None, *dt.pbe(game)][:4]:
        assert_legible(dt.belief_simplex(game, one).svg())


def test_what_has_no_simplex_is_told():
    game = beer_quiche()
    with pytest.raises(dt.GameError, match="no message 'tea'; this game has 'beer', 'quiche'"):
        dt.belief_simplex(game, message="tea")
    with pytest.raises(dt.GameError, match="no receiver type 'calm'"):
        dt.belief_simplex(game, receiver_type="calm")
    one = dt.SignalingGame(("s",), ("m",), ("a",), [1.0], [[[0]]], [[[0]]])
    with pytest.raises(dt.GameError, match="beliefs over 1 types have no picture"):
        dt.belief_simplex(one)
    with pytest.raises(dt.GameError, match="not the shape of this game"):
        dt.belief_simplex(game, dt.SignalingProfile(np.ones((1, 1)), np.ones((1, 1, 1)), np.ones((1, 1, 1))))
    batch = dt.SignalingGame(("s", "t"), ("m",), ("a",), [0.5, 0.5], np.zeros((4, 2, 1, 1)), np.zeros((2, 1, 1)))
    with pytest.raises(dt.GameError, match="index it first"):
        dt.belief_simplex(batch)


# -- batches ---------------------------------------------------------------------------------------------------------


def test_a_batch_counts_its_kinds():
    rng = np.random.default_rng(1)
    batch = dt.SignalingGame(
        ("s", "w"), ("m", "n"), ("a", "b"), [0.5, 0.5], rng.normal(size=(40, 2, 2, 2)), rng.normal(size=(40, 2, 2, 2))
    )
    found = dt.pbe(batch)
    for kind, flags in found.kinds.items():
        if flags.any():
            assert f"{kind} in {flags.sum()}" in repr(found)
            assert f'<th scope="row">{kind}</th><td>{flags.sum()}</td>' in found._repr_html_()
