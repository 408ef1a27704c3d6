// Everything about one run of inject or analyze.
import { bars } from "./bars.js";
import { details, h, withPicture } from "./dom.js";
import { both, count, percent, ratio, real, share, shareOf } from "./format.js";
import { float32Bits, flipped } from "./float32.js";
import { heatmap } from "./heatmap.js";
import { screening } from "./screening.js";
import { shareColumns, table } from "./table.js";
import { byPairs, faultText, methodText, observed, searched, sentence } from "./words.js";

const vf = (x) => share(x.vf, x.ci);
const layerName = (l) => `${l.index} ${l.name}`;
const n = (label, get) => ({ label, number: true, value: (r) => Number(get(r) ?? NaN), text: (r) => count(get(r)) });

export function campaign(run, number) {
  const r = run.result;
  const id = `run-${number}`;
  return h("section", { id, class: "run", "aria-labelledby": `${id}-title`, "data-run": number },
    h("h2", { id: `${id}-title` }, run.label),
    h("p", {}, sentence(run)),
    layers(run, number), bits(run, number), channels(run, number), outcomes(r), worst(r), sample(r),
    screening(r));
}

function block(title, ...content) {
  return h("section", { class: "block" }, h("h3", {}, title), content);
}

function layers(run, number) {
  const r = run.result;
  const due = r.total.due !== null;
  const chart = bars(`Vulnerability of ${r.layers.length} layers, ${run.label}`,
    "LVF: share of (fault, image) pairs of the layer with another class, %",
    r.layers.map((l) => ({ label: layerName(l), note: l.op, share: vf(l) })));
  return block("Layers", h("figure", { "data-chart": "layers" },
    h("figcaption", {}, r.simulations ? "Layer vulnerability factor (LVF) by method deepvigor, which has no intervals."
      : "Layer vulnerability factor (LVF) with its interval. A bar without a whisker was observed in full."),
    withPicture(chart, number, "layers"),
    openDetails("Layers as a table", table(`Layers, ${run.label}`, [
      { label: "layer", text: (l) => String(l.index), value: (l) => l.index },
      { label: "name", text: (l) => l.name, value: (l) => l.name },
      ...shareColumns("LVF", vf),
      { label: "operator", text: (l) => l.op || "–", value: (l) => l.op },
      ...(r.simulations ? searches() : [
        n("critical", (l) => l.critical), due && n("DUE", (l) => l.due), n("pairs", (l) => l.pairs),
        ...(byPairs(r) ? [] : [n("faults observed", (l) => l.faults), n("of", (l) => l.population)]),
      ]),
    ].filter(Boolean), r.layers))));
}

// What method deepvigor spent on a layer.
function searches() {
  const part = (label, get) => ({ label, number: true,
    value: ({ simulations: s }) => get(s) / s.targets, text: ({ simulations: s }) => ratio(get(s), s.targets) });
  return [
    n("filters or neurons", (l) => l.simulations.targets), n("simulations", (l) => l.simulations.simulations),
    part("skipped", (s) => s.skipped), part("single simulation", (s) => s.single),
  ];
}

function openDetails(summary, ...content) {
  const d = details(summary, ...content);
  d.open = true;
  return d;
}

function bits(run, number) {
  const r = run.result;
  const all = r.bits.filter((b) => b.bit !== null).reverse();
  if (all.length < 2) return null;
  const cells = (list) => all.map(({ bit }) => {
    const b = list.find((x) => x.bit === bit);
    return b ? { label: `bit ${bit}`, share: vf(b) } : null;
  });
  const rows = [{ label: "all layers", cells: cells(r.bits) },
    ...r.layers.map((l) => ({ label: layerName(l), cells: cells(l.bits) }))];
  const float32 = r.layers.every((l) => l.format === "float32");
  const title = `bit position, most significant first${float32 ? " (31 sign, 30–23 exponent, 22–0 mantissa)" : ""}`;
  const chart = heatmap(`Vulnerability by bit and layer, ${run.label}`, rows,
    { title, at: (i) => String(all[i].bit) }, "log");
  const worstFirst = [...all].sort((a, b) => (b.vf ?? -1) - (a.vf ?? -1));
  const top = worstFirst[0];
  return block("Bits", h("figure", { "data-chart": "bits" },
    h("figcaption", {}, `VF of faults in one bit position, by layer. Bit ${top.bit} has the highest over all layers: ${both(vf(top))}.`),
    withPicture(h("div", {}, chart, worstBars(run, worstFirst.slice(0, WORST_BITS))), number, "bits"),
    details(`All bits as a table`, table(`Bits, ${run.label}`, [
      { label: "bit", text: (b) => String(b.bit), value: (b) => b.bit },
      ...shareColumns("VF", vf), n("critical", (b) => b.critical),
      r.total.due !== null && n("DUE", (b) => b.due), n("faults observed", (b) => b.faults),
    ].filter(Boolean), worstFirst))));
}

