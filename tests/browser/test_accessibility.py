"""The explorer for those who use the keyboard alone, or see little contrast."""

from __future__ import annotations

import pytest

import deterrence as dt
from deterrence.explorer.server import running
from tests.browser.explorer_reader import Reader

LEAST_CONTRAST = 4.5  # WCAG 2.2, level AA, text of normal size

# Every piece of visible text with its colour and what lies behind it, as [red, green, blue] from 0 to 255.
TEXTS = """root => {
    const pen = Object.assign(document.createElement('canvas'), { width: 1, height: 1 })
        .getContext('2d', { willReadFrequently: true });
    const parse = (colour) => {
        pen.clearRect(0, 0, 1, 1);
        pen.fillStyle = colour;
        pen.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
        return [r, g, b, a / 255];
    };
    const over = (top, below) => below.map((c, i) => top[i] * top[3] + c * (1 - top[3]));
    const probe = Object.assign(document.createElement('div'), { style: 'background: Canvas' });
    document.body.append(probe);
    const canvas = parse(getComputedStyle(probe).backgroundColor).slice(0, 3);
    probe.remove();
    const behind = (element) => {
        const layers = [];
        for (let e = element; e; e = e.parentElement) layers.unshift(parse(getComputedStyle(e).backgroundColor));
        return layers.reduce((below, layer) => over(layer, below), canvas);
    };
    const found = [];
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const text = walker.currentNode.textContent.trim();
        const element = walker.currentNode.parentElement;
        if (!text || !element.checkVisibility() || element.closest('option, title, desc, style, :disabled')) continue;
        const style = getComputedStyle(element);
        const svg = element instanceof SVGElement;
        let back = behind(element);
        const seat = element.previousElementSibling;
        if (svg && seat?.tagName === 'circle' && getComputedStyle(seat).fill !== 'none') {
            const [x, y] = [element, seat].map((e) => e.getBoundingClientRect());
            const same = Math.abs(x.x + x.width / 2 - y.x - y.width / 2) < 3;
            if (same) back = over(parse(getComputedStyle(seat).fill), back);
        }
        const ink = parse(svg ? style.fill : style.color);
        let opacity = svg ? Number(style.fillOpacity) : 1;
        for (let e = element; e && e !== root; e = e.parentElement) opacity *= Number(getComputedStyle(e).opacity);
        ink[3] *= opacity;
        found.push([text.slice(0, 60), over(ink, back), back]);
    }
    return found;
}"""

FOCUSED = """() => {
    const e = document.activeElement;
    if (!e || e === document.body) return null;
    const style = getComputedStyle(e);
    e.reached = true;
    const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
    return { ring, inside: !!e.closest('.dt-explorer') };
}"""

MISSED = """root => {
    const able = 'button, input, select, summary, [tabindex="0"]';
    const missed = [...root.querySelectorAll(able)].filter((e) => e.checkVisibility() && !e.disabled && !e.reached);
    const radios = new Set([...root.querySelectorAll('input[type=radio]')].filter((e) => e.reached).map((e) => e.name));
    return missed.filter((e) => !radios.has(e.name)).map((e) => e.outerHTML.slice(0, 120));
}"""

NAMELESS = """root => [...root.querySelectorAll('button, input, select, summary, [tabindex="0"], canvas, [role=img]')]
    .filter((e) => e.checkVisibility() && !(e.ariaLabel || e.textContent.trim() || e.labels?.length || e.title
        || e.querySelector?.('title')))
    .map((e) => e.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module", params=["ALSIG", "baltic-2017"])
def explorer(request):
    return dt.explore(request.param)


@pytest.fixture
def opened(explorer, open_page):
    with running(explorer) as served:
        yield lambda **options: Reader(open_page(served.address, **options), explorer)


def contrast(ink, back):
    """Return the ratio of luminances, from 1 to 21."""
    light = [c / 255 for c in (*ink, *back)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in light]
    shades = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (linear[:3], linear[3:])]
    return (max(shades) + 0.05) / (min(shades) + 0.05)


def test_contrast_is_reckoned_right():
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((0x76, 0x76, 0x76), (255, 255, 255)) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(opened, scheme, screenshot):
    reader = opened(scheme=scheme)
    reader.root.get_by_label("shows").select_option("kinds of equilibrium")
    reader.root.get_by_role("button", name="Pin this point").click()
    reader.root.evaluate("root => root.querySelectorAll('details').forEach((folded) => (folded.open = true))")
    reader.settle()
    screenshot(reader.page, f"{reader.explorer.subject.kind}-{scheme}-unfolded")
    texts = reader.root.evaluate(TEXTS)
    assert len(texts) > 60
    poor = {text: round(contrast(ink, back), 2) for text, ink, back in texts if contrast(ink, back) < LEAST_CONTRAST}
    assert not poor


def test_everything_can_be_reached_by_keyboard_and_shows_it(opened):
    reader = opened()
    page = reader.page
    page.evaluate("document.activeElement.blur()")
    ringless = 0
    for _ in range(400):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUSED)
        if focus is None or not focus["inside"]:
            break
        ringless += not focus["ring"]
    else:
        pytest.fail("the focus never leaves the explorer again")
    assert reader.root.evaluate(MISSED) == []
    assert ringless == 0
    assert reader.root.evaluate(NAMELESS) == []


def test_all_is_done_by_keyboard_alone(opened):
    reader = opened()
    page, root = reader.page, reader.root
    x, y = reader.choice("across"), reader.choice("up")
    before = reader.values()
    root.locator(".dt-curve").focus()
    page.keyboard.press("Shift+ArrowRight")
    reader.settle()
    assert reader.values()[x] != before[x]
    root.locator(".dt-map").focus()
    page.keyboard.press("ArrowUp")
    reader.settle()
    assert reader.values()[y] != before[y]
    reader.check()
    root.get_by_label("Event").focus()
    page.keyboard.press("ArrowDown")
    reader.settle()
    assert reader.choice("Event") == reader.explorer.subject.events[1]
    reader.check()
    root.get_by_role("button", name="Pin this point").focus()
    page.keyboard.press("Enter")
    assert root.get_by_role("button", name="go to point 1").count() == 1
    root.get_by_role("button", name="Reset").focus()
    page.keyboard.press("Space")
    reader.settle()
    assert reader.values() == before
    root.locator(".dt-code summary").focus()
    page.keyboard.press("Enter")
    assert "import deterrence as dt" in root.locator(".dt-code").inner_text()
    if root.locator("input[type=radio]").count() > 1:
        root.locator("input[type=radio]").first.focus()
        page.keyboard.press("ArrowDown")
        reader.settle()
        assert root.locator("input[type=radio]").nth(1).is_checked()


def test_the_place_is_told_to_those_who_do_not_see_it(opened):
    reader = opened()
    assert reader.root.get_by_role("status").inner_text().startswith("Likelihood of")
    name = reader.choice("across")
    reader.press(name)
    assert reader.slider(name).get_attribute("aria-valuetext")
    assert "Arrow keys" in reader.root.locator(".dt-map").get_attribute("aria-label")
    assert "Map over" in reader.root.locator(".dt-map canvas").get_attribute("aria-label")


def test_a_narrow_page_loses_nothing(opened, screenshot):
    reader = opened(viewport={"width": 390, "height": 800})
    screenshot(reader.page, f"{reader.explorer.subject.kind}-narrow")
    wide = "root => [root.scrollWidth, root.clientWidth, document.documentElement.scrollWidth, innerWidth]"
    inside, room, page, window = reader.root.evaluate(wide)
    assert inside <= room + 1
    assert page <= window
    reader.check()
