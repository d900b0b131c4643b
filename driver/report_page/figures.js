"use strict";
// The figures of a run, each drawn into the element that carries its name; times in au.

const data = JSON.parse(document.getElementById("data").textContent);
const FS_PER_AU = data.fs_per_au;
const time = floats(data.time);
const series = Object.fromEntries(Object.entries(data.series).map(([name, text]) => [name, floats(text)]));
const COMPONENTS = ["x", "y", "z"];
const hidden = new Set();
const whole = [data.span[0], data.span[1] > data.span[0] ? data.span[1] : data.span[0] + 1];
/** What all figures over time show of it, and where the pointer is. */
const view = { range: whole, cursors: [] };

function timeLabel(t) {
  return `${number(t, 5)} au · ${number(t * FS_PER_AU, 4)} fs`;
}

/** Axes over time with a cursor that all of them share; a drag with the mouse zooms, a double click goes back. */
function timeAxes(host, { y, height, above = false, read }) {
  const plot = axes(host, {
    x: { range: view.range, label: "time (au)" },
    y,
    height,
    above: above ? { label: "fs", scale: FS_PER_AU } : null,
  });
  const cursor = add(plot.svg, "line", { class: "cursor", y1: plot.top, y2: plot.bottom, visibility: "hidden" });
  const selection = add(plot.svg, "rect", { class: "selection", y: plot.top, height: plot.bottom - plot.top, width: 0 });
  const box = tooltip(host);
  const moveCursor = (t) => {
    const shown = t !== null && t >= view.range[0] && t <= view.range[1];
    cursor.setAttribute("visibility", shown ? "visible" : "hidden");
    if (shown) for (const end of ["x1", "x2"]) cursor.setAttribute(end, plot.x(t));
  };
  view.cursors.push(moveCursor);
  let dragged = null;
  const within = (px) => Math.min(Math.max(px, plot.left), plot.right);
  follow(
    plot.svg,
    (px, py) => {
      if (dragged !== null) {
        selection.setAttribute("x", Math.min(dragged, within(px)));
        selection.setAttribute("width", Math.abs(within(px) - dragged));
      }
      const t = plot.x.invert(within(px));
      const found = read(t, px, py);
      view.cursors.forEach((move) => move(found ? found.time : t));
      if (found) box.show(plot.x(found.time), plot.top, found.title ?? timeLabel(found.time), found.rows);
      else box.hide();
    },
    () => {
      view.cursors.forEach((move) => move(null));
      box.hide();
      dragged = null;
      selection.setAttribute("width", 0);
    },
  );
  plot.svg.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse") dragged = within(event.clientX - plot.svg.getBoundingClientRect().left);
  });
  plot.svg.addEventListener("pointerup", (event) => {
    if (dragged === null) return;
    const other = within(event.clientX - plot.svg.getBoundingClientRect().left);
    const ends = [dragged, other].map(plot.x.invert).sort((a, b) => a - b);
    dragged = null;
    selection.setAttribute("width", 0);
    if (Math.abs(plot.x(ends[1]) - plot.x(ends[0])) > 8) zoom(ends);
  });
  plot.svg.addEventListener("dblclick", () => zoom(whole));
  return plot;
}

function zoom(range) {
  view.range = range;
  document.body.classList.toggle("zoomed", range !== whole);
  drawAll();
}

function shadeReference(plot) {
  if (!data.segments.some((segment) => segment.surrogate)) return;
  for (const { from, to, surrogate } of data.segments) {
    if (surrogate || to < view.range[0] || from > view.range[1]) continue;
    const width = Math.max(plot.x(to) - plot.x(from), 1);
    add(plot.inside, "rect", { class: "reference", x: plot.x(from), y: plot.top, width, height: plot.bottom - plot.top });
  }
}

/** Lines over time: entries {key, label, swatch, values}. */
function lines(host, entries, { unit, height = 300, above = false, digits = 4 }) {
  const shown = entries.filter(({ key }) => !hidden.has(key));
  const from = Math.max(lowerBound(time, view.range[0]) - 1, 0);
  const to = Math.min(lowerBound(time, view.range[1]) + 1, time.length);
  const limits = extent(shown.map(({ values }) => values), from, to);
  const largest = Math.max(...limits.map(Math.abs));
  const exponent = largest > 0 ? Math.floor(Math.log10(largest)) : 0;
  const factor = exponent < -2 || exponent > 3 ? exponent : 0;
  heading(host, factor ? `${power(factor)} ${unit}` : unit, entries.length > 1 ? entries : [], hidden, drawAll);
  const y = { range: padded(limits, 0.06), power: factor };
  const plot = timeAxes(host, {
    y,
    height,
    above,
    read(t) {
      const k = nearest(time, t);
      const rows = shown.map(({ swatch, label, values }) => [swatch, `${label} ${number(values[k], digits)} ${unit}`]);
      return { time: time[k], rows };
    },
  });
  shadeReference(plot);
  const size = ({ values }) => extent([values], from, to).reduce((a, b) => Math.max(Math.abs(a), Math.abs(b)));
  // A component that stays flat goes underneath the others.
  for (const entry of [...shown].sort((a, b) => size(a) - size(b))) {
    add(plot.inside, "path", { class: `curve ${entry.swatch}`, d: linePath(plot, time, entry.values, from, to) });
  }
}

