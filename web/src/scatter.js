// One number against another of the same kind, both logarithmic, with the line where they are equal.
import uPlot from "uplot";
import { axis, plot } from "./curve.js";
import { css, h } from "./dom.js";
import { drawMark } from "./marks.js";

const marks = ["bits", "normal", "poisson", "logits", "noise"];

// The next 1, 2 or 5 times a power of ten, below (-1) or above (1).
function round(x, way) {
  const power = 10 ** Math.floor(Math.log10(x));
  const steps = [1, 2, 5, 10].map((m) => m * power);
  return way < 0 ? steps.findLast((s) => s <= x) ?? power : steps.find((s) => s >= x) ?? 10 * power;
}

// series: [{label, points: [{x, y}]}] with x and y above 0; x, y: {label}. Returns an element.
export function scatter(title, series, x, y) {
  const all = series.flatMap((s) => s.points.flatMap((p) => [p.x, p.y]));
  const range = [round(Math.min(...all) * 0.9, -1), round(Math.max(...all) * 1.1, 1)];
  const box = h("div", { class: "curve" });
  const figure = h("div", { role: "img", "aria-label": `${title}. The same data are in the table that follows.` }, box);
  const colour = (i) => css(`--series-${i % 6}`);
  const powers = (u, values) => values.map((v) => (v === null ? "" : String(+v.toPrecision(3))));
  const scale = { time: false, distr: 3, range: () => range };
  const sorted = series.map((s) => [...s.points].sort((a, b) => a.x - b.x));
  plot(title, {
    width: 600,
    height: 320,
    cursor: { show: false },
    legend: { live: false, markers: { width: 3 } },
    scales: { x: scale, y: { distr: 3, range: () => range } },
    axes: [{ ...axis(x.label), values: powers }, { ...axis(y.label), size: 64, values: powers }],
    series: [
      { label: x.label },
      ...series.map((s, i) => ({ label: `${"●◇△□○"[i % 5]} ${s.label}`, stroke: () => colour(i), paths: () => null, points: { show: false } })),
    ],
    hooks: { draw: [
      (u) => equal(u, range),
      (u) => sorted.forEach((points, i) => u.series[i + 1].show && points.forEach((p) =>
        drawMark(u.ctx, marks[i % 5], colour(i), u.valToPos(p.x, "x", true), u.valToPos(p.y, "y", true)))),
    ] },
  }, uPlot.join(sorted.map((points) => [points.map((p) => p.x), points.map((p) => p.y)])), box, figure);
  return figure;
}

function equal(u, [lo, hi]) {
  const c = u.ctx;
  c.save();
  c.strokeStyle = css("--muted");
  c.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
  c.beginPath();
  c.moveTo(u.valToPos(lo, "x", true), u.valToPos(lo, "y", true));
  c.lineTo(u.valToPos(hi, "x", true), u.valToPos(hi, "y", true));
  c.stroke();
  c.restore();
}
