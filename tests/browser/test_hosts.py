"""The explorer without a notebook: the page of the local server, and the page from disk."""

from __future__ import annotations

import json
import statistics

import pytest

import deterrence as dt
from deterrence.explorer.page import write_page
from deterrence.explorer.server import running
from tests.browser.explorer_reader import Reader, milliseconds, summary_of
from tests.browser.markup_scenario import EVIL, markup_scenario


@pytest.fixture(scope="module")
def explorer():
    return dt.explore(dt.models.get("ALSIG"))


@pytest.fixture(scope="module")
def server(explorer):
    with running(explorer) as served:
        yield served.address


@pytest.fixture(scope="module")
def disk(explorer, tmp_path_factory):
    """Return the address of a page from disk, with every tie of its grid settled."""
    path = write_page(explorer, tmp_path_factory.mktemp("disk") / "page.html", over=["rho", "k", "w"], seconds=20)
    return path.as_uri()


# ---------------------------------------------------------------- the server


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_server_page_gives_what_python_says(open_page, server, explorer, scheme, screenshot, measured):
    reader = Reader(open_page(server, scheme=scheme), explorer)
    reader.check()
    took = []
    for slider in explorer.subject.sliders:
        before = reader.values()[slider.name]
        reader.press(slider.name)
        took.append(milliseconds(reader))
        assert reader.values()[slider.name] != before
        reader.check()
        reader.click_at(slider.name, 0.3)
        reader.check()
    figure = f"{statistics.median(took):.0f} ms (median of {len(took)})"
    measured(f"local server, {scheme}, slider to picture", figure)
    screenshot(reader.page, f"server-{scheme}")


def test_a_drag_ends_on_the_answer_to_its_last_place(open_page, server, explorer):
    reader = Reader(open_page(server), explorer)
    box = reader.slider("rho").bounding_box()
    middle = box["y"] + box["height"] / 2
    reader.page.mouse.move(box["x"] + 0.3 * box["width"], middle)
    reader.page.mouse.down()
    for share in range(30, 90, 2):
        reader.page.mouse.move(box["x"] + share / 100 * box["width"], middle)
    reader.page.mouse.up()
    reader.settle()
    assert reader.values()["rho"] == pytest.approx(0.88, abs=0.04)
    reader.check()


def test_a_point_of_the_map_can_be_clicked(open_page, server, explorer):
    reader = Reader(open_page(server), explorer)
    before = reader.values()
    plot = reader.root.locator(".dt-map")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    reader.page.mouse.click(box["x"] + 0.8 * box["width"], box["y"] + 0.3 * box["height"])
    reader.settle()
    after = reader.values()
    assert {name for name in after if after[name] != before[name]} == {"rho", "k"}
    assert after["rho"] > 0.5
    assert after["k"] > 0.6
    reader.check()


def test_an_equilibrium_is_chosen_and_drawn(open_page, server, explorer):
    reader = Reader(open_page(server), explorer)
    rows = reader.root.locator("input[type=radio]")
    told = reader.view()["equilibria"]
    assert rows.count() == len(told) > 1
    drawn = reader.root.locator(".dt-tree").inner_html()
    rows.nth(len(told) - 1).check()
    reader.settle()
    assert reader.root.locator(".dt-tree").inner_html() != drawn
    assert told[-1]["kind"] in reader.root.locator(".dt-detail").inner_text()


def test_a_pinned_point_is_kept_and_gone_back_to(open_page, server, explorer, screenshot):
    reader = Reader(open_page(server), explorer)
    start = reader.values()
    reader.root.get_by_role("button", name="Pin this point").click()
    reader.press("rho", "End")
    reader.press("k", "PageUp")
    row = reader.root.get_by_role("row").filter(has=reader.page.get_by_role("button", name="go to point 1"))
    assert "70.0\u202f% to 100.0\u202f%" in row.inner_text()
    screenshot(reader.page, "server-pinned")
    row.get_by_role("button", name="go to point 1").click()
    reader.settle()
    assert reader.values() == start
    reader.check()
    reader.root.get_by_role("button", name="remove point 1").click()
    assert reader.root.get_by_role("button", name="go to point 1").count() == 0


def test_the_copied_code_gives_the_numbers_of_the_page(open_page, server, explorer):
    page = open_page(server, permissions=["clipboard-read", "clipboard-write"])
    reader = Reader(page, explorer)
    reader.press("rho")
    told = reader.summary()
    reader.root.get_by_role("button", name="Copy as code").click()
    reader.root.get_by_text("The code is copied").wait_for()
    code = page.evaluate("navigator.clipboard.readText()")
    assert code.strip() == reader.view()["code"].strip()
    names: dict = {}
    exec(compile(code, "copied", "exec"), names)
    low, high = names["equilibria"].probability("attack")
    assert summary_of({"point": {"low": low, "high": high, "status": "OK"}}, "attack") == told