function components(quantity) {
  return COMPONENTS.map((c, k) => ({ key: `${quantity} ${c}`, label: c, swatch: `c${k}`, values: series[`${quantity}_${c}`] }));
}

const LANES = [
  { kind: "anchor", label: "accepted at an anchor", swatch: "c0" },
  { kind: "rejection", label: "rejected", swatch: "c4" },
  { kind: "audit", label: "audits", swatch: "c2" },
  { kind: "refinement", label: "refinements", swatch: "c3" },
];

function eventRows(event) {
  const rows = [[null, `reason ${event.reason}`]];
  if (event.spread !== null) rows.push([null, `expected ${number(event.spread)}`]);
  if (event.residual !== null) rows.push([null, `${event.kind === "audit" ? "apart by" : "measured"} ${number(event.residual)}`]);
  if (event.error) rows.push([null, `adds ${number(event.error, 2)} to the error`]);
  if (event.builds) rows.push([null, `${event.builds} Fock build${event.builds > 1 ? "s" : ""}`]);
  return rows;
}

/** One lane of segments with their reason codes, one for each kind of decision. */
function timeline(host) {
  const lanes = LANES.filter(({ kind }) => data.events.some((event) => event.kind === kind));
  const head = 26, lane = 48, first = 42;
  const height = head + first + lane * lanes.length + 56;
  const plot = timeAxes(host, { y: { range: [0, 1], hidden: true }, height, read });
  const laneTop = (k) => plot.top + head + first + k * lane;
  add(plot.svg, "text", { class: "lane", x: plot.left, y: plot.top + 12 }, "segments");
  for (const pass of [true, false]) {
    for (const segment of data.segments) {
      if (segment.surrogate !== pass || segment.to < view.range[0] || segment.from > view.range[1]) continue;
      const from = Math.max(plot.x(segment.from), plot.left), to = Math.min(plot.x(segment.to), plot.right);
      const gap = to - from > 5 ? 1 : 0;
      const width = Math.max(to - from - gap, 1.5);
      const style = segment.surrogate ? "bar-surrogate" : "bar-reference";
      add(plot.inside, "rect", { class: style, x: from, y: plot.top + 20, width, height: 26, rx: gap ? 3 : 0 });
      if (width > 8.2 * segment.reason.length + 12) {
        add(plot.inside, "text", { class: `in-bar on-${style}`, x: from + width / 2, y: plot.top + 37, "text-anchor": "middle" }, segment.reason);
      }
    }
  }
  lanes.forEach(({ kind, label, swatch }, k) => {
    const events = data.events.filter((event) => event.kind === kind);
    const y = laneTop(k);
    const builds = events.reduce((sum, event) => sum + event.builds, 0);
    const made = builds ? ` · ${builds} Fock build${builds > 1 ? "s" : ""}` : "";
    add(plot.svg, "text", { class: "lane", x: plot.left, y: y + 4 }, `${label}: ${events.length}${made}`);
    add(plot.svg, "line", { class: "grid", x1: plot.left, x2: plot.right, y1: y + 24, y2: y + 24 });
    for (const event of events) {
      if (event.time < view.range[0] || event.time > view.range[1]) continue;
      const x = plot.x(event.time);
      add(plot.svg, "line", { class: `mark ${swatch}`, x1: x, x2: x, y1: y + 13, y2: y + 35 });
    }
  });

  function read(t, px, py) {
    const row = Math.floor((py - plot.top - head - first + 14) / lane);
    if (row >= 0 && row < lanes.length) {
      const events = data.events.filter(({ kind }) => kind === lanes[row].kind);
      const event = events.reduce((best, e) => (Math.abs(e.time - t) < Math.abs(best.time - t) ? e : best));
      if (Math.abs(plot.x(event.time) - px) > 24) return null;
      return { time: event.time, title: `${event.kind} · ${timeLabel(event.time)}`, rows: eventRows(event) };
    }
    const segment = data.segments.find((s) => t >= s.from && t <= s.to);
    if (!segment) return null;
    const steps = segment.steps > 1 ? `steps ${segment.first} – ${segment.first + segment.steps - 1}` : `step ${segment.first}`;
    const kind = segment.surrogate ? "surrogate" : "reference";
    const ended = segment.surrogate ? `ended by ${segment.reason}` : segment.reason;
    return { time: t, title: `${kind}, ${steps}`, rows: [[segment.surrogate ? "bar-surrogate" : "bar-reference", ended]] };
  }
}