const WORST_BITS = 8;

function worstBars(run, list) {
  return bars(`The ${list.length} most vulnerable bits, ${run.label}`,
    `VF of the ${list.length} most vulnerable bit positions over all layers, %`,
    list.map((b) => ({ label: `bit ${b.bit}`, share: vf(b) })));
}

function channels(run, number) {
  const r = run.result;
  const with_ = r.layers.filter((l) => l.channels.length);
  if (!with_.length) return null;
  const rows = with_.map((l) => ({
    label: layerName(l),
    cells: l.channels.map((c) => ({ label: `channel ${c.index}`, share: vf(c) })),
  }));
  const flat = with_.flatMap((l) => l.channels.map((c) => ({ layer: l, ...c })));
  const chart = heatmap(`Vulnerability of ${flat.length} channels, ${run.label}`, rows,
    { title: "channel, in the order of the layer", at: (i) => String(i) }, "linear");
  return block("Channels", h("figure", { "data-chart": "channels" },
    h("figcaption", {}, `Channel vulnerability factor (CVF) of ${count(flat.length)} channels. Crossed out: nothing observed there.`),
    withPicture(chart, number, "channels"),
    lazyDetails(`All ${count(flat.length)} channels as a table`, () => table(`Channels, ${run.label}`, [
      { label: "layer", text: (c) => layerName(c.layer), value: (c) => c.layer.index },
      { label: "channel", number: true, text: (c) => String(c.index), value: (c) => c.index },
      ...shareColumns("CVF", vf),
      ...(r.simulations ? [] : [n("critical", (c) => c.critical), n("faults observed", (c) => c.faults)]),
    ], flat))));
}

// Long tables are made when they are opened, so that the page is there at once.
function lazyDetails(summary, make) {
  const d = details(summary);
  d.addEventListener("toggle", () => d.open && d.children.length === 1 && d.append(make()));
  return d;
}

const meanings = {
  critical: "another class than without the fault", sdc: "another class, all logits finite",
  due: "a logit is NaN or infinite", benign: "other logits, the same class",
  masked: "logits as without the fault, bit for bit", top5: "fault-free class not among the first five",
  accuracy: "class is the label's",
};

function outcomes(r) {
  const rows = Object.entries(r.metrics).filter(([, m]) => m);
  if (rows.length < 2) return null;
  const list = rows.map(([name, m]) => ({ name, share: shareOf(m) }));
  return block("Outcomes", table("Outcomes of (fault, image) pairs over all layers", [
    { label: "outcome", text: (o) => o.name, value: (o) => o.name },
    ...shareColumns("share", (o) => o.share),
    { label: "meaning", text: (o) => meanings[o.name] ?? "" },
  ], list), masking(r));
}

function masking(r) {
  const at = new Map();
  for (const m of r.layers.flatMap((l) => l.masked_at)) at.set(m.layer, (at.get(m.layer) ?? 0) + Number(m.pairs));
  if (!at.size || !r.total.masked) return null;
  const rows = [...at].sort((a, b) => a[0] - b[0]).map(([layer, pairs]) => ({ layer, pairs }));
  return details("Where masked faults ended", table("Layer of the network behind which the last difference vanished", [
    { label: "layer", text: (m) => (m.layer < 0 ? "before the first" : String(m.layer)), value: (m) => m.layer },
    n("pairs", (m) => m.pairs),
    { label: "share of the masked", number: true, text: (m) => ratio(m.pairs, r.total.masked) },
  ], rows));
}

// The bit of the site's layer with the highest VF.
function worstBit(layer) {
  const known = layer.bits.filter((b) => b.bit !== null && b.vf !== null);
  return known.length ? known.reduce((a, b) => (b.vf > a.vf ? b : a)) : null;
}

