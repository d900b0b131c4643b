"use strict";
// The molecule as balls and sticks, turned by dragging; the arrow is the field's polarisation.

function molecule(host) {
  const { atoms, bonds, field } = data.molecule;
  const size = 220;
  const centre = [0, 1, 2].map((k) => atoms.reduce((sum, atom) => sum + atom.position[k], 0) / atoms.length);
  const balls = atoms.map((atom) => ({ ...atom, position: atom.position.map((v, k) => v - centre[k]) }));
  const reach = Math.max(1.2, ...balls.map(({ position, radius }) => Math.hypot(...position) + radius));
  const scale = size / 2 / (reach * 1.2);
  const svg = add(host, "svg", {
    width: size,
    height: size,
    viewBox: `${-size / 2} ${-size / 2} ${size} ${size}`,
    "aria-hidden": "true",
  });
  let [turn, tilt] = data.molecule.view;
  const seen = ([x, y, z]) => {
    const across = Math.cos(turn) * x + Math.sin(turn) * y,
      away = -Math.sin(turn) * x + Math.cos(turn) * y;
    return [
      across * scale,
      -(Math.cos(tilt) * z + Math.sin(tilt) * away) * scale,
      Math.cos(tilt) * away - Math.sin(tilt) * z,
    ];
  };
  const draw = () => {
    svg.replaceChildren();
    shine();
    const items = balls
      .map((ball) => ({ at: seen(ball.position), ball }))
      .map(({ at, ball }) => ({ depth: at[2], paint: () => ballAt(ball, at) }));
    for (const [i, j] of bonds) {
      const ends = [surface(balls[i], balls[j]), surface(balls[j], balls[i])].map(seen);
      items.push({ depth: (ends[0][2] + ends[1][2]) / 2, paint: () => stick(...ends) });
    }
    if (field) {
      const tip = seen(field.map((v) => 1.16 * v * reach));
      // Behind everything, so that it hides no symbol.
      items.push({ depth: Infinity, paint: () => arrow(tip) });
    }
    items.sort((a, b) => b.depth - a.depth).forEach(({ paint }) => paint());
  };
  /** Where the bond to another ball leaves this one: a little inside, so that no gap shows. */
  const surface = (ball, other) => {
    const along = other.position.map((v, k) => v - ball.position[k]);
    return ball.position.map((v, k) => v + (0.8 * ball.radius * along[k]) / Math.hypot(...along));
  };
  const shine = () => {
    const light = add(add(svg, "defs"), "radialGradient", { id: "shine", cx: 0.35, cy: 0.3, r: 0.75 });
    add(light, "stop", { offset: 0, "stop-color": "#fff", "stop-opacity": 0.55 });
    add(light, "stop", { offset: 0.6, "stop-color": "#fff", "stop-opacity": 0 });
    add(light, "stop", { offset: 1, "stop-color": "#000", "stop-opacity": 0.22 });
  };
  const ballAt = ({ symbol, colour, dark, radius }, [x, y]) => {
    add(svg, "circle", { class: "atom", cx: x, cy: y, r: radius * scale, fill: colour });
    add(svg, "circle", { cx: x, cy: y, r: radius * scale, fill: "url(#shine)" });
    if (radius * scale > 8)
      add(
        svg,
        "text",
        { class: dark ? "symbol on-dark" : "symbol", x, y: y + 4.5, "text-anchor": "middle" },
        symbol,
      );
  };
  const stick = ([x1, y1], [x2, y2]) => add(svg, "line", { class: "bond", x1, y1, x2, y2 });
  const arrow = ([x, y]) => {
    const length = Math.hypot(x, y);
    if (length < 8) return;
    const [ux, uy] = [x / length, y / length];
    add(svg, "line", { class: "arrow", x1: -x, y1: -y, x2: x - 8 * ux, y2: y - 8 * uy });
    const head = [
      [x, y],
      [x - 10 * ux - 5 * uy, y - 10 * uy + 5 * ux],
      [x - 10 * ux + 5 * uy, y - 10 * uy - 5 * ux],
    ];
    add(svg, "polygon", { class: "arrow-head", points: head.map((p) => p.join()).join(" ") });
  };
  let held = null;
  svg.addEventListener("pointerdown", (event) => {
    held = [event.clientX, event.clientY];
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointermove", (event) => {
    if (!held) return;
    turn -= (event.clientX - held[0]) / 80;
    tilt = Math.min(Math.max(tilt + (event.clientY - held[1]) / 80, -1.57), 1.57);
    held = [event.clientX, event.clientY];
    draw();
  });
  for (const ended of ["pointerup", "pointercancel"]) svg.addEventListener(ended, () => (held = null));
  draw();
}

const moleculeHost = document.getElementById("molecule");
if (moleculeHost && data.molecule) molecule(moleculeHost);
