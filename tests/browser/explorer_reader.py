"""What a reader does with the explorer and sees of it, and what Python says about the same point."""

from __future__ import annotations

import base64
import re

QUIET = """([root, rest]) => {
    const told = `${root.dataset.serial} ${root.textContent}`;
    if (root.dataset.serial === undefined || root.hasAttribute('aria-busy')) return false;
    if (root.told !== told) [root.told, root.since] = [told, performance.now()];
    return performance.now() - root.since > rest;
}"""  # the explorer asks for a finer map when nothing has happened for 350 ms

PIXELS = """canvas => {
    const image = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return [canvas.width, canvas.height, btoa(Array.from(image.data, (b) => String.fromCharCode(b)).join(''))];
}"""


class Reader:
    """The explorer on a page."""

    def __init__(self, page, explorer, rest=500):
        self.page, self.explorer, self.rest = page, explorer, rest
        self.root = page.locator(".dt-explorer").first
        self.root.wait_for()
        self.settle()

    def settle(self):
        """Wait until nothing moves any more."""
        handle = self.root.element_handle()
        handle.evaluate("root => { root.told = null; }")  # what was quiet before does not count
        self.page.wait_for_function(QUIET, arg=[handle, self.rest], polling=50)

    # -- what a reader does ----------------------------------------------------------------------------------------

    def slider(self, name):
        return self.root.locator(f'[data-parameter="{name}"] input[type=range]')

    def press(self, name, key="ArrowRight"):
        self.slider(name).press(key)
        self.settle()

    def click_at(self, name, share):
        """Click a slider at a share of its length."""
        self.slider(name).scroll_into_view_if_needed()
        box = self.slider(name).bounding_box()
        self.page.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
        self.settle()

    # -- what a reader sees ----------------------------------------------------------------------------------------

    def values(self):
        """Return the number that stands beside each slider."""
        script = "rows => rows.map(r => [r.dataset.parameter, Number(r.querySelector('input[type=number]').value)])"
        return dict(self.root.locator("[data-parameter]").evaluate_all(script))

    def summary(self):
        return self.root.locator(".dt-summary strong").inner_text()

    def choice(self, label):
        return self.root.get_by_label(label, exact=True).input_value()

    def map(self):
        """Return the colours of the map's canvas: width, height, and a function of (column, row)."""
        width, height, text = self.root.locator(".dt-map canvas").evaluate(PIXELS)
        data = base64.b64decode(text)
        return width, height, lambda x, y: tuple(data[4 * (y * width + x) : 4 * (y * width + x) + 3])

    def band(self):
        """Return the drawn curve as text."""
        return self.root.locator(".dt-curve svg").first.inner_html()

    # -- what Python says ------------------------------------------------------------------------------------------

    def view(self, values=None):
        """Return Python's view at what the page shows, with its finest map."""
        state = {**self.explorer.initial_state, "values": values or self.values()}
        state |= {"event": self.choice("Event"), "x": self.choice("across"), "y": self.choice("up")}
        return self.explorer.answer({**state, "detail": 9})  # the finest there is

    def check(self, view=None):
        """Fail unless numbers and map are those of Python."""
        view = view or self.view()
        assert self.summary() == summary_of(view, self.choice("Event"))
        assert not wrong_colours(self, view)


def summary_of(view, event):
    """Return what the explorer says of a point."""
    point = view["point"]
    if point["status"] != "OK":
        return f"Likelihood of {event}: no answer here"
    low, high = (f"{100 * point[end]:.1f}\u202f%" for end in ("low", "high"))
    return f"Likelihood of {event}: {low}" + ("" if low == high else f" to {high}")


def wrong_colours(reader, view):
    """Return the points of the map, among some hundreds, whose colour is not that of Python's answer."""
    told = view["map"]
    width, height, colour = reader.map()
    shades = base64.b64decode(reader.explorer.spec["palette"]["probability"])
    blank = tuple(bytes.fromhex(reader.explorer.spec["palette"]["nothing"][1:]))
    codes = base64.b64decode(told["high"])
    nx, ny = told["nx"], told["ny"]
    found = []
    for j in range(1, ny - 1, max(ny // 20, 1)):
        for i in range(1, nx - 1, max(nx // 20, 1)):
            code = codes[j * nx + i]
            k = 3 * round(255 * code / 254)
            right = blank if code == 255 else tuple(shades[k : k + 3])
            x, y = round(i * width / (nx - 1)), round((ny - 1 - j) * height / (ny - 1))
            seen = colour(min(x, width - 1), min(y, height - 1))
            if max(abs(a - b) for a, b in zip(seen, right, strict=True)) > 2:
                found.append((i, j, seen, right))
    return found


def milliseconds(reader):
    """Return what the explorer measured from the last change to the redrawn picture."""
    return float(reader.root.get_attribute("data-ms") or "nan")


def plain(text):
    """Return text with every run of white space as one space."""
    return re.sub(r"\s+", " ", text).strip()