function worst(r) {
  if (!r.worst.length) return null;
  const byIndex = new Map(r.layers.map((l) => [l.index, l]));
  const layer = (w) => byIndex.get(w.index);
  const bit = (w) => worstBit(layer(w));
  const isFloat = r.worst.every((w) => layer(w).format === "float32") && r.fault === "bitflip" &&
    !["activation", "input", "operand"].includes(r.target);
  return block("Most critical sites", table(
    `The ${r.worst.length} most critical of the stored values observed`, [
      { label: "layer", text: (w) => `${w.index} ${w.name}`, value: (w) => w.index },
      n("element", (w) => w.element),
      r.worst.some((w) => w.pixel !== null) && n("pixel", (w) => w.pixel),
      { label: "stored value", number: true, value: (w) => w.value ?? NaN, text: (w) => real(w.value) },
      isFloat && { label: "code", text: (w) => float32Bits(w.value) },
      n("critical", (w) => w.critical), n("pairs", (w) => w.pairs),
      { label: "critical, %", number: true, value: (w) => w.critical / w.pairs, text: (w) => ratio(w.critical, w.pairs).replace(" %", "") },
      { label: "worst bit of the layer", value: (w) => bit(w)?.vf ?? NaN, text: (w) => bit(w) ? `${bit(w).bit} (${percent(vf(bit(w)))})` : "–" },
      isFloat && { label: "value with that bit flipped", text: (w) => bit(w) ? stored(flipped(w.value, bit(w).bit)) : "–" },
    ].filter(Boolean), r.worst),
    h("p", { class: "note" }, "Only observed faults count. Elements are row-major indices into the stored tensor. Values are known for the sites that the run itself listed. The worst bit is that of the whole layer, not of the site."));
}

// NaN and infinities are values here.
const stored = (x) => (x === null || Number.isFinite(x) ? real(x) : String(x));

function sample(r) {
  const total = r.strata.reduce((sum, s) => sum + Number(s.population), 0);
  const unit = total === Number(r.total.population) ? "faults"
    : r.units === "pairs" ? "stored values, each with all its faults on one image"
    : total === Number(r.total.sites) ? "stored values, each with all its faults" : "units";
  const facts = [
    r.simulations ? ["faults", `${faultText(r.fault)}; ${count(r.total.population)} possible`]
      : ["faults", `${faultText(r.fault)}; ${observed(r)} observed`],
    ["stored values", `${r.total.sampled_sites ? count(r.total.sampled_sites) + " observed of " : ""}${count(r.total.sites)}`],
    ["images", count(r.images) + (byPairs(r) ? ", one for each fault, drawn with it" : ", all for each fault")],
    r.simulations ? ["simulations", `${count(r.simulations.simulations)} of all images, for ${searched(r)}`]
      : ["(fault, image) pairs", `${count(r.total.pairs)}, of which ${count(r.total.critical)} critical`],
    ["sampling", r.sampling], ["method", methodText(r.method)],
    r.margin !== null && ["half-width asked for", `${+(100 * r.margin).toPrecision(6)} %`],
    ["confidence", `${+(100 * r.confidence).toPrecision(6)} %`],
    r.reached > 0 && ["half-width reached", `${real(100 * r.reached)} %${r.stopped ? `; stopped by the limit of ${r.stopped}` : ""}`],
    r.check.pairs > 0 && ["check of the rays", `${count(r.check.pairs)} pairs also injected directly, ${count(r.check.violations)} disagree`],
    r.rmse && ["RMSE of the logits", `${real(r.rmse.value)} [${r.rmse.ci.map(real).join(", ")}], over pairs without NaN or Inf`],
    r.format && ["stored as", `${r.format}; fault-free accuracy ${r.format_loss ? `${real(100 * r.format_loss)} points lower than as given` : "as given"}`],
  ].filter(Boolean);
  const names = new Map(r.layers.map((l) => [l.index, l.name]));
  const strata = table(`Strata; counted are ${unit}`, [
    { label: "layer", text: (s) => (s.layer === null ? "all" : `${s.layer} ${names.get(s.layer) ?? ""}`), value: (s) => s.layer ?? -1 },
    { label: "bit", number: true, text: (s) => (s.bit === null ? "all" : String(s.bit)), value: (s) => s.bit ?? -1 },
    n("population", (s) => s.population), n("planned", (s) => s.n),
    { label: "share", number: true, value: (s) => Number(s.n) / Number(s.population), text: (s) => ratio(s.n, s.population) },
    r.strata.some((s) => s.p > 0) && { label: "share of critical assumed", number: true, text: (s) => real(s.p) },
  ].filter(Boolean), r.strata);
  return block("Sample", h("dl", { class: "facts" }, facts.flatMap(([k, v]) => [h("dt", {}, k), h("dd", {}, v)])),
    r.strata.length ? details(`Strata (${count(r.strata.length)})`, strata) : null);
}