def test_a_server_that_has_ended_is_told(open_page, explorer):
    with running(explorer) as served:
        page = open_page(served.address, strict=False)
        reader = Reader(page, explorer)
    reader.slider("rho").press("ArrowRight")
    page.get_by_text("server has ended").first.wait_for()


def test_the_token_is_needed(open_page, server):
    page = open_page(strict=False)
    assert page.goto(server.rsplit("/", 2)[0] + "/").status == 404


# ---------------------------------------------------------------- from disk


@pytest.fixture
def open_disk(open_page):
    """Return a function that opens a page from disk, without network; a request for anything else fails the test."""
    asked = []

    def opened(address, **options):
        page = open_page(**options)
        page.context.set_offline(True)
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        return page

    yield opened
    assert {url.split(":")[0] for url in asked} <= {"file", "data", "blob"}
    assert sum(url.startswith("file") for url in asked) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_from_disk_gives_what_python_says(open_disk, disk, explorer, scheme, screenshot, measured):
    reader = Reader(open_disk(disk, scheme=scheme), explorer)
    screenshot(reader.page, f"disk-{scheme}")
    view = reader.view()
    assert reader.summary() == summary_of(view, "attack")
    assert reader.root.locator(".dt-tree").inner_html() == _as_markup(reader, view["tree_svg"])
    took = []
    for name in ("rho", "k", "w"):
        for key in ("ArrowRight", "PageUp", "ArrowLeft", "Home", "End"):
            before = reader.values()[name]
            reader.press(name, key)
            took.append(milliseconds(reader))
            assert reader.values()[name] != before or key in ("Home", "End")
            assert reader.summary() == summary_of(reader.view(), "attack"), reader.values()
        reader.click_at(name, 0.4)
        assert reader.summary() == summary_of(reader.view(), "attack"), reader.values()
    measured(f"page from disk, {scheme}, slider to picture", f"{statistics.median(took):.0f} ms")


def test_what_the_page_does_not_know_cannot_be_moved(open_disk, disk, explorer):
    reader = Reader(open_disk(disk), explorer)
    fixed = [slider.name for slider in explorer.subject.sliders if slider.name not in ("rho", "k", "w")]
    assert fixed
    for name in fixed:
        assert reader.slider(name).is_disabled()
        assert "fixed at" in reader.root.locator(f'[data-parameter="{name}"]').inner_text()
    options = reader.root.get_by_label("up", exact=True).locator("option").all_inner_texts()
    assert options == ["rho", "k", "w"]
    reader.root.get_by_label("up", exact=True).select_option("w")
    reader.settle()
    told = reader.root.locator(".dt-map").get_attribute("aria-label")
    assert "rho and w" in told
    assert reader.root.get_by_text("computed in advance").first.is_visible()


def test_a_number_between_the_points_goes_to_the_nearest(open_disk, disk, explorer):
    reader = Reader(open_disk(disk), explorer)
    field = reader.root.locator('[data-parameter="rho"] input[type=number]')
    field.fill("0.6123")
    field.press("Enter")
    reader.settle()
    found = reader.values()["rho"]
    assert found == pytest.approx(0.6123, abs=0.02)
    assert found != 0.6123
    assert float(reader.slider("rho").input_value()) == pytest.approx(found)
    assert reader.summary() == summary_of(reader.view(), "attack")


def test_copied_code_of_the_page_from_disk_is_that_of_python(open_disk, disk, explorer):
    reader = Reader(open_disk(disk), explorer)
    reader.press("k")
    shown = reader.root.locator(".dt-code code").text_content()
    state = {**explorer.initial_state, "values": reader.values()}
    told = explorer.answer(state, ["curve"])["code"]
    assert shown.replace(".0,", ",").replace(".0}", "}").replace("(0.0", "(0") == told.replace(".0,", ",").replace(
        ".0}", "}"
    ).replace("(0.0", "(0")


def test_markup_in_names_stays_text_on_both_pages(open_page, open_disk, tmp_path, screenshot):
    explorer = dt.explore(dt.Scenario.load(markup_scenario(tmp_path)))
    with running(explorer) as served:
        reader = Reader(open_page(served.address), explorer)
        assert EVIL in reader.root.inner_text()
        assert reader.root.locator("script, img").count() == 0
        reader.check()
        screenshot(reader.page, "markup-scenario")
    path = write_page(explorer, tmp_path / "evil.html", seconds=2)
    reader = Reader(open_disk(path.as_uri()), explorer)
    assert EVIL in reader.root.inner_text()
    assert reader.root.locator("script, img").count() == 0


def _as_markup(reader, svg):
    """Return a picture as the browser writes it down."""
    return reader.page.evaluate(
        f"(() => {{ const e = document.createElement('div'); e.innerHTML = {json.dumps(svg)}; return e.innerHTML; }})()"
    )
