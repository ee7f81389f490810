// The explorer's front end: sliders, likelihood curve, phase map, equilibria, picture, comparison, pins, code.
//
// It speaks to whatever holds `spec`, `state` and `view` (see deterrence/explorer/explorer.py for what is in them) by
// model.get, set, save_changes, on and off alone. Text of users is put in as text; markup is taken from Python only.

const SVG = "http://www.w3.org/2000/svg";
const NOTHING = 255;
const STEPS = 254;
const PATIENCE = 8000; // ms after which an answer is no longer waited for
const REST = 350; // ms without a change before a finer map is asked for
const MARGIN = { left: 58, right: 14, top: 12, bottom: 44 };

// -- small things ------------------------------------------------------------------------------------------------------

function make(tag, attributes = {}, ...children) {
  return dress(document.createElement(tag), attributes, children);
}

function draw(tag, attributes = {}, ...children) {
  return dress(document.createElementNS(SVG, tag), attributes, children);
}

function dress(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null)); // strings become text, never markup
  if (element.matches("button, input, select, summary, [tabindex]")) {
    element.setAttribute("data-lm-suppress-shortcuts", "true"); // JupyterLab leaves its keys alone
  }
  return element;
}

let made = 0;
const fresh = (stem) => `dt-${stem}-${(made += 1)}`;

const clamp = (x, low, high) => Math.min(Math.max(x, low), high);
const copyOf = (value) => JSON.parse(JSON.stringify(value ?? null));
const isNumber = (x) => typeof x === "number" && Number.isFinite(x);
const tidy = (x) => Number(x.toPrecision(12));

function shown(x, digits = 4) {
  if (!isNumber(x)) return "–";
  const text = Math.abs(x) >= 1e5 || (x !== 0 && Math.abs(x) < 1e-4) ? x.toExponential(2) : String(Number(x.toPrecision(digits)));
  return text.replace("-", "\u2212");
}

function chance(x, scale) {
  const probability = scale[0] === 0 && scale[1] === 1;
  return probability && isNumber(x) ? `${(100 * x).toFixed(1)}\u202f%` : shown(x);
}

function span(low, high, scale) {
  if (!isNumber(low)) return "no answer";
  const [a, b] = [chance(low, scale), chance(high, scale)];
  return a === b ? a : `${a} to ${b}`;
}

function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

// Round numbers that divide a range into about `count` parts.
function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((k) => k * power >= rough * 0.7);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k += 1) found.push(tidy(k * step));
  return found;
}

// -- the explorer ------------------------------------------------------------------------------------------------------

class Explorer {
  constructor(model, el) {
    this.model = model;
    this.spec = model.get("spec");
    this.parameters = new Map(this.spec.parameters.map((parameter) => [parameter.name, parameter]));
    this.state = this.complete(copyOf(model.get("state")) ?? {});
    this.known = {}; // part -> what it was last answered for
    this.view = {}; // the newest of every part
    this.asked = null; // { serial, time } of the state that is being answered
    this.waiting = false; // whether the state has changed since
    this.tick = 0;
    this.timers = new Set();
    this.colours = this.spec.palette;
    this.shades = bytes(this.colours.probability);
    this.root = make("div", { class: "dt-explorer", role: "region", "aria-label": this.spec.title });
    el.append(this.root);
    this.build();
    this.onView = () => this.answered(this.model.get("view"));
    this.onState = () => this.adopted(this.model.get("state"));
    model.on("change:view", this.onView);
    model.on("change:state", this.onState);
    this.observer = new ResizeObserver(() => this.redraw());
    this.observer.observe(this.curve.plot);
    this.observer.observe(this.map.plot);
    this.showControls();
    this.answered(model.get("view"));
    this.ask();
  }

  close() {
    this.model.off("change:view", this.onView);
    this.model.off("change:state", this.onState);
    this.observer.disconnect();
    cancelAnimationFrame(this.tick);
    this.timers.forEach(clearTimeout);
    this.root.remove();
  }

  start() {
    const values = Object.fromEntries(this.spec.parameters.map((p) => [p.name, p.value]));
    const [x, y = null] = this.spec.axes;
    const seen = { believer: this.spec.perceived?.believer ?? null, perceived: {} };
    return { values, x, y, event: this.spec.events[0], concept: this.spec.concepts[0], equilibrium: 0, detail: 0, ...seen };
  }

  complete(given) {
    const start = this.start();
    const state = { pinned: [], serial: 0, ...start, ...given };
    state.values = { ...start.values, ...given.values };
    delete state.parts;
    delete state.settle;
    return state;
  }

  // -- asking and answering --------------------------------------------------------------------------------------------

  // What each part depends on; a part is asked for when this differs from what it was last answered for.
  keys(state) {
    const but = (...names) => Object.entries(state.values).filter(([name]) => !names.includes(name));
    const about = [state.event, state.concept];
    const seen = (...names) => { // what is perceived, but for these names
      const entries = Object.entries(state.perceived);
      if (!entries.length) return [];
      return [state.believer, entries.map(([name, value]) => (names.includes(this.seenAs(name)) ? [name] : [name, value]))];
    };
    return {
      point: JSON.stringify([about, but(), seen()]),
      curve: JSON.stringify([about, state.x, but(state.x), seen(state.x)]),
      map: JSON.stringify([about, state.x, state.y, but(state.x, state.y), seen(state.x, state.y)]),
      equilibria: JSON.stringify([about, but()]),
      tree: JSON.stringify([about, but(), state.equilibrium]),
      comparison: JSON.stringify([about, but(), seen()]),
    };
  }

  // -- perceived values ------------------------------------------------------------------------------------------------

  seenAs(name) {
    return `${this.spec.perceived?.prefix ?? ""}${name}`;
  }

  // The parameter that an axis is of: a true value, or a perceived one.
  onAxis(name) {
    const known = this.parameters.get(name);
    if (known || !name) return known;
    const parameter = this.parameters.get(name.slice(this.spec.perceived.prefix.length));
    return { ...parameter, name, label: `${parameter.label || parameter.name} as ${this.state.believer} sees it` };
  }

  valueOn(name) {
    const { values, perceived } = this.state;
    return name in values ? values[name] : perceived[name.slice(this.spec.perceived.prefix.length)];
  }

  get mistaken() {
    return Object.keys(this.state.perceived).length > 0;
  }

