// Accuracy against bit error rate, all sweeps in one picture.
import { curve } from "./curve.js";
import { h, withPicture } from "./dom.js";
import { count, rate, ratio, real, share } from "./format.js";
import { shareColumns, table } from "./table.js";
import { isSweep, sentence } from "./words.js";

const accuracy = (p) => share(p.accuracy, p.ci);

export function sweeps(runs) {
  const list = runs.map((run, number) => ({ run, number })).filter(({ run }) => isSweep(run));
  if (!list.length) return null;
  const golden = [...new Set(list.map(({ run: { result: r } }) => r.golden_correct / r.images))];
  const series = list.map(({ run }) => ({
    label: run.label,
    points: run.result.points.filter((p) => p.ber > 0 && p.accuracy !== null).map((p) => ({ x: p.ber, share: accuracy(p) })),
  })).filter((s) => s.points.length);
  const chart = series.length
    ? curve("Accuracy against bit error rate", series,
        { label: "bit error rate (logarithmic)", short: "rate", log: true, text: rate },
        { label: "accuracy, %", text: (v) => `${(+v).toFixed(2)} %` },
        golden.map((y, i) => ({ y, label: i === 0 ? "without faults" : "" })))
    : null;
  const pictures = chart ? list.flatMap(({ number }) => withPicture(chart, number, "sweep").slice(1)) : [];
  return h("section", { id: "sweeps", "aria-labelledby": "sweeps-title" },
    h("h2", { id: "sweeps-title" }, "Accuracy against bit error rate"),
    list.map(({ run }) => h("p", {}, sentence(run))),
    chart && h("figure", { "data-chart": "sweep" },
      h("figcaption", {}, "Mean accuracy over error patterns with its interval; each stored bit flips with the rate given. ",
        h("span", { class: "screen-only" }, "Drag to zoom, double click to see all. ")),
      chart, pictures),
    list.map(({ run, number }) => rates(run, number)));
}

function rates(run, number) {
  const n = (label, get, text = count) => ({ label, number: true, value: (p) => get(p) ?? NaN, text: (p) => text(get(p)) });
  const bare = (x) => ratio(x, 1).replace(" %", "");
  return h("div", { "data-run": number }, table(`Error rates, ${run.label}`, [
    { label: "rate", number: true, text: (p) => rate(p.ber), value: (p) => p.ber },
    n("patterns", (p) => p.runs),
    { label: "flips, mean", number: true, value: (p) => p.flips.mean, text: (p) => real(p.flips.mean) },
    ...shareColumns("accuracy", accuracy),
    n("worst pattern, %", (p) => p.accuracy_runs.min, bare),
    n("SDC, %", (p) => p.sdc, bare), n("DUE, %", (p) => p.due, bare),
    n("RMSE", (p) => p.rmse, real),
  ], run.result.points));
}
