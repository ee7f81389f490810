"""The explorer in JupyterLab: what is seen and heard there is what Python says."""

from __future__ import annotations

import statistics

import pytest

import deterrence as dt
from tests.browser.explorer_reader import Reader, milliseconds
from tests.browser.markup_scenario import EVIL, markup_scenario

MODEL = "ALSIG"
CELLS = ["import deterrence as dt", f"dt.explore(dt.models.get({MODEL!r}))"]


@pytest.fixture(scope="module")
def explorer():
    return dt.explore(dt.models.get(MODEL))


@pytest.fixture
def reader(run_notebook, explorer):
    return Reader(run_notebook(CELLS), explorer)


def test_every_slider_by_keyboard_and_by_mouse_gives_what_python_says(reader, explorer, measured, screenshot):
    reader.check()
    screenshot(reader.root, "lab-light")
    took = []
    for slider in explorer.subject.sliders:
        for act in (lambda name: reader.press(name), lambda name: reader.click_at(name, 0.7)):
            before, seen = reader.values(), (reader.view(), reader.map()[2], reader.band())
            act(slider.name)
            after = reader.values()
            took.append(milliseconds(reader))
            assert after[slider.name] != before[slider.name], slider.name
            assert {n: v for n, v in after.items() if n != slider.name} == {
                n: v for n, v in before.items() if n != slider.name
            }
            view = reader.view()
            reader.check(view)
            if view["curve"] != seen[0]["curve"] or slider.name == reader.choice("across"):
                assert reader.band() != seen[2], slider.name
    measured(
        "JupyterLab, slider to picture, kernel and all", f"{statistics.median(took):.0f} ms (median of {len(took)})"
    )


def test_the_dark_theme(run_notebook, explorer, screenshot):
    reader = Reader(run_notebook(CELLS, name="dark", theme="JupyterLab Dark"), explorer)
    reader.check()
    screenshot(reader.root, "lab-dark")


def test_event_axes_and_reset(reader, explorer):
    start = reader.values()
    reader.root.get_by_label("Event").select_option("war")
    reader.root.get_by_label("up", exact=True).select_option("h")
    reader.settle()
    reader.check()
    reader.press("k", "End")
    assert reader.values()["k"] == next(s.high for s in explorer.subject.sliders if s.name == "k")
    reader.check()
    reader.root.get_by_role("button", name="Reset").click()
    reader.settle()
    assert reader.values() == start
    assert (reader.choice("Event"), reader.choice("up")) == ("attack", "k")
    reader.check()


def test_the_state_reaches_python(run_notebook, explorer):
    cells = [CELLS[0], f"explorer = dt.explore(dt.models.get({MODEL!r}))", "explorer"]
    reader = Reader(run_notebook(cells, name="state"), explorer)
    reader.press("rho")
    page = reader.page
    page.evaluate(
        """async () => {
            const panel = window.jupyterapp.shell.currentWidget;
            const kernel = panel.sessionContext.session.kernel;
            const code = 'import IPython; print("now", explorer.widget.state["values"]["rho"])';
            window.printed = '';
            const future = kernel.requestExecute({ code });
            future.onIOPub = (message) => { window.printed += message.content.text ?? ''; };
            await future.done;
        }"""
    )
    assert page.evaluate("window.printed").strip() == f"now {reader.values()['rho']:g}"


def test_a_name_that_is_markup_stays_text(run_notebook, tmp_path):
    path = markup_scenario(tmp_path)
    page = run_notebook([CELLS[0], f"dt.explore(dt.Scenario.load({str(path)!r}))"], name="evil")
    reader = Reader(page, dt.explore(dt.Scenario.load(path)))
    assert EVIL in reader.root.inner_text()
    assert reader.root.locator("script, img").count() == 0
    reader.check()
