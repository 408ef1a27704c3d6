// The start of the page: what was analysed, the main numbers, several runs side by side.
import { bars } from "./bars.js";
import { h } from "./dom.js";
import { count, interval, isExact, percent, rate, ratio, share } from "./format.js";
import { firstDrop, hasRates, isPrediction, modelName, observed, overview, searched, targetMeaning } from "./words.js";
import { shareColumns, table } from "./table.js";

export function head(runs) {
  const warnings = runs.filter((r) => !r.complete).map((r) =>
    h("p", { class: "warning" }, h("strong", {}, "Not complete. "),
      `The run ${r.name} was not finished when this page was made; only what it had answered counts.`));
  return h("section", { id: "summary", "aria-labelledby": "summary-title" },
    h("h2", { id: "summary-title" }, "Summary"),
    warnings,
    h("p", { class: "sentence" }, overview(runs)),
    h("ul", { class: "cards" }, runs.map(card)),
    comparison(runs.filter((r) => !hasRates(r) && r.result.mvf.vf !== null)));
}

function card(run) {
  const r = run.result;
  const golden = ["fault-free accuracy", `${ratio(r.golden_correct, r.images)} of ${count(r.images)} images`];
  if (hasRates(run)) {
    const drop = firstDrop(r);
    const cost = "first error rate that costs more than 1 point of accuracy";
    const facts = isPrediction(run)
      ? [["error rates", count(r.points.length)], ["derivatives of", `${count(r.moment_images)} images`],
         ["disturbed inferences", count(r.disturbed)]]
      : rateFacts(r);
    return cardOf(run.label, drop ? rate(drop.ber) : "none tried",
      isPrediction(run) ? `${cost}, predicted` : cost, [golden, ...facts]);
  }
  const vf = share(r.mvf.vf, r.mvf.ci);
  if (r.simulations)
    return cardOf(run.label, percent(vf), "MVF, mean of the layers; the method has no interval",
      [golden, ["analysed", searched(r)], ["simulations", count(r.simulations.simulations)]]);
  return cardOf(run.label, percent(vf), vf && !isExact(vf)
    ? `MVF, ${+(100 * r.confidence).toPrecision(6)} % interval ${interval(vf)}` : "MVF, everything observed",
    [golden, ["observed", observed(r)],
     ["critical pairs", `${count(r.total.critical)} of ${count(r.total.pairs)}`]]);
}

function rateFacts(r) {
  const predicted = r.points.filter((p) => p.model !== "bits").length;
  return [["error rates tried", count(r.points.length)],
    predicted ? ["of them predicted", count(predicted)] : null,
    ["error patterns", count(r.points.reduce((n, p) => n + p.runs, 0))]].filter(Boolean);
}

function cardOf(label, number, meaning, facts) {
  return h("li", { class: "card" }, h("h3", {}, label), h("p", { class: "big" }, number),
    h("p", {}, meaning), h("dl", {}, facts.flatMap(([k, v]) => [h("dt", {}, k), h("dd", {}, v)])));
}

function comparison(runs) {
  if (runs.length < 2) return null;
  const mvf = (run) => share(run.result.mvf.vf, run.result.mvf.ci);
  return h("figure", { id: "comparison" },
    h("figcaption", {}, "Model vulnerability factor (MVF) of the runs side by side. Numbers of different targets or fault models answer different questions; runs of the same faults can be compared fault by fault with ",
      h("code", {}, "bitseer compare"), "."),
    bars("MVF of each run", "MVF: share of (fault, image) pairs with another class, %",
      runs.map((r) => ({ label: r.label, note: modelName(r), share: mvf(r) }))),
    table("MVF of the runs", [
      { label: "run", text: (r) => r.label, value: (r) => r.label },
      { label: "network", text: modelName, value: modelName },
      ...shareColumns("MVF", mvf),
      { label: "faults", number: true, value: (r) => r.result.total.faults, text: (r) => count(r.result.total.faults) },
      { label: "images", number: true, value: (r) => r.result.images, text: (r) => count(r.result.images) },
    ], runs));
}

// Layers and how many values of each kind they store, over all runs of one network.
export function network(runs) {
  const models = new Map();
  for (const run of runs.filter((r) => !hasRates(r))) {
    const { path, sha256 } = run.result.provenance.model;
    if (!models.has(sha256)) models.set(sha256, { path, sha256, runs: [] });
    models.get(sha256).runs.push(run);
  }
  if (!models.size) return null;
  return h("section", { id: "network", "aria-labelledby": "network-title" },
    h("h2", { id: "network-title" }, "The network"),
    [...models.values()].map(model));
}

function model(m) {
  // One table for each target: layers with weights and tensors are numbered apart.
  const byTarget = new Map();
  for (const run of m.runs) {
    const key = `${run.result.target}/${run.result.layers.map((l) => l.format).join()}`;
    if (!byTarget.has(key)) byTarget.set(key, run);
  }
  return [
    h("p", {}, h("strong", {}, modelName(m.runs[0])), ", SHA-256 ", h("code", { class: "hash" }, m.sha256)),
    [...byTarget.values()].map((run) => {
      const r = run.result;
      const all = r.layers.reduce((n, l) => n + Number(l.sites), 0);
      return table(`${run.label}: what can be hit (${targetMeaning(r.target)})`, [
        { label: "layer", text: (l) => String(l.index), value: (l) => l.index },
        { label: "name", text: (l) => l.name, value: (l) => l.name },
        { label: "operator", text: (l) => l.op || "–", value: (l) => l.op },
        { label: "stored as", text: (l) => l.format, value: (l) => l.format },
        { label: "values", number: true, value: (l) => Number(l.sites), text: (l) => count(l.sites) },
        { label: "share", number: true, value: (l) => Number(l.sites), text: (l) => ratio(l.sites, all) },
        { label: "possible faults", number: true, value: (l) => Number(l.population), text: (l) => count(l.population) },
      ], r.layers);
    }),
  ];
}
