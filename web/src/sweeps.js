// Accuracy against bit error rate, all sweeps and predictions in one picture.
import { curve } from "./curve.js";
import { h, withPicture } from "./dom.js";
import { count, rate, ratio, real, share } from "./format.js";
import { key } from "./marks.js";
import { prediction } from "./prediction.js";
import { shareColumns, table } from "./table.js";
import { hasRates, isPrediction, sentence } from "./words.js";

const accuracy = (p) => share(p.accuracy, p.ci);
const isAccelerated = (r) => r.points.some((p) => p.model !== "bits");

// Marks tell measured points from predicted ones; where nothing is predicted there are none.
function seriesOf({ run }, marks) {
  return {
    label: run.label,
    band: isPrediction(run),
    points: run.result.points.filter((p) => p.ber > 0 && p.accuracy !== null)
      .map((p) => ({ x: p.ber, share: accuracy(p), mark: marks && p.model })),
  };
}

export function sweeps(runs) {
  const list = runs.map((run, number) => ({ run, number })).filter(({ run }) => hasRates(run));
  if (!list.length) return null;
  const golden = [...new Set(list.map(({ run: { result: r } }) => r.golden_correct / r.images))];
  const marks = list.some(({ run }) => isAccelerated(run.result));
  const series = list.map((x) => seriesOf(x, marks)).filter((s) => s.points.length);
  const chart = series.length
    ? curve("Accuracy against bit error rate", series,
        { label: "bit error rate (logarithmic)", short: "rate", log: true, text: rate },
        { label: "accuracy, %", text: (v) => `${(+v).toFixed(2)} %` },
        golden.map((y, i) => ({ y, label: i === 0 ? "without faults" : "" })))
    : null;
  const pictures = chart ? list.flatMap(({ run, number }) =>
    withPicture(chart, number, isPrediction(run) ? "prediction" : "sweep").slice(1)) : [];
  return h("section", { id: "sweeps", "aria-labelledby": "sweeps-title" },
    h("h2", { id: "sweeps-title" }, "Accuracy against bit error rate"),
    list.map(({ run }) => h("p", {}, sentence(run))),
    chart && h("figure", { "data-chart": "sweep" },
      h("figcaption", {}, "Mean accuracy over error patterns with its interval; each stored bit flips with the rate given. ",
        marks && "Dashed lines and hollow marks are predicted by statistical models, bands are their intervals. ",
        h("span", { class: "screen-only" }, "Drag to zoom, double click to see all. ")),
      chart, h("div", { class: "screen-only" }, key(series.flatMap((s) => s.points))), pictures),
    list.map(({ run, number }) => (isPrediction(run) ? prediction(run, number) : rates(run, number))));
}

function rates(run, number) {
  const n = (label, get, text = count) => ({ label, number: true, value: (p) => get(p) ?? NaN, text: (p) => text(get(p)) });
  const bare = (x) => ratio(x, 1).replace(" %", "");
  const models = isAccelerated(run.result);
  return h("div", { "data-run": number }, table(`Error rates, ${run.label}`, [
    { label: "rate", number: true, text: (p) => rate(p.ber), value: (p) => p.ber },
    models && { label: "model", text: (p) => p.model, value: (p) => p.model },
    n("patterns", (p) => (p.model === "bits" ? p.runs : null)),
    { label: "flips, mean", number: true, value: (p) => p.flips.mean, text: (p) => real(p.flips.mean) },
    ...shareColumns("accuracy", accuracy),
    n("worst pattern, %", (p) => p.accuracy_runs.min, bare),
    n("SDC, %", (p) => p.sdc, bare), n("DUE, %", (p) => p.due, bare),
    n("RMSE", (p) => p.rmse, real),
  ].filter(Boolean), run.result.points), guards(run));
}

// What an accelerated sweep compared with flipped bits.
function guards(run) {
  const list = run.result.guards ?? [];
  if (!list.length) return null;
  return table(`Predictions held against flipped bits, ${run.label}`, [
    { label: "rate", number: true, text: (g) => rate(g.ber), value: (g) => g.ber },
    { label: "patterns", number: true, text: (g) => count(g.patterns), value: (g) => g.patterns },
    { label: "images each", number: true, text: (g) => count(g.images), value: (g) => g.images },
    { label: "RMSE", number: true, text: (g) => real(g.measured), value: (g) => g.measured },
    { label: "predicted", number: true, text: (g) => real(g.predicted), value: (g) => g.predicted },
    { label: "ratio", number: true, text: (g) => real(g.ratio), value: (g) => g.ratio },
    { label: "interval", number: true, text: (g) => (g.ratio_ci[0] === null ? "–" : `[${g.ratio_ci.map(real).join(", ")}]`) },
    { label: "predictions", text: (g) => (g.rescaled ? "multiplied by the ratio" : "as they were") },
  ], list);
}
