"use strict";
// What the controller did: segments and decisions on a time line, and how well the surrogate knew its error.

const LANES = [
  { kind: "anchor", label: "accepted at an anchor", swatch: "c0" },
  { kind: "rejection", label: "rejected", swatch: "c4" },
  { kind: "audit", label: "audits", swatch: "c2" },
  { kind: "refinement", label: "refinements", swatch: "c3" },
];

function eventRows(event) {
  const rows = [[null, `reason ${event.reason}`]];
  if (event.spread !== null) rows.push([null, `expected ${number(event.spread)}`]);
  if (event.residual !== null)
    rows.push([null, `${event.kind === "audit" ? "apart by" : "measured"} ${number(event.residual)}`]);
  if (event.error) rows.push([null, `adds ${number(event.error, 2)} to the error`]);
  if (event.builds) rows.push([null, `${event.builds} Fock build${event.builds > 1 ? "s" : ""}`]);
  return rows;
}

/** One lane of segments with their reason codes, one for each kind of decision. */
function timeline(host) {
  const lanes = LANES.filter(({ kind }) => data.events.some((event) => event.kind === kind));
  const head = 26,
    lane = 48,
    first = 42;
  const height = head + first + lane * lanes.length + 56;
  const plot = timeAxes(host, { y: { range: [0, 1], hidden: true }, height, read });
  const laneTop = (k) => plot.top + head + first + k * lane;
  add(plot.svg, "text", { class: "lane", x: plot.left, y: plot.top + 12 }, "segments");
  for (const pass of [true, false]) {
    for (const segment of data.segments) {
      if (segment.surrogate !== pass || segment.to < view.range[0] || segment.from > view.range[1]) continue;
      const from = Math.max(plot.x(segment.from), plot.left),
        to = Math.min(plot.x(segment.to), plot.right);
      const gap = to - from > 5 ? 1 : 0;
      const width = Math.max(to - from - gap, 1.5);
      const style = segment.surrogate ? "bar-surrogate" : "bar-reference";
      add(plot.inside, "rect", {
        class: style,
        x: from,
        y: plot.top + 20,
        width,
        height: 26,
        rx: gap ? 3 : 0,
      });
      if (width > 8.2 * segment.reason.length + 12) {
        add(
          plot.inside,
          "text",
          { class: `in-bar on-${style}`, x: from + width / 2, y: plot.top + 37, "text-anchor": "middle" },
          segment.reason,
        );
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
    const steps =
      segment.steps > 1
        ? `steps ${segment.first} – ${segment.first + segment.steps - 1}`
        : `step ${segment.first}`;
    const kind = segment.surrogate ? "surrogate" : "reference";
    const ended = segment.surrogate ? `ended by ${segment.reason}` : segment.reason;
    return {
      time: t,
      title: `${kind}, ${steps}`,
      rows: [[segment.surrogate ? "bar-surrogate" : "bar-reference", ended]],
    };
  }
}

function measured(kind) {
  return data.events.filter((event) => event.kind === kind && event.residual > 0);
}

/** The surrogate's spread over time, and the residuals measured at its anchors. */
function spread(host) {
  const spreads = series.spread;
  const anchors = measured("anchor"),
    rejections = measured("rejection");
  // Where the functional is linear, nothing is expected.
  const expects = spreads.some((v) => v > 0);
  const entries = expects ? [{ swatch: "c5", label: "spread: what the surrogate expects" }] : [];
  if (anchors.length) entries.push({ swatch: "dot c0", label: "residual, measured at an anchor" });
  if (rejections.length) entries.push({ swatch: "dot c4", label: "the same, segment rejected" });
  if (data.allowed) entries.push({ swatch: "c4 dashed", label: "spread that fits the tolerance" });
  heading(host, "relative error of the Fock response", entries);
  const values = [
    spreads,
    [...anchors, ...rejections].map((event) => event.residual),
    data.allowed ? [data.allowed] : [],
  ];
  const most = Math.max(...values.map((v) => v.length));
  const [lowest, high] = extent(values, 0, most, true);
  // Ten decades at most: an exact surrogate has a spread of rounding.
  const low = Math.max(lowest, high * 1e-10);
  const plot = timeAxes(host, {
    y: { range: [low / 2, high * 2], log: true },
    height: 300,
    read(t, px, py) {
      const close = [...anchors, ...rejections].find(
        (e) => Math.hypot(plot.x(e.time) - px, plot.y(e.residual) - py) < 12,
      );
      if (close)
        return {
          time: close.time,
          title: `${close.kind} · ${timeLabel(close.time)}`,
          rows: eventRows(close),
        };
      const k = nearest(time, t);
      const reference = data.segments.some((s) => !s.surrogate && time[k] >= s.from && time[k] < s.to);
      const text = reference ? "reference step" : `spread ${number(spreads[k])}`;
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
  for (const [events, swatch] of [
    [anchors, "c0"],
    [rejections, "c4"],
  ]) {
    for (const event of events) {
      if (event.time < view.range[0] || event.time > view.range[1]) continue;
      add(plot.svg, "circle", {
        class: `dot ${swatch}`,
        cx: plot.x(event.time),
        cy: plot.y(event.residual),
        r: 4,
      });
    }
  }
}

/** Expected against measured: points on the diagonal mean that the spread told the truth. */
function honesty(host) {
  const groups = [
    [measured("anchor"), "c0"],
    [measured("rejection"), "c4"],
  ];
  const points = groups.flatMap(([events, swatch]) =>
    events.filter((e) => e.spread > 0).map((e) => ({ ...e, swatch })),
  );
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
  add(plot.inside, "polygon", {
    class: "over",
    points: [ends[0], ends[1], [ends[0][0], ends[1][1]]].map((p) => p.join()).join(" "),
  });
  add(plot.inside, "line", {
    class: "diagonal",
    x1: ends[0][0],
    y1: ends[0][1],
    x2: ends[1][0],
    y2: ends[1][1],
  });
  add(plot.svg, "text", { class: "note", x: plot.left + 8, y: plot.top + 16 }, "worse than expected");
  add(
    plot.svg,
    "text",
    { class: "note", x: plot.right - 8, y: plot.bottom - 10, "text-anchor": "end" },
    "better than expected",
  );
  for (const p of points)
    add(plot.inside, "circle", {
      class: `dot ${p.swatch}`,
      cx: plot.x(p.spread),
      cy: plot.y(p.residual),
      r: 5,
    });
  const box = tooltip(host);
  follow(
    plot.svg,
    (px, py) => {
      const away = (p) => Math.hypot(plot.x(p.spread) - px, plot.y(p.residual) - py);
      const point = points.reduce((best, p) => (away(p) < away(best) ? p : best));
      if (away(point) < 24)
        box.show(
          plot.x(point.spread),
          plot.y(point.residual),
          `${point.kind} · ${timeLabel(point.time)}`,
          eventRows(point),
        );
      else box.hide();
    },
    () => box.hide(),
  );
}
