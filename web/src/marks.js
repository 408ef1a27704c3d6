// Points that tell how they were obtained: measured ones are filled discs on solid lines, those of
// statistical models hollow, by model, on dashed lines, as in the pictures of `show --svg`. Series with a
// band are dashed throughout.
import { css, h } from "./dom.js";
import { modelText } from "./words.js";

const SIZE = 4.5;
const shapes = {
  bits: { sign: "●", filled: true, draw: disc },
  noise: { sign: "○", draw: disc },
  logits: { sign: "□", draw: (c, x, y, r) => polygon(c, [[x - r, y - r], [x + r, y - r], [x + r, y + r], [x - r, y + r]]) },
  normal: { sign: "◇", draw: (c, x, y, r) => polygon(c, [[x, y - 1.3 * r], [x + 1.3 * r, y], [x, y + 1.3 * r], [x - 1.3 * r, y]]) },
  poisson: { sign: "△", draw: (c, x, y, r) => polygon(c, [[x, y - 1.2 * r], [x + 1.2 * r, y + r], [x - 1.2 * r, y + r]]) },
};
const shapeOf = (mark) => shapes[mark] ?? shapes.noise;

function disc(c, x, y, r) {
  c.beginPath();
  c.arc(x, y, r, 0, 2 * Math.PI);
}

function polygon(c, corners) {
  c.beginPath();
  corners.forEach(([x, y], i) => (i ? c.lineTo(x, y) : c.moveTo(x, y)));
  c.closePath();
}

export const isMarked = (s) => s.points.some((p) => p.mark);

// What the marks of these points mean, for people.
export function key(points) {
  const used = Object.keys(shapes).filter((m) => points.some((p) => p.mark === m));
  if (!used.length) return null;
  return h("p", { class: "legend key" }, used.map((m) =>
    h("span", {}, h("span", { "aria-hidden": "true" }, `${shapes[m].sign} `), modelText(m))));
}

export function drawMark(c, mark, colour, x, y) {
  const r = SIZE * devicePixelRatio, shape = shapeOf(mark);
  c.fillStyle = shape.filled ? colour : css("--paper");
  c.strokeStyle = colour;
  c.lineWidth = 1.6 * devicePixelRatio;
  c.setLineDash([]);
  shape.draw(c, x, y, r);
  c.fill();
  c.stroke();
}

function clip(u, draw) {
  const c = u.ctx, pad = 2 * SIZE * devicePixelRatio;
  c.save();
  c.beginPath();
  c.rect(u.bbox.left - pad, u.bbox.top - pad, u.bbox.width + 2 * pad, u.bbox.height + 2 * pad);
  c.clip();
  draw(c);
  c.restore();
}

// Bands, lines and marks of the series whose points have marks; a hook of uPlot.
export function marked(u, series, colour) {
  series.forEach((s, i) => {
    if (!isMarked(s) || !u.series[3 * i + 1].show) return;
    const at = (p, value) => [u.valToPos(p.x, "x", true), u.valToPos(100 * value, "y", true)];
    clip(u, (c) => {
      if (s.band) {
        const known = s.points.filter((p) => Number.isFinite(p.share.lo) && Number.isFinite(p.share.hi));
        c.globalAlpha = 0.18;
        c.fillStyle = colour(i);
        polygon(c, [...known.map((p) => at(p, p.share.hi)), ...known.map((p) => at(p, p.share.lo)).reverse()]);
        c.fill();
        c.globalAlpha = 1;
      }
      c.strokeStyle = colour(i);
      c.lineWidth = 2 * devicePixelRatio;
      s.points.slice(1).forEach((p, k) => {
        const measured = !s.band && p.mark === "bits" && s.points[k].mark === "bits";
        c.setLineDash(measured ? [] : [6 * devicePixelRatio, 4 * devicePixelRatio]);
        c.beginPath();
        c.moveTo(...at(s.points[k], s.points[k].share.value));
        c.lineTo(...at(p, p.share.value));
        c.stroke();
      });
      for (const p of s.points) drawMark(c, p.mark, colour(i), ...at(p, p.share.value));
    });
  });
}
