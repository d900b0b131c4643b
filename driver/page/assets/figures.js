"use strict";
// Which figure is drawn where: into the elements that carry its name.

const FIGURES = {
  dipole: (host) => lines(host, components("dipole"), { unit: "au", height: 340, above: true }),
  field: (host) => lines(host, components("field"), { unit: "au", height: 220 }),
  energy: (host) =>
    lines(host, [{ key: "energy", label: "ΔE", swatch: "c0", values: series.energy }], {
      unit: "Ha",
      height: 220,
    }),
  s2: (host) =>
    lines(host, [{ key: "s2", label: "⟨S²⟩", swatch: "c0", values: series.s2 }], {
      unit: "ħ²",
      height: 220,
      digits: 6,
    }),
  occupations: (host) => lines(host, named("occupation_"), { unit: "electrons", height: 220 }),
  charges: (host) => lines(host, named("charge_"), { unit: "e", height: 220 }),
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