  // Give the believer a perceived value; the first one makes the map one of true against perceived values.
  perceive(name) {
    const { values, perceived, event } = this.state;
    const first = this.mistaken ? {} : { x: name, y: this.seenAs(name) };
    if (!this.mistaken && !this.spec.perceived.events.includes(event)) first.event = this.spec.perceived.events[0];
    if (!this.mistaken) this.map.shows.selectedIndex = 2; // where mistakes are made, to begin with
    this.change({ perceived: { ...perceived, [name]: values[name] }, ...first });
    this.seen.rows.querySelector(`[data-perceived="${CSS.escape(name)}"] input[type=range]`)?.focus();
  }

  // Take one back, or all of them.
  forget(name) {
    const start = this.start();
    const perceived = Object.fromEntries(Object.entries(this.state.perceived).filter(([other]) => name && other !== name));
    const kept = (axis) => !axis || axis in this.state.values || Object.keys(perceived).some((other) => this.seenAs(other) === axis);
    let { x, y, event } = this.state;
    if (!kept(x) || !kept(y)) [x, y] = kept(x) && x !== start.y ? [x, start.y] : [start.x, start.y];
    if (!Object.keys(perceived).length && !this.spec.events.includes(event)) event = start.event;
    if (!Object.keys(perceived).length) this.map.shows.selectedIndex = 0;
    this.change({ perceived, x, y, event });
    this.seen.add.focus();
  }

  change(patch, { pins = false } = {}) {
    const about = ["values", "x", "y", "event", "concept", "believer", "perceived"];
    const moved = !pins && about.some((name) => name in patch);
    Object.assign(this.state, patch);
    if (moved) Object.assign(this.state, { detail: 0, equilibrium: "equilibrium" in patch ? patch.equilibrium : 0 });
    this.since = performance.now();
    this.showControls();
    if (pins) this.showPins();
    this.ask();
  }

  ask() {
    this.waiting = true;
    if (!this.tick) {
      this.tick = requestAnimationFrame(() => {
        this.tick = 0;
        this.send();
      });
    }
  }

  send() {
    if (!this.waiting) return;
    if (this.asked && performance.now() - this.asked.time < PATIENCE) return; // one question at a time
    this.waiting = false;
    const wanted = this.keys(this.state);
    const stale = (part) => this.known[part] !== wanted[part];
    const rough = this.rough === wanted.curve; // there is a curve, but its ties are not solved yet
    let parts = ["curve", "map"].filter((part) => stale(part) && !(part === "curve" && rough));
    if (!this.state.y) parts = parts.filter((part) => part !== "map");
    if (this.view.pointKey === wanted.point && !parts.length) {
      parts = ["equilibria", "tree", "comparison", "curve"].filter(stale);
      if (!parts.length) return this.refine(wanted);
      return this.put(parts);
    }
    if (this.slow) parts = parts.slice(0, 1); // show the first thing first
    this.put(parts, { settle: false });
  }

  // Nothing is stale: if nothing happens for a while, ask for the finer map.
  refine(wanted) {
    const { map } = this.view;
    if (!map || !map.more || this.known.map !== wanted.map) return;
    const { serial } = this.state;
    this.later(REST, () => {
      if (this.state.serial !== serial || this.waiting || this.asked) return;
      this.state.detail = map.detail + 1;
      this.put(["map"]);
    });
  }

  put(parts, options = {}) {
    this.state.serial += 1;
    this.asked = { serial: this.state.serial, time: performance.now() };
    this.root.setAttribute("aria-busy", "true");
    this.model.set("state", { ...copyOf(this.state), parts, ...options });
    this.model.save_changes();
    const { serial } = this.state;
    this.later(PATIENCE + 50, () => {
      if (this.asked && this.asked.serial === serial) this.send(); // the answer is lost: a newer question may go
    });
  }

  answered(view) {
    if (!view || view.serial === undefined) return;
    if (this.asked && view.serial < this.asked.serial) return; // of an older state
    this.asked = null;
    this.root.removeAttribute("aria-busy");
    if (view.error) {
      this.say(view.error);
    } else {
      this.take(view);
    }
    this.root.dataset.serial = view.serial;
    this.ask();
  }

  take(view) {
    const told = this.complete(view.state ?? {});
    const keys = this.keys(told);
    this.slow = (view.seconds?.total ?? 0) > 0.3;
    for (const part of ["curve", "map", "comparison"]) {
      if (part in view) [this.view[part], this.known[part]] = [view[part], keys[part]];
    }
    if ("curve" in view) {
      this.rough = view.state?.settle === false && view.curve.ties ? keys.curve : null;
      if (this.rough) this.known.curve = null;
    }
    if ("map" in view && view.map) view.map.bytes = { low: bytes(view.map.low), high: bytes(view.map.high), kinds: bytes(view.map.kinds) };
    if ("equilibria" in view) {
      [this.view.equilibria, this.view.statement] = [view.equilibria, view.statement];
      this.known.equilibria = keys.equilibria;
      this.showEquilibria();
    }
    if ("tree_svg" in view) {
      this.known.tree = keys.tree;
      this.showTree(view.tree_svg);
    }
    Object.assign(this.view, { point: view.point, pointKey: keys.point, equilibriaKey: keys.equilibria, code: view.code });
    if ("comparison" in view) this.showComparison();
    this.code.text.textContent = view.code ?? "";
    if (this.since && JSON.stringify(told.values) === JSON.stringify(this.state.values)) {
      const since = this.since;
      this.since = 0;
      this.redraw();
      this.root.dataset.ms = (performance.now() - since).toFixed(1);
    } else {
      this.redraw();
    }
    this.showPoint();
    this.showPins();
  }

  // The state as another view of the same explorer left it.
  adopted(state) {
    if (!state || state.serial <= this.state.serial) return;
    this.state = this.complete(copyOf(state));
    this.showControls();
    this.showPins();
  }

