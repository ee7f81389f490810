// The explorer's page from disk: the front end, with answers that were made in advance on a grid.
//
// Likelihoods are those of the nearest point of the grid, never interpolated: where an equilibrium ends they jump.
// Equilibria and pictures are those of the nearest of fewer points, among those where the same kinds of equilibrium
// exist; the page says which point that is.

import explorer from "./explorer.js";
import HostModel from "./host_model.js";

const NOTHING = 65535; // in arrays of likelihoods: no answer
const STEPS = 60000; // codes from 0 to this span a scale

class PrecomputedGrid {
  // `numbers` holds, for each array of likelihoods, the differences of neighbours (modulo 2^16), all high bytes before
  // all low ones; then three bytes for each point:
  // its phase on the map, its set of kinds of equilibrium, and what became of it, each in an array of its own.
  constructor(head, numbers, pictures) {
    this.head = head;
    this.axes = head.axes;
    this.size = head.axes.reduce((product, axis) => product * axis.values.length, 1);
    this.strides = [];
    let stride = 1;
    for (const axis of [...head.axes].reverse()) {
      this.strides.unshift(stride);
      stride *= axis.values.length;
    }
    this.numbers = new Uint16Array(head.arrays * this.size);
    for (let array = 0; array < head.arrays; array += 1) {
      const [high, low] = [2 * array * this.size, (2 * array + 1) * this.size];
      let sum = 0;
      for (let i = 0; i < this.size; i += 1) {
        sum = (sum + (numbers[high + i] << 8) + numbers[low + i]) & 65535;
        this.numbers[array * this.size + i] = sum;
      }
    }
    const end = 2 * head.arrays * this.size;
    this.kinds = numbers.subarray(end, end + this.size);
    this.groups = numbers.subarray(end + this.size, end + 2 * this.size);
    this.codes = numbers.subarray(end + 2 * this.size);
    this.pictures = JSON.parse(new TextDecoder().decode(pictures));
  }

  // Position of the nearest point of the grid, an index for each axis.
  nearest(values) {
    return this.axes.map((axis) => {
      const wanted = values[axis.name] ?? axis.start;
      let best = 0;
      axis.values.forEach((value, i) => {
        if (Math.abs(value - wanted) < Math.abs(axis.values[best] - wanted)) best = i;
      });
      return best;
    });
  }

  flat(position) {
    return position.reduce((sum, index, k) => sum + index * this.strides[k], 0);
  }

  position(flat) {
    return this.strides.map((stride, k) => Math.floor(flat / stride) % this.axes[k].values.length);
  }

  axis(name) {
    return this.axes.findIndex((axis) => axis.name === name);
  }

  number(array, flat, scale) {
    const code = array === null ? NOTHING : this.numbers[array * this.size + flat];
    return code === NOTHING ? null : scale[0] + (code / STEPS) * (scale[1] - scale[0]);
  }

  byte(array, flat) {
    const code = this.numbers[array * this.size + flat];
    return code === NOTHING ? 255 : Math.round((code / STEPS) * 254);
  }
}

function viewOf(grid, spec, state) {
  const field = grid.head.fields[state.event];
  const position = grid.nearest(state.values);
  const here = grid.flat(position);
  return {
    serial: state.serial,
    state,
    point: pointOf(grid, field, here),
    curve: curveOf(grid, field, state.x, position),
    map: mapOf(grid, field, state.x, state.y, position),
    ...pictureOf(grid, state, position, here),
    code: codeOf(spec, state),
    seconds: { solve: 0, total: 0 },
  };
}

// The state at the nearest point of the grid, or null if it is there already.
function settled(grid, state) {
  const position = grid.nearest(state.values);
  const away = ({ name, values }, k) => Math.abs((state.values[name] ?? values[position[k]]) - values[position[k]]);
  if (grid.axes.every((axis, k) => away(axis, k) <= 1e-6 * (axis.values[1] - axis.values[0]))) return null;
  const values = { ...state.values };
  grid.axes.forEach((axis, k) => (values[axis.name] = axis.values[position[k]]));
  return { ...state, values, serial: state.serial + 1 };
}

function pointOf(grid, field, here) {
  const reason = grid.head.reasons[grid.codes[here]];
  const [low, high] = [field.low, field.high].map((array) => grid.number(array, here, field.scale));
  return { low, high, ...reason };
}

function curveOf(grid, field, name, position) {
  const k = grid.axis(name);
  const along = grid.axes[k].values.map((_, i) => grid.flat(position.with(k, i)));
  const curve = { x: name, values: grid.axes[k].values, scale: field.scale };
  for (const end of ["low", "high", "true_low", "true_high"]) {
    if (field[end] !== null) curve[end] = along.map((flat) => grid.number(field[end], flat, field.scale));
  }
  return curve;
}

