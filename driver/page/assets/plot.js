"use strict";
// Axes, lines and read-outs in SVG, at the width of their container; text keeps its size at every width.

const SVG = "http://www.w3.org/2000/svg";

function add(parent, name, attributes = {}, text = null) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== null) node.textContent = text;
  parent.appendChild(node);
  return node;
}

function addHtml(parent, name, className, text = null) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== null) node.textContent = text;
  parent.appendChild(node);
  return node;
}

/** Little-endian float32 from base64. */
function floats(text) {
  return new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
}

const SUPERSCRIPTS = {
  "-": "⁻",
  0: "⁰",
  1: "¹",
  2: "²",
  3: "³",
  4: "⁴",
  5: "⁵",
  6: "⁶",
  7: "⁷",
  8: "⁸",
  9: "⁹",
};

function power(exponent) {
  return "10" + [...String(exponent)].map((c) => SUPERSCRIPTS[c]).join("");
}

/** A number for reading: 3 significant digits, powers of ten outside 0.01 … 99999. */
function number(value, digits = 3) {
  if (value === 0) return "0";
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e-2 && size < 1e5) return String(Number(value.toPrecision(digits))).replace("-", "−");
  const exponent = Math.floor(Math.log10(size));
  return `${(value / 10 ** exponent).toFixed(digits - 1).replace("-", "−")}\u00a0×\u00a0${power(exponent)}`;
}

/** Round numbers, about `count` of them, between low and high. */
function ticks(low, high, count) {
  const raw = (high - low) / Math.max(count, 1);
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].find((m) => m * unit >= raw * 0.999) * unit;
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k += 1) found.push(k * step);
  return {
    values: found,
    decimals: Math.max(0, -Math.floor(Math.log10(step) + 1e-9) + (step / unit === 2.5 ? 1 : 0)),
  };
}

/** [value, text] of powers of ten; where less than two lie within the range, of their multiples by 2 and 5 too. */
function logTicks(low, high, count) {
  const first = Math.floor(Math.log10(low)),
    last = Math.ceil(Math.log10(high));
  const within = ([value]) => value >= low * 0.999 && value <= high * 1.001;
  const thinned = (found) => found.filter((_, k) => k % Math.ceil(found.length / count) === 0);
  const finer = [];
  for (let k = first; k <= last; k += 1)
    for (const m of [1, 2, 5]) finer.push([m * 10 ** k, m === 1 ? power(k) : `${m}·${power(k)}`]);
  const powers = finer.filter((_, k) => k % 3 === 0).filter(within);
  return thinned(powers.length > 1 ? powers : finer.filter(within));
}

/** Least and largest of several series within an index range; zeros and worse left out for a log axis. */
function extent(series, from, to, log = false) {
  let low = Infinity,
    high = -Infinity;
  for (const values of series) {
    for (let k = from; k < to; k += 1) {
      const v = values[k];
      if (!Number.isFinite(v) || (log && v <= 0)) continue;
      if (v < low) low = v;
      if (v > high) high = v;
    }
  }
  return low <= high ? [low, high] : log ? [0.1, 1] : [-1, 1];
}

function padded([low, high], share) {
  const largest = Math.max(Math.abs(low), Math.abs(high));
  // Numbers have single precision: what changes less does not change.
  const span = high - low > 1e-6 * largest ? high - low : largest || 1;
  return [low - share * span, high + share * span];
}

