"use strict";
// The spectrum, its strongest lines labelled in eV.

/** Absorption after a kick with its lines labelled in eV, or the dipole's spectrum on a log scale otherwise. */
function spectrum(host) {
  const { step, log, unit, peaks, curves, sticks } = data.spectrum;
  const entries = curves.map(({ label, swatch, values }) => ({
    key: label,
    label,
    swatch,
    values: floats(values),
  }));
  const energies = Float32Array.from(entries[0].values, (_, k) => k * step);
  heading(host, unit, entries.length > 1 ? entries : [], hidden, drawAll);
  const shown = entries.filter(({ key }) => !hidden.has(key));
  const limits = extent(
    shown.map(({ values }) => values),
    0,
    energies.length,
    log,
  );
  const range = log
    ? [Math.min(Math.max(limits[0], limits[1] * 1e-12), limits[1] / 100), limits[1] * (limits[1] / Math.max(limits[0], limits[1] * 1e-12)) ** 0.12]
    : [Math.min(limits[0], 0), 1.2 * limits[1]];
  const plot = axes(host, {
    x: { range: [0, energies[energies.length - 1]], label: "energy (eV)" },
    y: { range, log },
    height: 340,
  });
  for (const { values, swatch } of shown) {
    const d = linePath(plot, energies, values, 0, energies.length);
    if (!log && swatch === "c0") {
      add(plot.inside, "path", {
        class: "fill c0",
        d: `${d}L${plot.right} ${plot.y(0)}L${plot.left} ${plot.y(0)}Z`,
      });
    }
    add(plot.inside, "path", { class: `curve ${swatch}`, d });
  }
  for (const { energy, height } of sticks) {
    add(plot.inside, "line", {
      class: "stick",
      x1: plot.x(energy),
      x2: plot.x(energy),
      y1: plot.y(0),
      y2: plot.y(height),
    });
  }
  labelPeaks(plot, peaks);
  const box = tooltip(host);
  const cursor = add(plot.svg, "line", {
    class: "cursor",
    y1: plot.top,
    y2: plot.bottom,
    visibility: "hidden",
  });
  follow(
    plot.svg,
    (px) => {
      const k = nearest(energies, plot.x.invert(Math.min(Math.max(px, plot.left), plot.right)));
      const e = energies[k];
      for (const end of ["x1", "x2"]) cursor.setAttribute(end, plot.x(e));
      cursor.setAttribute("visibility", "visible");
      const title = `${e.toFixed(2)} eV${e > 0.5 ? ` · ${number(1239.842 / e, 4)} nm` : ""}`;
      box.show(
        plot.x(e),
        plot.top,
        title,
        shown.map(({ swatch, values }) => [swatch, `${number(values[k])} ${unit}`]),
      );
    },
    () => {
      cursor.setAttribute("visibility", "hidden");
      box.hide();
    },
  );
}

/** Strongest first; of these a few move up where they would lie on another one. Where there is no room, the table has it. */
function labelPeaks(plot, peaks) {
  const taken = [];
  const most = Math.floor((plot.right - plot.left) / 65);
  const ordered = [...peaks].sort((a, b) => b.strength - a.strength);
  for (const [rank, { energy, height }] of ordered.entries()) {
    const text = energy.toFixed(2),
      half = 4 * text.length;
    const x = Math.min(Math.max(plot.x(energy), plot.left + half), plot.right - half);
    let y = plot.y(height) - 8;
    const clashes = () => taken.find((t) => Math.abs(t.x - x) < half + t.half && Math.abs(t.y - y) < 17);
    for (let other = clashes(); other && y > plot.top; other = clashes()) y = other.y - 17;
    if (y < plot.top + 4 || (rank >= most && y < plot.y(height) - 8)) continue;
    taken.push({ x, y, half });
    add(plot.svg, "line", {
      class: "leader",
      x1: plot.x(energy),
      x2: plot.x(energy),
      y1: plot.y(height) - 2,
      y2: y + 3,
    });
    add(plot.svg, "text", { class: "peak", x, y, "text-anchor": "middle" }, text);
  }
}