function mapOf(grid, field, x, y, position) {
  const [kx, ky] = [grid.axis(x), grid.axis(y)];
  if (ky < 0 || kx === ky) return null;
  const [xs, ys] = [grid.axes[kx].values, grid.axes[ky].values];
  const cells = ys.flatMap((_, j) => xs.map((_, i) => grid.flat(position.with(kx, i).with(ky, j))));
  return {
    x,
    y,
    nx: xs.length,
    ny: ys.length,
    x_range: [xs[0], xs.at(-1)],
    y_range: [ys[0], ys.at(-1)],
    scale: field.scale,
    low: base64(cells.map((flat) => grid.byte(field.low, flat))),
    high: base64(cells.map((flat) => grid.byte(field.high, flat))),
    kinds: base64(cells.map((flat) => grid.kinds[flat])),
    phases: grid.head.phases,
    detail: 0,
    more: false,
    ties: grid.head.ties,
    whole: true,
  };
}

function pictureOf(grid, state, position, here) {
  let best = null;
  let least = Infinity;
  for (const picture of grid.pictures.points) {
    if (grid.groups[picture.at] !== grid.groups[here]) continue;
    const there = grid.position(picture.at);
    const distance = there.reduce((sum, i, k) => sum + ((i - position[k]) / grid.axes[k].values.length) ** 2, 0);
    if (distance < least) [best, least] = [picture, distance];
  }
  if (!best) {
    const statement = "No equilibria were computed in advance for the kinds that exist at this point.";
    return { equilibria: [], statement, tree_svg: "", comparison: null };
  }
  const text = (number) => grid.pictures.texts[number];
  const answer = best.events[state.event];
  const chosen = Math.min(state.equilibrium, best.trees.length - 1);
  return {
    equilibria: best.equilibria.map((equilibrium, i) => {
      const [low, high] = answer.ranges[i];
      return { ...equilibrium, low, high, html: text(equilibrium.html) };
    }),
    statement: `${best.statement.replace(/[. ]*$/, "")}. ${placeOf(grid, best.at, least)}`,
    tree_svg: chosen < 0 ? "" : text(best.trees[chosen]),
    comparison: answer.comparison,
  };
}

function placeOf(grid, at, distance) {
  if (distance === 0) return "Computed in advance, at this very point.";
  const there = grid.position(at).map((i, k) => `${grid.axes[k].name} = ${short(grid.axes[k].values[i])}`);
  return `Computed in advance: these are the equilibria at ${there.join(", ")}, where the same kinds exist.`;
}

// "Copy as code": the template of spec, filled in as Python does it.
function codeOf(spec, state) {
  const rest = (...out) => {
    const told = ({ name, neutral }) => (neutral ?? null) === null || state.values[name] !== neutral;
    const moved = spec.parameters.filter((p) => told(p)).map(({ name }) => name);
    const tied = spec.parameters.filter((p) => p.tied && [...moved, state.x, state.y].includes(p.tied));
    const kept = new Set([...moved, ...tied.map(({ name }) => name)]);
    const left = Object.entries(state.values).filter(([name]) => kept.has(name) && !out.includes(name));
    return `{${left.map(([name, value]) => `${JSON.stringify(name)}: ${value}`).join(", ")}}`;
  };
  const range = (name) => {
    const found = spec.parameters.find((parameter) => parameter.name === name);
    return found ? (found.range ?? [found.low, found.high]).join(", ") : "";
  };
  const words = {
    values: rest(),
    rest_x: rest(state.x),
    rest_xy: rest(state.x, state.y),
    x: JSON.stringify(state.x),
    y: JSON.stringify(state.y),
    event: JSON.stringify(state.event),
    concept: JSON.stringify(state.concept),
    concept_raw: state.concept,
    x_range: range(state.x),
    y_range: range(state.y),
    points: String(spec.points),
    grid: String(spec.grids.at(-1)),
    equilibrium: String(state.equilibrium),
  };
  return spec.code.replace(/@(\w+)@/g, (whole, name) => words[name] ?? whole);
}

function short(number) {
  return String(Number(number.toPrecision(4)));
}

function base64(bytes) {
  return btoa(String.fromCharCode(...bytes));
}

async function unpacked(id) {
  const packed = Uint8Array.from(atob(document.getElementById(id).textContent.trim()), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function say(message) {
  const place = document.getElementById("host-message");
  place.textContent = message;
  place.hidden = !message;
}

try {
  if (!("DecompressionStream" in globalThis && "with" in Array.prototype)) {
    throw new Error("This page needs a browser of 2023 or later.");
  }
  const { spec, state, head } = JSON.parse(document.getElementById("head").textContent);
  const grid = new PrecomputedGrid(head, await unpacked("numbers"), await unpacked("pictures"));
  const answer = (asked) => {
    const nearest = settled(grid, asked);
    if (nearest) model.set("state", nearest); // the sliders go to where the answer is
    model.set("view", viewOf(grid, spec, nearest ?? asked));
  };
  const model = new HostModel({ spec, state, view: viewOf(grid, spec, state) }, (asked) => {
    queueMicrotask(() => answer(asked));
  });
  await explorer.render({ model, el: document.getElementById("explorer") });
} catch (error) {
  say(error.message);
}