  later(wait, work) {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      work();
    }, wait);
    this.timers.add(timer);
  }

  say(text) {
    this.summary.textContent = text;
  }

  // -- what stands where -----------------------------------------------------------------------------------------------

  build() {
    const { spec } = this;
    this.summary = make("p", { class: "dt-summary", role: "status", "aria-live": "polite" });
    this.root.append(
      make(
        "header",
        {},
        make("div", { class: "dt-title", role: "heading", "aria-level": "3" }, spec.title),
        spec.note ? make("p", { class: "dt-note" }, spec.note) : null,
      ),
      this.buildBar(),
      this.summary,
      make(
        "div",
        { class: "dt-body" },
        this.buildSliders(),
        make(
          "div",
          { class: "dt-main" },
          make("div", { class: "dt-pictures" }, this.buildCurve(), this.buildMap()),
          this.buildComparison(),
          this.buildPins(),
          this.buildEquilibria(),
          this.buildCode(),
        ),
      ),
    );
  }

  buildBar() {
    const { spec } = this;
    this.eventChoice = this.choice("Event", spec.events, (event) => this.change({ event }));
    this.conceptChoice = this.choice("Concept", spec.concepts, (concept) => this.change({ concept }));
    const button = (text, onclick, about) => make("button", { type: "button", onclick, title: about }, text);
    return make(
      "div",
      { class: "dt-bar" },
      this.eventChoice.label,
      spec.concepts.length > 1 ? this.conceptChoice.label : null,
      make("span", { class: "dt-grow" }),
      button("Pin this point", () => this.pin(), "Keep this point for comparison"),
      button("Reset", () => this.change({ ...this.start() }), "Put every slider and axis back to the start"),
      button("Copy as code", () => this.copy(), "Copy the Python that gives these numbers"),
    );
  }

  choice(name, options, choose) {
    const id = fresh("choice");
    const select = make(
      "select",
      { id, onchange: () => choose(select.value) },
      ...options.map((option) => make("option", { value: option }, option)),
    );
    return { select, label: make("span", { class: "dt-choice" }, make("label", { for: id }, name), select) };
  }

  buildSliders() {
    this.sliders = new Map();
    const groups = new Map();
    for (const parameter of this.spec.parameters) {
      if (!groups.has(parameter.group)) groups.set(parameter.group, []);
      groups.get(parameter.group).push(this.slider(parameter));
    }
    const many = this.spec.parameters.length > 12;
    const folded = [...groups].map(([name, rows], i) => {
      if (groups.size === 1) return make("div", {}, ...rows);
      const open = !many || i === 0 || this.spec.axes.some((axis) => this.parameters.get(axis).group === name);
      return make("details", { open }, make("summary", {}, name || "parameters"), ...rows);
    });
    return make("div", { class: "dt-sliders", role: "group", "aria-label": "parameters" }, ...folded);
  }

  slider(parameter) {
    const { name } = parameter;
    const { row, range, number } = this.control(parameter, (value) => this.move({ [name]: value }));
    row.dataset.parameter = name;
    this.sliders.set(name, { range, number });
    return row;
  }

  // A slider with its exact number and what it means.
  control(parameter, move) {
    const { name, label, low, high, step, unit, meaning, whole, fixed } = parameter;
    const [id, about] = [fresh("slider"), fresh("about")];
    const range = make("input", {
      type: "range", id, min: low, max: high, step, "aria-describedby": about, disabled: Boolean(fixed),
      oninput: () => move(clamp(Number(range.value), low, high)),
    });
    const number = make("input", {
      type: "number", min: low, max: high, step, "aria-label": `${label || name}, exactly`, "aria-describedby": about, disabled: Boolean(fixed),
      onchange: () => {
        const value = Number(number.value);
        if (number.value.trim() === "" || !Number.isFinite(value)) this.showControls();
        else move(clamp(whole ? Math.round(value) : value, low, high));
      },
    });
    const where = fixed || `${shown(low)} to ${shown(high)}${unit ? ` [${unit}]` : ""}`;
    const row = make(
      "div",
      { class: "dt-slider" },
      make("label", { for: id }, label || name),
      number,
      range,
      make("span", { class: "dt-about", id: about }, meaning && meaning !== label ? `${meaning}; ${where}` : where),
    );
    return { row, range, number };
  }

  buildCurve() {
    const plot = make("div", {
      class: "dt-plot dt-curve", tabindex: "0", role: "group", "aria-roledescription": "likelihood curve",
      onkeydown: (event) => this.steer(event, false),
    });
    const x = this.choice("along", [], (name) => this.axis("x", name));
    this.curve = { plot, x };
    this.drag(plot, (across) => this.move({ [this.state.x]: this.snapped(this.state.x, across) }));
    return make("section", { class: "dt-panel" }, this.head("Likelihood", x.label), plot);
  }

  buildMap() {
    const canvas = make("canvas", { role: "img" });
    const plot = make("div", {
      class: "dt-plot dt-map", tabindex: "0", role: "group", "aria-roledescription": "phase map",
      onkeydown: (event) => this.steer(event, true),
    });
    plot.append(canvas);
    const x = this.choice("across", [], (name) => this.axis("x", name));
    const y = this.choice("up", [], (name) => this.axis("y", name));
    const modes = ["highest likelihood", "lowest likelihood", "kinds of equilibrium"];
    const shows = this.choice("shows", modes, () => this.redraw());
    this.map = {
      plot, canvas, x, y, shows: shows.select,
      legend: make("div", { class: "dt-legend" }),
      here: make("p", { class: "dt-here" }),
    };
    this.drag(plot, (across, up) => this.move({
      [this.state.x]: this.snapped(this.state.x, across),
      [this.state.y]: this.snapped(this.state.y, up),
    }));
    plot.addEventListener("pointermove", (event) => this.hover(event));
    plot.addEventListener("pointerleave", () => (this.map.here.textContent = "\u00a0"));
    this.map.section = make(
      "section", { class: "dt-panel" }, this.head("Phase map", x.label, y.label, shows.label), plot, this.map.legend, this.map.here,
    );
    return this.map.section;
  }

  movable() {
    return this.spec.parameters.filter((parameter) => !parameter.fixed).map(({ name }) => name);
  }

  // Offer for the axes what moves: true values, and the perceived ones that there are.
  offerAxes() {
    const names = [...this.movable(), ...Object.keys(this.state.perceived).map((name) => this.seenAs(name))];
    const key = JSON.stringify([names, this.mistaken && this.state.believer]);
    if (this.offered === key) return;
    this.offered = key;
    for (const { select } of [this.curve.x, this.map.x, this.map.y]) {
      select.replaceChildren(...names.map((name) => {
        const { label, group } = this.onAxis(name);
        const told = group && label !== name && !label.includes(" ") ? `${group}: ${label}` : label || name;
        return make("option", { value: name }, told);
      }));
    }
    const events = [...this.spec.events, ...(this.mistaken ? this.spec.perceived.measures : [])];
    this.eventChoice.select.replaceChildren(...events.map((event) => make("option", { value: event }, event)));
    this.map.shows.options[2].textContent = this.mistaken ? "kinds of mistake" : "kinds of equilibrium";
  }

  head(title, ...rest) {
    return make("div", { class: "dt-head" }, make("div", { class: "dt-name", role: "heading", "aria-level": "4" }, title), ...rest);
  }

  buildEquilibria() {
    this.equilibria = {
      table: make("div", { class: "dt-scroll", tabindex: "0", role: "group", "aria-label": "equilibria" }),
      statement: make("p", { class: "dt-note" }),
      detail: make("div", { class: "dt-detail dt-scroll" }),
      tree: make("div", { class: "dt-tree dt-scroll", tabindex: "0", role: "group", "aria-label": "picture of the game" }),
    };
    const { table, statement, detail, tree } = this.equilibria;
    return make("section", { class: "dt-panel" }, this.head("Equilibria at this point"), table, statement, tree, detail);
  }

  buildComparison() {
    const table = make("div", { class: "dt-scroll", tabindex: "0", role: "group", "aria-label": "perceived beside true values" });
    const words = make("p", {});
    const offered = this.buildSeen();
    const section = make(
      "section", { class: "dt-panel", hidden: !offered }, this.head("Perceived beside true values"), offered, words, table,
    );
    this.comparison = { section, table, words };
    return section;
  }

  // Who is wrong, and about what: a slider for each value that is perceived.
  buildSeen() {
    const { perceived } = this.spec;
    this.seen = { rows: make("div", { class: "dt-seen", role: "group" }), sliders: new Map() };
    if (!perceived) return null;
    const who = this.choice("As seen by", perceived.players, (believer) => this.change({ believer }));
    const what = this.choice("perceived value of", perceived.parameters, () => {});
    for (const option of what.select.options) {
      const { label, group } = this.parameters.get(option.value);
      option.textContent = group && label !== option.value ? `${group}: ${label}` : label || option.value;
    }
    what.select.value = perceived.parameter;
    const add = make("button", { type: "button", onclick: () => this.perceive(what.select.value) }, "Add");
    const clear = make("button", { type: "button", onclick: () => this.forget() }, "Nobody is wrong");
    Object.assign(this.seen, { who: who.select, what: what.select, add, clear });
    return make(
      "div", {},
      make("p", { class: "dt-note" }, "Let one player take a parameter for another value than the true one."),
      make("div", { class: "dt-bar" }, who.label, what.label, add, clear),
      this.seen.rows,
    );
  }

  showSeen() {
    const { rows, sliders, who, what, add, clear } = this.seen;
    if (!who) return;
    const { believer, perceived } = this.state;
    const names = Object.keys(perceived);
    who.value = believer;
    rows.setAttribute("aria-label", `as ${believer} sees it`);
    clear.hidden = !names.length;
    for (const option of what.options) option.disabled = option.value in perceived;
    if (what.selectedOptions[0]?.disabled) {
      const free = [...what.options].find((option) => !option.disabled);
      if (free) free.selected = true;
    }
    add.disabled = names.length === what.options.length;
    if (rows.dataset.key !== JSON.stringify([believer, names])) {
      rows.dataset.key = JSON.stringify([believer, names]);
      sliders.clear();
      rows.replaceChildren(...names.map((name) => {
        const parameter = this.parameters.get(name);
        const told = { ...parameter, label: `${parameter.label || name} as ${believer} sees it`, meaning: "" };
        const { row, range, number } = this.control(told, (value) => this.move({ [this.seenAs(name)]: value }));
        row.dataset.perceived = name;
        const about = row.querySelector(".dt-about");
        const remove = make("button", { type: "button", onclick: () => this.forget(name), "aria-label": `remove the perceived value of ${name}` }, "Remove");
        row.append(remove);
        sliders.set(name, { range, number, about });
        return row;
      }));
    }
    for (const [name, { range, number, about }] of sliders) {
      this.showNumber(this.parameters.get(name), { range, number }, perceived[name]);
      about.textContent = `in truth ${shown(this.state.values[name])}`;
    }
  }

  buildPins() {
    const table = make("div", { class: "dt-scroll" });
    const section = make("section", { class: "dt-panel", hidden: true }, this.head("Pinned points"), table);
    this.pins = { section, table };
    return section;
  }

  buildCode() {
    const text = make("code", {});
    const box = make("pre", { class: "dt-scroll", tabindex: "0", role: "group", "aria-label": "Python code" }, text);
    const folded = make("details", { class: "dt-panel dt-code" }, make("summary", {}, "The Python that gives these numbers"), box);
    this.code = { text, folded };
    return folded;
  }

  // -- moving ----------------------------------------------------------------------------------------------------------

  // Move true values, and perceived ones by their names as axes.
  move(values) {
    const patch = {};
    for (const [name, value] of Object.entries(values)) {
      if (name in this.state.values) patch.values = { ...(patch.values ?? this.state.values), [name]: value };
      else patch.perceived = { ...(patch.perceived ?? this.state.perceived), [name.slice(this.spec.perceived.prefix.length)]: value };
    }
    this.change(patch);
  }

  axis(which, name) {
    const other = which === "x" ? "y" : "x";
    const patch = { [which]: name };
    if (this.state[other] === name) patch[other] = this.state[which]; // they change places
    this.change(patch);
  }

  // The value of a parameter at a share of its range, on its steps.
  snapped(name, share) {
    const { low, high, step } = this.onAxis(name);
    const value = low + clamp(share, 0, 1) * (high - low);
    return tidy(clamp(low + Math.round((value - low) / step) * step, low, high));
  }

  steer(event, both) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] }[event.key];
    if (!way || event.target !== event.currentTarget || event.altKey || event.ctrlKey || event.metaKey) return;
    if (!both && way[1]) return;
    event.preventDefault();
    event.stopPropagation();
    const [name, sign] = way[0] ? [this.state.x, way[0]] : [this.state.y, way[1]];
    const { low, high, step } = this.onAxis(name);
    this.move({ [name]: tidy(clamp(this.valueOn(name) + sign * step * (event.shiftKey ? 10 : 1), low, high)) });
  }

  drag(plot, place) {
    const at = (event) => place(...this.shares(plot, event));
    plot.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      plot.setPointerCapture(event.pointerId);
      at(event);
    });
    plot.addEventListener("pointermove", (event) => {
      if (plot.hasPointerCapture(event.pointerId)) at(event);
    });
  }

  // Where a pointer is: shares of the way across and up, beyond 0 and 1 outside the axes.
  shares(plot, event) {
    const box = plot.getBoundingClientRect();
    const across = (event.clientX - box.left - MARGIN.left) / (box.width - MARGIN.left - MARGIN.right);
    const up = (box.bottom - event.clientY - MARGIN.bottom) / (box.height - MARGIN.top - MARGIN.bottom);
    return [across, up];
  }

  pin() {
    const { point } = this.view;
    const { values, event, concept, believer, perceived } = this.state;
    const kept = { values: { ...values }, event, concept, believer, perceived: { ...perceived }, low: point?.low ?? null, high: point?.high ?? null };
    this.change({ pinned: [...this.state.pinned, kept] }, { pins: true });
    this.say(`Point ${this.state.pinned.length} is pinned.`);
  }

  goTo({ values, event, concept, believer, perceived }) {
    const start = this.start();
    const seen = { believer: believer ?? start.believer, perceived: { ...perceived } };
    const there = (axis) => !axis || axis in this.state.values || Object.keys(seen.perceived).some((name) => this.seenAs(name) === axis);
    const axes = there(this.state.x) && there(this.state.y) ? {} : { x: start.x, y: start.y };
    this.change({ values: { ...this.state.values, ...values }, event, concept, ...seen, ...axes });
  }

  async copy() {
    const text = this.code.text.textContent;
    let done = false;
    try {
      await navigator.clipboard.writeText(text);
      done = true;
    } catch {
      this.code.folded.open = true; // the clipboard is closed to this page: select the text
      const range = document.createRange();
      range.selectNodeContents(this.code.text);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      done = document.execCommand?.("copy") ?? false;
    }
    this.say(done ? "The code is copied." : "The code is selected below: copy it with Ctrl+C.");
  }

  // -- showing ---------------------------------------------------------------------------------------------------------

  showControls() {
    const { values, x, y, event, concept } = this.state;
    for (const [name, slider] of this.sliders) this.showNumber(this.parameters.get(name), slider, values[name]);
    this.showSeen();
    this.offerAxes();
    this.eventChoice.select.value = event;
    this.conceptChoice.select.value = concept;
    this.curve.x.select.value = this.map.x.select.value = x;
    if (y) this.map.y.select.value = y;
  }

  showNumber({ unit }, { range, number }, value) {
    if (Number(range.value) !== value) range.value = value;
    range.setAttribute("aria-valuetext", unit ? `${shown(value)} ${unit}` : shown(value));
    const text = String(tidy(value));
    if (number.value !== text) number.value = text;
  }

  scale() {
    return this.view.curve?.scale ?? [0, 1];
  }

  showPoint() {
    const { point } = this.view;
    const { event } = this.state;
    const what = this.scale()[1] === 1 && this.scale()[0] === 0 ? `Likelihood of ${event}` : event;
    if (!point || point.status !== "OK") {
      const why = point?.reason ? `: ${point.reason}` : "";
      this.summary.replaceChildren(make("strong", {}, `${what}: no answer here`), why);
      return;
    }
    const range = span(point.low, point.high, this.scale());
    const rows = this.known.equilibria === this.view.equilibriaKey ? this.view.equilibria ?? [] : [];
    const kinds = [...new Set(rows.filter((row) => row.kind && isNumber(row.low)).map((row) => row.kind))];
    const several = kinds.length && !this.mistaken ? `; equilibria: ${kinds.join(", ")}` : "";
    const besides = point.reason ? `; ${point.reason}` : "";
    this.summary.replaceChildren(make("strong", {}, `${what}: ${range}`), several, besides);
    this.curve.plot.setAttribute("aria-label", `${what} along ${this.state.x}; here ${range}. Arrow keys move the point.`);
    this.map.plot.setAttribute("aria-label", `Phase map over ${this.state.x} and ${this.state.y}; here ${what} ${range}. Arrow keys move the point.`);
  }

  redraw() {
    this.drawCurve();
    this.drawMap();
  }

  drawCurve() {
    const { plot } = this.curve;
    const { curve, point } = this.view;
    const [width, height] = [plot.clientWidth, plot.clientHeight];
    if (!curve || !width) return;
    const parameter = this.onAxis(curve.x);
    const [low, high] = curve.scale;
    const pad = low === 0 && high === 1 ? 0 : 0.04 * (high - low);
    const ys = [low - pad, high + pad];
    const { left, right, top, bottom } = MARGIN;
    const across = (v) => left + ((v - parameter.low) / (parameter.high - parameter.low)) * (width - left - right);
    const up = (v) => height - bottom - ((v - ys[0]) / (ys[1] - ys[0])) * (height - top - bottom);
    const name = `${this.state.event}${low === 0 && high === 1 ? " (probability)" : ""}`;
    const svg = this.frame(width, height, parameter, { low: ys[0], high: ys[1], label: name, unit: "" }, across, up);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", `${name} from ${shown(parameter.low)} to ${shown(parameter.high)} of ${parameter.name}`);
    const pieces = runs(curve.values, curve.low, curve.high);
    for (const piece of pieces) {
      const ends = [...piece.map(([x, , b]) => `${across(x)},${up(b)}`), ...piece.map(([x, a]) => `${across(x)},${up(a)}`).reverse()];
      svg.append(draw("polygon", { class: "dt-band", points: ends.join(" ") }));
      for (const k of [1, 2]) {
        svg.append(draw("polyline", { class: k === 1 ? "dt-low" : "dt-high", points: piece.map((p) => `${across(p[0])},${up(p[k])}`).join(" ") }));
      }
    }
    if (curve.true_low) {
      for (const piece of runs(curve.values, curve.true_low, curve.true_high)) {
        const ends = piece.some(([, a, b]) => b - a > 1e-6) ? [1, 2] : [1];
        for (const k of ends) {
          svg.append(draw("polyline", { class: "dt-true", points: piece.map((p) => `${across(p[0])},${up(p[k])}`).join(" ") }));
        }
      }
    }
    const here = across(clamp(this.valueOn(curve.x) ?? parameter.low, parameter.low, parameter.high));
    svg.append(draw("line", { class: "dt-cross", x1: here, x2: here, y1: top, y2: height - bottom }));
    if (point?.status === "OK" && curve.x === this.state.x) {
      svg.append(draw("line", { class: "dt-mark", x1: here, x2: here, y1: up(point.low), y2: up(point.high) }));
      for (const end of [point.low, point.high]) svg.append(draw("circle", { class: "dt-dot", cx: here, cy: up(end), r: 4.5 }));
    }
    const key = curve.true_low
      ? ["band: over all equilibria, as perceived", "dashed: if everybody perceived what is true"]
      : ["band: lowest to highest over all equilibria"];
    plot.replaceChildren(svg, make("p", { class: "dt-key" }, key.join("; ")));
  }

  // Axes with ticks and names, as an SVG of the size of the plot.
  frame(width, height, x, y, across, up) {
    const { left, right, top, bottom } = MARGIN;
    const svg = draw("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
    const text = (content, attributes) => draw("text", attributes, content);
    for (const value of ticks(x.low, x.high, Math.max(2, Math.floor((width - left - right) / 80)))) {
      const at = across(value);
      svg.append(draw("line", { class: "dt-axis", x1: at, x2: at, y1: height - bottom, y2: height - bottom + 4 }));
      svg.append(text(shown(value), { x: at, y: height - bottom + 17, "text-anchor": "middle" }));
    }
    for (const value of ticks(y.low, y.high, Math.max(2, Math.floor((height - top - bottom) / 50)))) {
      const at = up(value);
      svg.append(draw("line", { class: "dt-axis", x1: left - 4, x2: left, y1: at, y2: at }));
      svg.append(text(shown(value), { x: left - 7, y: at + 4, "text-anchor": "end" }));
    }
    svg.append(draw("rect", { class: "dt-frame", x: left, y: top, width: Math.max(0, width - left - right), height: Math.max(0, height - top - bottom) }));
    const named = ({ label, name, unit }, most) => {
      const whole = unit ? `${label || name} [${unit}]` : label || name;
      return whole.length > most ? `${whole.slice(0, most - 1)}…` : whole;
    };
    svg.append(text(named(x, Math.floor(width / 8)), { class: "dt-label", x: (left + width - right) / 2, y: height - 8, "text-anchor": "middle" }));
    const middle = (top + height - bottom) / 2;
    svg.append(text(named(y, Math.floor(height / 8)), { class: "dt-label", x: 13, y: middle, "text-anchor": "middle", transform: `rotate(-90 13 ${middle})` }));
    return svg;
  }

  drawMap() {
    const { plot, canvas } = this.map;
    const { map } = this.view;
    const [width, height] = [plot.clientWidth, plot.clientHeight];
    this.map.section.hidden = !this.state.y;
    if (!map || !width) return;
    const [x, y] = [this.onAxis(map.x), this.onAxis(map.y)];
    const { left, right, top, bottom } = MARGIN;
    const box = { width: Math.max(1, width - left - right), height: Math.max(1, height - top - bottom) };
    const across = (v) => left + ((v - map.x_range[0]) / (map.x_range[1] - map.x_range[0])) * box.width;
    const up = (v) => height - bottom - ((v - map.y_range[0]) / (map.y_range[1] - map.y_range[0])) * box.height;
    this.paint(canvas, map, box);
    Object.assign(canvas.style, { left: `${left}px`, top: `${top}px`, width: `${box.width}px`, height: `${box.height}px` });
    const svg = this.frame(width, height, { ...x, low: map.x_range[0], high: map.x_range[1] }, { ...y, low: map.y_range[0], high: map.y_range[1] }, across, up);
    svg.setAttribute("aria-hidden", "true");
    const [cx, cy] = [across(clamp(this.valueOn(map.x) ?? 0, ...map.x_range)), up(clamp(this.valueOn(map.y) ?? 0, ...map.y_range))];
    if (this.spec.perceived && (map.y === this.seenAs(map.x) || map.x === this.seenAs(map.y))) {
      const [from, to] = [Math.max(map.x_range[0], map.y_range[0]), Math.min(map.x_range[1], map.y_range[1])];
      for (const layer of ["dt-halo", "dt-even"]) {
        svg.append(draw("line", { class: layer, x1: across(from), y1: up(from), x2: across(to), y2: up(to) }));
      }
    }
    for (const layer of ["dt-halo", "dt-hair"]) {
      svg.append(draw("line", { class: layer, x1: left, x2: width - right, y1: cy, y2: cy }));
      svg.append(draw("line", { class: layer, x1: cx, x2: cx, y1: top, y2: height - bottom }));
      svg.append(draw("circle", { class: layer, cx, cy, r: 6 }));
    }
    if (this.map.shows.selectedIndex === 2) this.numberRegions(svg, map, across, up);
    plot.replaceChildren(canvas, svg);
    this.showLegend(map);
    canvas.setAttribute("aria-label", this.inWords(map));
  }

  paint(canvas, map, box) {
    const { nx, ny } = map;
    const mode = this.map.shows.selectedIndex;
    const source = [map.bytes.high, map.bytes.low, map.bytes.kinds][mode];
    const small = new OffscreenCanvas(nx, ny);
    const image = new ImageData(nx, ny);
    const areas = mode === 2 ? this.colours.areas.map(rgb) : null;
    const blank = rgb(this.colours.nothing);
    for (let j = 0; j < ny; j += 1) {
      const row = (ny - 1 - j) * nx; // the map's rows run upward, the picture's downward
      for (let i = 0; i < nx; i += 1) {
        const code = source[row + i];
        const at = 4 * (j * nx + i);
        const k = 3 * Math.round((255 * code) / STEPS);
        const colour = code === NOTHING ? blank : areas ? areas[code] : [this.shades[k], this.shades[k + 1], this.shades[k + 2]];
        image.data.set(colour, at);
        image.data[at + 3] = 255;
      }
    }
    const grain = Math.min(window.devicePixelRatio || 1, 2);
    canvas.width = Math.round(box.width * grain);
    canvas.height = Math.round(box.height * grain);
    small.getContext("2d").putImageData(image, 0, 0);
    const pen = canvas.getContext("2d");
    pen.imageSmoothingEnabled = false;
    // a point is the middle of its cell; the outer half cells lie beyond the axes
    const [cw, ch] = [canvas.width / Math.max(nx - 1, 1), canvas.height / Math.max(ny - 1, 1)];
    pen.drawImage(small, -cw / 2, -ch / 2, canvas.width + cw, canvas.height + ch);
    if (mode === 2) this.outline(pen, map, cw, ch, canvas.height);
  }

  // Borders between phases, for those who do not see the colours.
  outline(pen, { nx, ny, bytes: { kinds } }, cw, ch, bottom) {
    pen.strokeStyle = "#000";
    pen.lineWidth = Math.max(1, window.devicePixelRatio || 1);
    pen.beginPath();
    for (let j = 0; j < ny; j += 1) {
      for (let i = 0; i < nx; i += 1) {
        const k = kinds[j * nx + i];
        const [x, y] = [(i + 0.5) * cw, bottom - (j + 0.5) * ch];
        if (i + 1 < nx && kinds[j * nx + i + 1] !== k) {
          pen.moveTo(x, y);
          pen.lineTo(x, y + ch);
        }
        if (j + 1 < ny && kinds[(j + 1) * nx + i] !== k) {
          pen.moveTo(x - cw, y);
          pen.lineTo(x, y);
        }
      }
    }
    pen.stroke();
  }

  numberRegions(svg, map, across, up) {
    map.seats ??= seats(map);
    map.seats.forEach((seat, k) => {
      if (!seat) return;
      const [x, y] = [across(axisValue(map.x_range, map.nx, seat[0])), up(axisValue(map.y_range, map.ny, seat[1]))];
      svg.append(draw("circle", { cx: x, cy: y, r: 9, fill: this.colours.areas[k], stroke: "#000" }));
      svg.append(draw("text", { x, y: y + 4, "text-anchor": "middle", style: `fill: ${this.colours.inks[k]}` }, String(k + 1)));
    });
  }

  showLegend(map) {
    const { legend } = this.map;
    const mode = this.map.shows.selectedIndex;
    const key = JSON.stringify([mode, map.x, map.y, map.phases, map.scale, map.nx, map.ny, map.more, map.ties]);
    if (legend.dataset.key === key) return;
    legend.dataset.key = key;
    const parts = [];
    if (mode === 2) {
      parts.push(make("ol", {}, ...map.phases.map((words, k) => {
        const swatch = make("span", { class: "dt-swatch" }, String(k + 1));
        swatch.style.background = this.colours.areas[k];
        swatch.style.color = this.colours.inks[k];
        return make("li", {}, swatch, words);
      })));
    } else {
      const bar = make("span", { class: "dt-ramp", role: "presentation" });
      const stops = [0, 32, 64, 96, 128, 160, 192, 224, 255].map((k) => `rgb(${this.shades.slice(3 * k, 3 * k + 3).join()})`);
      bar.style.background = `linear-gradient(to right, ${stops.join()})`;
      parts.push(make("div", { class: "dt-rampline" }, shown(map.scale[0]), bar, shown(map.scale[1])));
    }
    const notes = [`${map.nx} × ${map.ny} points${map.more ? ", a finer map follows" : ""}`];
    if ([map.bytes.kinds].some((codes) => codes.includes(NOTHING))) notes.push("grey: no answer");
    if (this.spec.perceived && (map.y === this.seenAs(map.x) || map.x === this.seenAs(map.y))) notes.push("dashed diagonal: perceived as it is");
    if (map.ties) notes.push(`${map.ties} points${map.whole ? " of all those computed for this page" : ""} are ties, where ranges may be too narrow`);
    parts.push(make("p", { class: "dt-key" }, notes.join("; ")));
    legend.replaceChildren(...parts);
  }

  inWords(map) {
    const values = [...map.bytes.high].filter((code) => code !== NOTHING);
    const value = (code) => chance(map.scale[0] + (code / STEPS) * (map.scale[1] - map.scale[0]), map.scale);
    const least = values.reduce((a, b) => Math.min(a, b), STEPS);
    const most = values.reduce((a, b) => Math.max(a, b), 0);
    const reach = values.length ? `highest likelihood from ${value(least)} to ${value(most)}` : "no answer anywhere";
    return `Map over ${map.x} and ${map.y}: ${reach}; phases: ${map.phases.join("; ") || "none"}`;
  }

  hover(event) {
    const { map } = this.view;
    if (!map) return;
    const [across, up] = this.shares(this.map.plot, event);
    if (across < 0 || across > 1 || up < 0 || up > 1) return void (this.map.here.textContent = "\u00a0");
    const [i, j] = [Math.round(across * (map.nx - 1)), Math.round(up * (map.ny - 1))];
    const k = j * map.nx + i;
    const value = (code) => (code === NOTHING ? null : map.scale[0] + (code / STEPS) * (map.scale[1] - map.scale[0]));
    const range = span(value(map.bytes.low[k]), value(map.bytes.high[k]), map.scale);
    const phase = map.bytes.kinds[k] === NOTHING ? "" : `; ${map.phases[map.bytes.kinds[k]]}`;
    const place = `${map.x} ${shown(axisValue(map.x_range, map.nx, i), 3)}, ${map.y} ${shown(axisValue(map.y_range, map.ny, j), 3)}`;
    this.map.here.textContent = `${place}: about ${range}${phase}`;
  }

  showEquilibria() {
    const { table, statement } = this.equilibria;
    const rows = this.view.equilibria ?? [];
    const judged = this.spec.refinements;
    statement.textContent = this.view.statement ?? "";
    const name = fresh("row");
    const chances = rows.some((row) => isNumber(row.low));
    const payoffs = rows.some((row) => row.payoffs);
    const head = ["", "kind", ...(chances ? [this.state.event] : []), ...judged, ...(payoffs ? ["payoffs"] : [])];
    const body = rows.map((row, i) => {
      const radio = make("input", {
        type: "radio", name, value: i, checked: i === this.state.equilibrium, "aria-label": `draw equilibrium ${row.label}, ${row.kind}`,
        onchange: () => this.change({ equilibrium: i }),
      });
      const told = isNumber(row.low) ? span(row.low, row.high, this.scale()) : "–";
      const verdicts = judged.map((refinement) => {
        const part = row.survives?.[refinement];
        const [sign, words] = { whole: ["✓", "survives"], part: ["◐", "survives in part"], nothing: ["✗", "fails"] }[part] ?? ["–", "does not apply"];
        return make("td", { title: `${refinement}: ${words}` }, make("span", { role: "img", "aria-label": words }, sign));
      });
      return make(
        "tr", { onclick: (event) => event.target === radio || radio.click() },
        make("td", { class: "dt-which" }, radio, ` ${row.label}`), make("td", {}, row.kind), chances ? make("td", {}, told) : null,
        ...verdicts, payoffs ? make("td", {}, row.payoffs) : null,
      );
    });
    const titles = head.map((cell) => make("th", { scope: "col" }, cell));
    table.replaceChildren(make("table", {}, make("thead", {}, make("tr", {}, ...titles)), make("tbody", {}, ...body)));
    table.hidden = !rows.length;
    this.showDetail();
  }

  showDetail() {
    const row = (this.view.equilibria ?? [])[this.state.equilibrium];
    this.equilibria.detail.innerHTML = row?.html ?? ""; // made by Python, every label escaped
  }

  showTree(svg) {
    this.equilibria.tree.innerHTML = svg; // made by Python, every label escaped
    this.equilibria.tree.hidden = !svg;
    this.showDetail();
  }

  showComparison() {
    const { section, table, words } = this.comparison;
    const { comparison } = this.view;
    section.hidden = !comparison && !this.spec.perceived;
    words.hidden = table.hidden = !comparison;
    if (!comparison) return;
    words.textContent = comparison.words;
    const titles = comparison.head.map((cell) => make("th", { scope: "col" }, cell));
    const body = comparison.rows.map(([first, ...rest]) =>
      make("tr", {}, make("th", { scope: "row" }, first), ...rest.map((cell) => make("td", {}, cell))));
    table.replaceChildren(make("table", {}, make("thead", {}, make("tr", {}, ...titles)), make("tbody", {}, ...body)));
  }

  showPins() {
    const { section, table } = this.pins;
    const { pinned } = this.state;
    const all = ({ values, perceived }) => {
      const seen = Object.entries(perceived ?? {}).map(([name, value]) => [this.seenAs(name), value]);
      return { ...values, ...Object.fromEntries(seen) };
    };
    const values = all(this.state);
    section.hidden = !pinned.length;
    if (!pinned.length) return void table.replaceChildren();
    const names = [...new Set([...this.parameters.keys(), ...[this.state, ...pinned].flatMap((pin) => Object.keys(all(pin)))])];
    const differs = names.filter((name) => pinned.some((pin) => all(pin)[name] !== values[name]));
    const scale = this.scale();
    const { point } = this.view;
    const gap = (pin) => {
      if (pin.event !== this.state.event || !isNumber(pin.low) || !isNumber(point?.low)) return "–";
      const [a, b] = [point.low - pin.low, point.high - pin.high];
      const sign = (d) => (scale[0] === 0 && scale[1] === 1 ? `${d < 0 ? "\u2212" : "+"}${Math.abs(100 * d).toFixed(1)}` : shown(d));
      return sign(a) === sign(b) ? sign(a) : `${sign(a)} to ${sign(b)}`;
    };
    const unit = scale[0] === 0 && scale[1] === 1 ? "now minus then (points)" : "now minus then";
    const head = ["", "event", "likelihood", unit, ...differs, ""];
    const row = (label, pin, delta, ...buttons) => make(
      "tr", {}, make("th", { scope: "row" }, label), make("td", {}, pin.event), make("td", {}, span(pin.low, pin.high, scale)),
      make("td", {}, delta), ...differs.map((name) => make("td", {}, shown(all(pin)[name]))), make("td", {}, ...buttons),
    );
    const button = (text, about, onclick) => make("button", { type: "button", onclick, "aria-label": about }, text);
    const rows = pinned.map((pin, i) => row(
      String(i + 1), pin, gap(pin),
      button("Go there", `go to point ${i + 1}`, () => this.goTo(pin)),
      button("Remove", `remove point ${i + 1}`, () => this.change({ pinned: pinned.filter((_, k) => k !== i) }, { pins: true })),
    ));
    const now = row("now", { event: this.state.event, low: point?.low, high: point?.high, values: this.state.values, perceived: this.state.perceived }, "");
    const titles = head.map((cell) => make("th", { scope: "col" }, cell));
    table.replaceChildren(make("table", {}, make("thead", {}, make("tr", {}, ...titles)), make("tbody", {}, now, ...rows)));
  }
}