function measured(kind) {
  return data.events.filter((event) => event.kind === kind && event.residual > 0);
}

/** The surrogate's spread over time, and the residuals measured at its anchors. */
function spread(host) {
  const spreads = series.spread;
  const anchors = measured("anchor"), rejections = measured("rejection");
  const entries = [{ swatch: "c5", label: "spread: what the surrogate expects" }];
  if (anchors.length) entries.push({ swatch: "dot c0", label: "residual, measured at an anchor" });
  if (rejections.length) entries.push({ swatch: "dot c4", label: "the same, segment rejected" });
  if (data.allowed) entries.push({ swatch: "c4 dashed", label: "spread that fits the tolerance" });
  heading(host, "relative error of the Fock response", entries);
  const values = [[...anchors, ...rejections].map((event) => event.residual), data.allowed ? [data.allowed] : []];
  const all = [spreads, ...values].map((v) => extent([v], 0, v.length, true)).filter((_, k) => [spreads, ...values][k].length);
  const high = Math.max(...all.map((limits) => limits[1]));
  // Ten decades at most: an exact surrogate has a spread of rounding.
  const low = Math.max(Math.min(...all.map((limits) => limits[0])), high * 1e-10);
  const plot = timeAxes(host, {
    y: { range: [low / 2, high * 2], log: true },
    height: 300,
    read(t, px, py) {
      const close = [...anchors, ...rejections].find((e) => Math.hypot(plot.x(e.time) - px, plot.y(e.residual) - py) < 12);
      if (close) return { time: close.time, title: `${close.kind} · ${timeLabel(close.time)}`, rows: eventRows(close) };
      const k = nearest(time, t);
      const text = spreads[k] > 0 ? `spread ${number(spreads[k])}` : "reference step";
      return { time: time[k], rows: [["c5", text]] };
    },
  });
  shadeReference(plot);
  const from = Math.max(lowerBound(time, view.range[0]) - 1, 0);
  const to = Math.min(lowerBound(time, view.range[1]) + 1, time.length);
  add(plot.inside, "path", { class: "curve c5", d: linePath(plot, time, spreads, from, to) });
  if (data.allowed) {
    const at = plot.y(data.allowed);
    add(plot.inside, "line", { class: "curve c4 dashed", x1: plot.left, x2: plot.right, y1: at, y2: at });
  }
  for (const [events, swatch] of [[anchors, "c0"], [rejections, "c4"]]) {
    for (const event of events) {
      if (event.time < view.range[0] || event.time > view.range[1]) continue;
      add(plot.svg, "circle", { class: `dot ${swatch}`, cx: plot.x(event.time), cy: plot.y(event.residual), r: 4 });
    }
  }
}

/** Expected against measured: points on the diagonal mean that the spread told the truth. */
function honesty(host) {
  const groups = [[measured("anchor"), "c0"], [measured("rejection"), "c4"]];
  const points = groups.flatMap(([events, swatch]) => events.filter((e) => e.spread > 0).map((e) => ({ ...e, swatch })));
  const values = points.flatMap((p) => [p.spread, p.residual]);
  const range = extent([values], 0, values.length, true);
  const limits = [range[0] / 2, range[1] * 2];
  heading(host, "measured residual", []);
  const plot = axes(host, {
    x: { range: limits, log: true, label: "expected: spread over the segment" },
    y: { range: limits, log: true },
    height: Math.min(Math.max(host.clientWidth, 300), 380),
  });
  const ends = limits.map((v) => [plot.x(v), plot.y(v)]);
  add(plot.inside, "polygon", { class: "over", points: [ends[0], ends[1], [ends[0][0], ends[1][1]]].map((p) => p.join()).join(" ") });
  add(plot.inside, "line", { class: "diagonal", x1: ends[0][0], y1: ends[0][1], x2: ends[1][0], y2: ends[1][1] });
  add(plot.svg, "text", { class: "note", x: plot.left + 8, y: plot.top + 16 }, "worse than expected");
  add(plot.svg, "text", { class: "note", x: plot.right - 8, y: plot.bottom - 10, "text-anchor": "end" }, "better than expected");
  for (const p of points) add(plot.inside, "circle", { class: `dot ${p.swatch}`, cx: plot.x(p.spread), cy: plot.y(p.residual), r: 5 });
  const box = tooltip(host);
  follow(
    plot.svg,
    (px, py) => {
      const away = (p) => Math.hypot(plot.x(p.spread) - px, plot.y(p.residual) - py);
      const point = points.reduce((best, p) => (away(p) < away(best) ? p : best));
      if (away(point) < 24) box.show(plot.x(point.spread), plot.y(point.residual), `${point.kind} · ${timeLabel(point.time)}`, eventRows(point));
      else box.hide();
    },
    () => box.hide(),
  );
}

