// What `predict` says beside its curve, which sweeps.js draws: the rules, where the disturbance comes
// from, layers, other storage.
import { bars } from "./bars.js";
import { details, h } from "./dom.js";
import { count, rate, ratio, real, share } from "./format.js";
import { scatter } from "./scatter.js";
import { shareColumns, table } from "./table.js";
import { modelText } from "./words.js";

const BARS = 20;
const RATES = 9; // columns of read-offs; the data have all
const CLOUDS = 5; // rates in the picture of layers
const bare = (x) => ratio(x, 1).replace(" %", "");
const n = (label, get, text = real) => ({ label, number: true, value: (p) => get(p) ?? NaN, text: (p) => text(get(p)) });
const ends = (ci) => (ci[0] === null || ci[1] === null ? "–" : `[${real(ci[0])}, ${real(ci[1])}]`);

export function prediction(run, number) {
  const r = run.result;
  return h("section", { class: "block prediction", "data-run": number },
    h("h3", {}, run.label),
    rules(run), points(run), shares(run), layers(run), readOffs(run));
}

// Neighbouring rates of one model and reason.
function rules(run) {
  const r = run.result, groups = [];
  for (const p of r.points) {
    const last = groups.at(-1);
    if (last && last.model === p.model && last.reason === p.reason) last.to = p.ber;
    else groups.push({ model: p.model, reason: p.reason, from: p.ber, to: p.ber });
  }
  const limit = (x) => (x === null || x <= 0 ? "no rate" : rate(x));
  return [
    h("p", {}, `First order holds up to the rate ${limit(r.linear_limit)}; the disturbance of the logits counts as normal from ${limit(r.normal_limit)} on. Derivatives were taken of ${count(r.moment_images)} images, and ${count(r.disturbed)} inferences were disturbed.`),
    table(`Models and the rules that chose them, ${run.label}`, [
      { label: "from rate", text: (g) => rate(g.from) },
      { label: "to rate", number: true, text: (g) => rate(g.to) },
      { label: "model", text: (g) => g.model },
      { label: "meaning", text: (g) => modelText(g.model) },
      { label: "because", text: (g) => g.reason },
    ], groups),
  ];
}

function points(run) {
  return table(`Predicted rates, ${run.label}`, [
    { label: "rate", number: true, text: (p) => rate(p.ber), value: (p) => p.ber },
    { label: "model", text: (p) => p.model, value: (p) => p.model },
    n("flips expected", (p) => p.flips),
    ...shareColumns("accuracy", (p) => share(p.accuracy, p.ci)),
    n("SDC, %", (p) => p.sdc, bare), n("DUE, %", (p) => p.due, bare),
    n("RMSE", (p) => p.rmse),
    { label: "interval", number: true, text: (p) => ends(p.rmse_ci) },
    n("excess kurtosis", (p) => p.kurtosis), n("RMSE / first order", (p) => p.linearity),
    n("accuracy by logits, %", (p) => p.logits_accuracy, bare),
  ], run.result.points);
}

function shares(run) {
  const list = run.result.shares;
  if (!list.length) return null;
  const part = (s) => share(s.share, s.ci);
  const name = (s) => `${s.index} ${s.name}`;
  const chart = bars(`Share of each stored tensor in the disturbance of the logits, ${run.label}`,
    "share of the logits' variance, to first order, %",
    list.slice(0, BARS).map((s) => ({ label: name(s), note: s.target, share: part(s) })));
  return h("figure", { "data-chart": "shares" },
    h("figcaption", {}, `Where the disturbance of the logits comes from, largest first${list.length > BARS ? `: ${BARS} of ${list.length} stored tensors` : ""}. n_eff: as many equal elements would have the same kurtosis; a small one means heavy tails.`),
    chart,
    details("Shares as a table", table(`Shares in the disturbance, ${run.label}`, [
      { label: "tensor", text: name, value: (s) => s.name },
      { label: "target", text: (s) => s.target, value: (s) => s.target },
      { label: "operator", text: (s) => s.op || "–", value: (s) => s.op },
      { label: "stored as", text: (s) => s.format, value: (s) => s.format },
      ...shareColumns("share", part),
      n("bits", (s) => s.bits, count), n("n_eff", (s) => s.n_eff), n("RMS error of one", (s) => s.rms_error),
    ], list)));
}

function layers(run) {
  const list = run.result.layers;
  if (!list.length) return null;
  const rows = list.flatMap((l) => l.rates.map((x) => ({ ...x, name: l.name, op: l.op, rms: l.rms })));
  const known = rows.filter((x) => x.predicted > 0 && x.measured > 0);
  const rates = [...new Set(known.map((x) => x.ber))].sort((a, b) => a - b);
  const series = spread(rates.length, CLOUDS).map((i) => ({
    label: `rate ${rate(rates[i])}`,
    points: known.filter((x) => x.ber === rates[i]).map((x) => ({ x: x.predicted, y: x.measured })),
  }));
  const chart = series.length && h("div", { class: "screen-only" },
    scatter(`RMSE behind every layer, predicted and measured, ${run.label}`, series,
      { label: "RMSE predicted (logarithmic)" }, { label: "RMSE measured (logarithmic)" }));
  return h("figure", { "data-chart": "layers-rmse" },
    h("figcaption", {}, "RMSE behind every layer: what the models predict, and what flipped bits do. On the dashed line both are equal."),
    chart,
    details("Layers as a table", table(`RMSE behind every layer, ${run.label}`, [
      { label: "tensor", text: (x) => x.name, value: (x) => x.name },
      { label: "operator", text: (x) => x.op || "–", value: (x) => x.op },
      { label: "rate", number: true, text: (x) => rate(x.ber), value: (x) => x.ber },
      n("predicted", (x) => x.predicted), n("measured", (x) => x.measured),
      { label: "measured / predicted", number: true, value: (x) => x.measured / x.predicted,
        text: (x) => (x.measured === null || !x.predicted ? "–" : real(x.measured / x.predicted)) },
      n("fault-free RMS", (x) => x.rms),
      n("excess kurtosis", (x) => x.kurtosis), n("expected", (x) => x.kurtosis_expected),
    ], rows)));
}

// Up to `most` of 0..n-1, evenly spread, with both ends.
const spread = (n, most) => [...Array(Math.min(n, most)).keys()]
  .map((i) => (n > 1 ? Math.floor((i * (n - 1)) / (Math.min(n, most) - 1)) : 0));

// Of protected layers, which are the first of the ranking, the first name will do.
function storage(x) {
  const names = x.kind === "protected layers" ? x.value.split(" ") : [x.value];
  return `${x.kind} ${names[0]}${names.length > 1 ? ` and ${names.length - 1} more` : ""}`.trim();
}

// Accuracy of other storage by rate, that of the network's own first.
function readOffs(run) {
  const r = run.result;
  if (!r.read_offs.length) return null;
  const rmse = r.points.map((p) => p.rmse);
  const at = rmse.findIndex((x) => x > 0);
  const rows = [{ kind: "as stored", value: "", accuracy: r.points.map((p) => p.accuracy), rmse }, ...r.read_offs];
  return table(`Accuracy with other storage, %, ${run.label}`, [
    { label: "storage", text: storage },
    { label: "RMSE ×", number: true, value: (x) => x.rmse[at], text: (x) => (at < 0 || x.rmse[at] === null ? "–" : real(x.rmse[at] / rmse[at])) },
    ...spread(r.points.length, RATES).map((i) => n(rate(r.points[i].ber), (x) => x.accuracy[i], bare)),
  ], rows);
}