// -- pieces of pictures ------------------------------------------------------------------------------------------------

// Stretches of a curve without gaps, as lists of [x, low, high].
function runs(xs, lows, highs) {
  const found = [];
  let piece = [];
  xs.forEach((x, i) => {
    if (isNumber(lows[i]) && isNumber(highs[i])) {
      piece.push([x, lows[i], highs[i]]);
    } else if (piece.length) {
      found.push(piece);
      piece = [];
    }
  });
  return piece.length ? [...found, piece] : found;
}

function axisValue([low, high], count, i) {
  return low + ((high - low) * i) / Math.max(count - 1, 1);
}

function rgb(colour) {
  return [1, 3, 5].map((k) => parseInt(colour.slice(k, k + 2), 16));
}

// Where there is room for each phase's number: the point farthest from other phases, in steps; none where it is narrow.
function seats({ nx, ny, bytes: { kinds }, phases }) {
  const room = new Uint16Array(nx * ny);
  const best = phases.map(() => [0, -1]);
  const at = (i, j) => (i < 0 || j < 0 || i >= nx || j >= ny ? 0 : room[j * nx + i]);
  const same = (i, j, k) => i >= 0 && j >= 0 && i < nx && j < ny && kinds[j * nx + i] === k;
  for (let j = 0; j < ny; j += 1) {
    for (let i = 0; i < nx; i += 1) {
      const k = kinds[j * nx + i];
      const near = [[i - 1, j], [i, j - 1], [i - 1, j - 1], [i + 1, j - 1]];
      room[j * nx + i] = near.every(([a, b]) => same(a, b, k)) ? 1 + Math.min(...near.map(([a, b]) => at(a, b))) : 1;
    }
  }
  for (let j = ny - 1; j >= 0; j -= 1) {
    for (let i = nx - 1; i >= 0; i -= 1) {
      const k = kinds[j * nx + i];
      const near = [[i + 1, j], [i, j + 1], [i + 1, j + 1], [i - 1, j + 1]];
      const back = near.every(([a, b]) => same(a, b, k)) ? 1 + Math.min(...near.map(([a, b]) => at(a, b))) : 1;
      room[j * nx + i] = Math.min(room[j * nx + i], back);
      if (k < phases.length && room[j * nx + i] > best[k][0]) best[k] = [room[j * nx + i], j * nx + i];
    }
  }
  const least = Math.max(2, Math.min(nx, ny) / 16);
  return best.map(([size, k]) => (size >= least ? [k % nx, Math.floor(k / nx)] : null));
}

export default {
  render({ model, el }) {
    const explorer = new Explorer(model, el);
    return () => explorer.close();
  },
};