/** Absorption after a kick with its lines labelled in eV, or the dipole's spectrum on a log scale otherwise. */
function spectrum(host) {
  const { step, log, unit, peaks, curves } = data.spectrum;
  const entries = curves.map(({ label, swatch, values }) => ({ key: label, label, swatch, values: floats(values) }));
  const energies = Float32Array.from(entries[0].values, (_, k) => k * step);
  heading(host, unit, entries.length > 1 ? entries : [], hidden, drawAll);
  const shown = entries.filter(({ key }) => !hidden.has(key));
  const limits = extent(shown.map(({ values }) => values), 0, energies.length, log);
  const range = log ? [Math.min(Math.max(limits[0], limits[1] * 1e-12), limits[1] / 100), limits[1] * 2] : [Math.min(limits[0], 0), 1.2 * limits[1]];
  const plot = axes(host, {
    x: { range: [0, energies[energies.length - 1]], label: "energy (eV)" },
    y: { range, log },
    height: 340,
  });
  for (const { values, swatch } of shown) {
    const d = linePath(plot, energies, values, 0, energies.length);
    if (!log && swatch === "c0") {
      add(plot.inside, "path", { class: "fill c0", d: `${d}L${plot.right} ${plot.y(0)}L${plot.left} ${plot.y(0)}Z` });
    }
    add(plot.inside, "path", { class: `curve ${swatch}`, d });
  }
  labelPeaks(plot, peaks);
  const box = tooltip(host);
  const cursor = add(plot.svg, "line", { class: "cursor", y1: plot.top, y2: plot.bottom, visibility: "hidden" });
  follow(
    plot.svg,
    (px) => {
      const k = nearest(energies, plot.x.invert(Math.min(Math.max(px, plot.left), plot.right)));
      const e = energies[k];
      for (const end of ["x1", "x2"]) cursor.setAttribute(end, plot.x(e));
      cursor.setAttribute("visibility", "visible");
      const title = `${e.toFixed(2)} eV${e > 0.5 ? ` · ${number(1239.842 / e, 4)} nm` : ""}`;
      box.show(plot.x(e), plot.top, title, shown.map(({ swatch, values }) => [swatch, `${number(values[k])} ${unit}`]));
    },
    () => {
      cursor.setAttribute("visibility", "hidden");
      box.hide();
    },
  );
}

/** Strongest first; a label that would lie on another one moves up, and is left to the table where there is no room. */
function labelPeaks(plot, peaks) {
  const taken = [];
  for (const { energy, height } of [...peaks].sort((a, b) => b.height - a.height)) {
    const text = energy.toFixed(2), half = 4 * text.length;
    const x = Math.min(Math.max(plot.x(energy), plot.left + half), plot.right - half);
    let y = plot.y(height) - 8;
    const clashes = () => taken.find((t) => Math.abs(t.x - x) < half + t.half && Math.abs(t.y - y) < 17);
    for (let other = clashes(); other && y > plot.top; other = clashes()) y = other.y - 17;
    if (y < plot.top + 4) continue;
    taken.push({ x, y, half });
    add(plot.svg, "line", { class: "leader", x1: plot.x(energy), x2: plot.x(energy), y1: plot.y(height) - 2, y2: y + 3 });
    add(plot.svg, "text", { class: "peak", x, y, "text-anchor": "middle" }, text);
  }
}

const FIGURES = {
  dipole: (host) => lines(host, components("dipole"), { unit: "au", height: 340, above: true }),
  field: (host) => lines(host, components("field"), { unit: "au", height: 220 }),
  energy: (host) => lines(host, [{ key: "energy", label: "ΔE", swatch: "c0", values: series.energy }], { unit: "Ha", height: 220 }),
  s2: (host) => lines(host, [{ key: "s2", label: "⟨S²⟩", swatch: "c0", values: series.s2 }], { unit: "ħ²", height: 220, digits: 6 }),
  spectrum,
  timeline,
  spread,
  honesty,
};

function drawAll() {
  view.cursors = [];
  for (const host of document.querySelectorAll("[data-plot]")) {
    host.style.minHeight = `${host.offsetHeight}px`;
    host.replaceChildren();
    FIGURES[host.dataset.plot](host);
    host.style.minHeight = "";
  }
}

document.getElementById("whole-run")?.addEventListener("click", () => zoom(whole));
let widthBefore = 0;
new ResizeObserver(() => {
  const width = document.documentElement.clientWidth;
  if (width !== widthBefore) {
    widthBefore = width;
    drawAll();
  }
}).observe(document.documentElement);
