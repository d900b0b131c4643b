"use strict";
// What all figures over time share: the run's data, the stretch of time that is shown, a cursor. Times in au.

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
  const cursor = add(plot.svg, "line", {
    class: "cursor",
    y1: plot.top,
    y2: plot.bottom,
    visibility: "hidden",
  });
  const selection = add(plot.svg, "rect", {
    class: "selection",
    y: plot.top,
    height: plot.bottom - plot.top,
    width: 0,
  });
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
    if (event.pointerType === "mouse")
      dragged = within(event.clientX - plot.svg.getBoundingClientRect().left);
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
    add(plot.inside, "rect", {
      class: "reference",
      x: plot.x(from),
      y: plot.top,
      width,
      height: plot.bottom - plot.top,
    });
  }
}

/** Lines over time: entries {key, label, swatch, values}. */
function lines(host, entries, { unit, height = 300, above = false, digits = 4 }) {
  const shown = entries.filter(({ key }) => !hidden.has(key));
  const from = Math.max(lowerBound(time, view.range[0]) - 1, 0);
  const to = Math.min(lowerBound(time, view.range[1]) + 1, time.length);
  const limits = extent(
    shown.map(({ values }) => values),
    from,
    to,
  );
  const largest = Math.max(...limits.map(Math.abs));
  const exponent = largest > 0 ? Math.floor(Math.log10(largest)) : 0;
  const factor = exponent < -2 || exponent > 3 ? exponent : 0;
  // A single component has no legend to name it.
  const along = entries.length === 1 && COMPONENTS.includes(entries[0].label) ? ` along ${entries[0].label}` : "";
  heading(
    host,
    (factor ? `${power(factor)} ${unit}` : unit) + along,
    entries.length > 1 ? entries : [],
    hidden,
    drawAll,
  );
  const y = { range: padded(limits, 0.06), power: factor };
  const plot = timeAxes(host, {
    y,
    height,
    above,
    read(t) {
      const k = nearest(time, t);
      const rows = shown.map(({ swatch, label, values }) => [
        swatch,
        `${label} ${number(values[k], digits)} ${unit}`,
      ]);
      return { time: time[k], rows };
    },
  });
  shadeReference(plot);
  const size = ({ values }) =>
    extent([values], from, to).reduce((a, b) => Math.max(Math.abs(a), Math.abs(b)));
  // A component that stays flat goes underneath the others.
  for (const entry of [...shown].sort((a, b) => size(a) - size(b))) {
    add(plot.inside, "path", {
      class: `curve ${entry.swatch}`,
      d: linePath(plot, time, entry.values, from, to),
    });
  }
}

/** The series whose names begin so, labelled by the rest of the name. */
function named(lead) {
  return Object.keys(series)
    .filter((name) => name.startsWith(lead))
    .map((name, k) => ({
      key: name,
      label: name.slice(lead.length),
      swatch: `c${k % 6}`,
      values: series[name],
    }));
}

/** The components that move: one that moves less than a thousandth of the largest is left out. */
function components(quantity) {
  const all = COMPONENTS.map((c, k) => ({
    key: `${quantity} ${c}`,
    label: c,
    swatch: `c${k}`,
    values: series[`${quantity}_${c}`],
  }));
  const size = ({ values }) => values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  const largest = Math.max(...all.map(size));
  const moving = all.filter((entry) => size(entry) > 1e-3 * largest);
  return moving.length ? moving : all;
}
