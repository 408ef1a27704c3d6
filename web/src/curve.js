// Lines with intervals over a number: accuracy against error rate, MVF against overhead. uPlot draws
// them; drag to zoom, double click to go back.
import uPlot from "uplot";
import { css, h, onScheme } from "./dom.js";
import { isMarked, marked } from "./marks.js";

const dashes = [[], [8, 4], [2, 3], [10, 3, 2, 3], [14, 5], [5, 5]];
const borders = ["solid", "dashed", "dotted"];
// Series with marks have no dashes of their own: what is predicted is dashed.
const border = (s, i) => (s && isMarked(s) ? (s.band ? "dashed" : "solid") : borders[i % borders.length] ?? "solid");
const still = matchMedia("(prefers-reduced-motion: reduce)");

// series: [{label, points: [{x, share, mark?}], band?}]: points with a mark are drawn as marks.js does;
// x: {label, short?, log, text(x)}; y: {label, text(y)}; lines: [{label, y}] are drawn across.
// Returns an element.
export function curve(title, series, x, y, lines = []) {
  const tables = series.map((s) => [
    s.points.map((p) => p.x),
    s.points.map((p) => 100 * p.share.value),
    s.points.map((p) => 100 * p.share.lo),
    s.points.map((p) => 100 * p.share.hi),
  ]);
  const data = uPlot.join(tables);
  const box = h("div", { class: "curve" });
  const figure = h("div", { role: "img", "aria-label": `${title}. The same data are in the table that follows.` }, box);
  const colour = (i) => css(`--series-${i % 6}`);

  const options = {
    width: 600,
    height: 320,
    cursor: { drag: { x: true, y: false }, points: { size: 8 } },
    legend: { live: true, markers: { width: 3, dash: (u, i) => border(series[(i - 1) / 3], (i - 1) / 3) } },
    scales: {
      x: x.log ? { time: false, distr: 3 } : { time: false },
      y: { range: (u, min, max) => [0, Math.max(max, ...lines.map((l) => 100 * l.y)) * 1.05 || 1] },
    },
    axes: [
      { ...axis(x.label), values: (u, v) => v.map((t) => t === null ? "" : x.text(t)) },
      { ...axis(y.label), size: 56 },
    ],
    series: [
      { label: x.short ?? x.label, value: (u, v) => (v === null ? "–" : x.text(v)) },
      ...series.flatMap((s, i) => [
        {
          label: s.label, stroke: () => colour(i), width: 2, dash: dashes[i % dashes.length],
          points: { show: !isMarked(s), size: 6, fill: () => colour(i) }, spanGaps: true,
          ...(isMarked(s) ? { paths: () => null } : {}),
          value: (u, v, si, at) => at === null || v === null || v === undefined ? "–"
            : `${y.text(v)} [${y.text(u.data[si + 1][at])}, ${y.text(u.data[si + 2][at])}]`,
        },
        hidden(), hidden(),
      ]),
    ],
    hooks: { draw: [
      (u) => marked(u, series, colour),
      (u) => whiskers(u, series, colour),
      (u) => across(u, lines),
    ] },
  };
  plot(title, options, data, box, figure);
  return figure;
}

// Puts the chart into `box` of `figure`, as wide as there is room.
export function plot(title, options, data, box, figure) {
  const chart = new uPlot(options, data, box);
  chart.root.querySelector(".u-legend").setAttribute("aria-label", `${title}: legend, and the values under the pointer`);
  const fit = () => {
    const width = Math.floor(box.clientWidth);
    if (width) chart.setSize({ width, height: width < 500 ? 260 : 340 });
  };
  new ResizeObserver(fit).observe(figure);
  onScheme(() => chart.redraw(false));
  if (still.matches) box.classList.add("still");
}

export const axis = (label) => ({
  label, stroke: () => css("--ink"), labelSize: 26, font: "12px system-ui, sans-serif",
  labelFont: "13px system-ui, sans-serif",
  grid: { stroke: () => css("--line"), width: 1 }, ticks: { stroke: () => css("--line") },
});

// The ends of intervals: in the data for the legend and the range, drawn by whiskers().
const hidden = () => ({ stroke: "transparent", width: 0, points: { show: false }, class: "interval-end" });

function whiskers(u, series, colour) {
  const c = u.ctx;
  const cap = 4 * devicePixelRatio;
  c.save();
  c.lineWidth = 1.5 * devicePixelRatio;
  for (let i = 0; i < series.length; i++) {
    const [value, lo, hi] = [1, 2, 3].map((k) => u.data[3 * i + k]);
    if (!u.series[3 * i + 1].show || series[i].band) continue;
    c.strokeStyle = colour(i);
    u.data[0].forEach((x, at) => {
      if (value[at] === null || value[at] === undefined || !(hi[at] > lo[at])) return;
      const px = u.valToPos(x, "x", true);
      if (px < u.bbox.left || px > u.bbox.left + u.bbox.width) return;
      const [top, bottom] = [hi[at], lo[at]].map((v) => u.valToPos(v, "y", true));
      c.beginPath();
      c.moveTo(px, top);
      c.lineTo(px, bottom);
      for (const end of [top, bottom]) {
        c.moveTo(px - cap, end);
        c.lineTo(px + cap, end);
      }
      c.stroke();
    });
  }
  c.restore();
}

function across(u, lines) {
  const c = u.ctx;
  c.save();
  c.strokeStyle = css("--muted");
  c.fillStyle = css("--muted");
  c.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
  c.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  c.textAlign = "right";
  for (const line of lines) {
    const py = u.valToPos(100 * line.y, "y", true);
    c.beginPath();
    c.moveTo(u.bbox.left, py);
    c.lineTo(u.bbox.left + u.bbox.width, py);
    c.stroke();
    c.fillText(line.label, u.bbox.left + u.bbox.width - 4, py - 5 * devicePixelRatio);
  }
  c.restore();
}