/** First index with xs[index] >= value. */
function lowerBound(xs, value) {
  let low = 0,
    high = xs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (xs[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function nearest(xs, value) {
  const right = Math.min(lowerBound(xs, value), xs.length - 1);
  return right > 0 && value - xs[right - 1] < xs[right] - value ? right - 1 : right;
}

/**
 * An SVG with axes in `host`. x, y: {range: [low, high], label, log, power, hidden}, power a power of ten that tick
 * labels are divided by. above: {label, scale}, a second scale of x along the top.
 * Returns what draws in it: x(value), y(value) in pixels, `inside` (clipped), the plot's edges.
 */
function axes(host, { x, y, height, above = null }) {
  const width = host.clientWidth;
  const svg = add(host, "svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  const top = above ? 34 : 12,
    bottom = height - 44;
  const yTicks = y.hidden
    ? []
    : y.log
      ? logTicks(...y.range, Math.max(2, Math.floor((bottom - top) / 34)))
      : labelled(ticks(...y.range, Math.max(2, Math.round((bottom - top) / 40))), y.power ?? 0);
  // The same for all figures over time, so that one stands above the other.
  const left = Math.max(
    width < 560 ? 46 : 56,
    14 + 7.2 * Math.max(0, ...yTicks.map(([, text]) => text.length)),
  );
  const right = width - 12;
  const scale = (axis, from, to) => {
    const turn = axis.log ? Math.log10 : (v) => v;
    const [low, high] = axis.range.map(turn);
    const to_pixels = (v) => from + ((turn(v) - low) / (high - low)) * (to - from);
    to_pixels.invert = (p) => {
      const v = low + ((p - from) / (to - from)) * (high - low);
      return axis.log ? 10 ** v : v;
    };
    return to_pixels;
  };
  const atX = scale(x, left, right),
    atY = scale(y, bottom, top);
  const xCount = Math.max(2, Math.round((right - left) / 90));
  const xTicks = x.log ? logTicks(...x.range, xCount) : labelled(ticks(...x.range, xCount), 0);
  for (const [value, text] of yTicks) {
    const at = atY(value);
    add(svg, "line", { class: value === 0 && !y.log ? "zero" : "grid", x1: left, x2: right, y1: at, y2: at });
    add(svg, "text", { class: "tick", x: left - 7, y: at + 4, "text-anchor": "end" }, text);
  }
  for (const [value, text] of xTicks) {
    const at = atX(value);
    add(svg, "line", {
      class: x.log ? "grid" : "stub",
      x1: at,
      x2: at,
      y1: x.log ? top : bottom,
      y2: bottom + 5,
    });
    const anchor = at > right - 14 ? "end" : "middle";
    add(
      svg,
      "text",
      { class: "tick", x: anchor === "end" ? right + 6 : at, y: bottom + 19, "text-anchor": anchor },
      text,
    );
  }
  add(svg, "line", { class: "axis", x1: left, x2: right, y1: bottom, y2: bottom });
  add(
    svg,
    "text",
    { class: "label", x: (left + right) / 2, y: height - 6, "text-anchor": "middle" },
    x.label,
  );
  if (above) {
    const scaled = ticks(x.range[0] * above.scale, x.range[1] * above.scale, xCount);
    for (const [value, text] of labelled(scaled, 0)) {
      const at = atX(value / above.scale);
      if (at > right - 34) continue;
      add(svg, "line", { class: "stub", x1: at, x2: at, y1: top - 5, y2: top });
      add(svg, "text", { class: "tick faint", x: at, y: top - 10, "text-anchor": "middle" }, text);
    }
    add(svg, "text", { class: "tick faint", x: right, y: top - 10, "text-anchor": "end" }, above.label);
  }
  const id = `clip-${(axes.count = (axes.count ?? 0) + 1)}`;
  const clip = add(add(svg, "defs"), "clipPath", { id });
  add(clip, "rect", { x: left, y: top - 8, width: Math.max(right - left, 1), height: bottom - top + 8 });
  const inside = add(svg, "g", { "clip-path": `url(#${id})` });
  return { svg, inside, x: atX, y: atY, left, right, top, bottom, width, height };
}

function labelled({ values, decimals }, exponent) {
  return values.map((value) => {
    const text = (value / 10 ** exponent).toFixed(Math.max(0, decimals + exponent));
    return [value, text.replace(/^-(0(\.0*)?)$/, "$1").replace("-", "−")];
  });
}

/**
 * SVG path of a series; where points are denser than pixels, first, least, largest and last of each column. What a log
 * axis has no place for is left out.
 */
function linePath(plot, xs, ys, from, to) {
  const drawable = [];
  for (let k = from; k < to; k += 1) if (Number.isFinite(plot.y(ys[k]))) drawable.push(k);
  const points =
    drawable.length < 3 * (plot.right - plot.left)
      ? drawable
      : extremes(drawable, (k) => Math.floor(plot.x(xs[k])), ys);
  return points.length
    ? `M${points.map((k) => `${plot.x(xs[k]).toFixed(2)} ${plot.y(ys[k]).toFixed(2)}`).join("L")}`
    : "";
}

function extremes(indices, columnOf, ys) {
  const kept = [];
  for (let at = 0; at < indices.length;) {
    const column = columnOf(indices[at]),
      first = indices[at];
    let low = first,
      high = first,
      last = first;
    for (; at < indices.length && columnOf(indices[at]) === column; at += 1) {
      last = indices[at];
      if (ys[last] < ys[low]) low = last;
      if (ys[last] > ys[high]) high = last;
    }
    kept.push(...[...new Set([first, low, high, last])].sort((a, b) => a - b));
  }
  return kept;
}

/** The little box that follows the pointer. rows: [class of the swatch or null, text]. */
function tooltip(host) {
  const box = addHtml(host, "div", "tooltip");
  box.hidden = true;
  return {
    show(atX, atY, title, rows) {
      box.replaceChildren();
      addHtml(box, "b", null, title);
      for (const [swatch, text] of rows) {
        const line = addHtml(box, "span", "line");
        if (swatch) addHtml(line, "i", `swatch ${swatch}`);
        line.append(text);
      }
      box.hidden = false;
      const room = host.clientWidth - box.offsetWidth;
      const beside = atX + 14 > room ? atX - box.offsetWidth - 14 : atX + 14;
      box.style.left = `${Math.max(0, Math.min(beside, room))}px`;
      box.style.top = `${Math.max(0, atY)}px`;
    },
    hide() {
      box.hidden = true;
    },
  };
}

let followed = null;

/** Calls move(px, py) while a pointer is over the plot, leave() when it goes; a finger goes with its next touch. */
function follow(svg, move, leave) {
  for (const name of ["pointermove", "pointerdown"]) {
    svg.addEventListener(name, (event) => {
      followed = { svg, leave };
      const box = svg.getBoundingClientRect();
      move(event.clientX - box.left, event.clientY - box.top);
    });
  }
  svg.addEventListener("pointerleave", (event) => {
    if (event.pointerType !== "touch") leave();
  });
}

// Captured: ahead of the plot that the next touch is on.
document.addEventListener(
  "pointerdown",
  (event) => {
    if (followed && !followed.svg.contains(event.target)) followed.leave();
  },
  true,
);

/**
 * The line above a plot: what its y axis is, and what its curves are. entries: {key, label, swatch}; those with a key are
 * buttons that put it into the Set `hidden` or take it out.
 */
function heading(host, unit, entries, hidden, changed) {
  const head = addHtml(host, "div", "head");
  addHtml(head, "p", "unit", unit);
  const bar = addHtml(head, "div", "legend");
  for (const { key, label, swatch } of entries) {
    const item = addHtml(bar, key ? "button" : "span", "key");
    addHtml(item, "i", `swatch ${swatch}`);
    item.append(label);
    if (!key) continue;
    item.type = "button";
    item.setAttribute("aria-pressed", String(!hidden.has(key)));
    item.addEventListener("click", () => {
      if (!hidden.delete(key)) hidden.add(key);
      changed();
    });
  }
}
