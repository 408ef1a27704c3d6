// What runs did, in words.
import { baseName } from "./dom.js";
import { both, count, interval, isExact, percent, rate, share } from "./format.js";

const targets = {
  weight: ["weights", "stored weights of convolutions and dense layers"],
  bias: ["biases", "stored biases"],
  activation: ["activations", "elements of activation tensors"],
  input: ["input", "values of the image"],
  operand: ["operands", "input elements as single multiplications read them"],
  "operand-weight": ["weight operands", "weights as single multiplications read them"],
  norm: ["BatchNormalization parameters", "BatchNormalization parameters"],
  scale: ["scales", "quantisation scales"],
  "zero-point": ["zero points", "quantisation zero points"],
};

export const targetText = (target) =>
  target.split(",").map((t) => targets[t]?.[0] ?? t).join(" and ");
export const targetMeaning = (target) => targets[target]?.[1] ?? targetText(target);

export function faultText(fault) {
  const fixed = {
    bitflip: "single bit flips",
    stuck0: "single bits stuck at 0",
    stuck1: "single bits stuck at 1",
    random: "random codes",
    zero: "codes set to 0",
    "mbu:word8": "flips of all bits of a byte",
  };
  const adjacent = /^mbu:(\d+)$/.exec(fault);
  return fixed[fault] ?? (adjacent ? `flips of ${adjacent[1]} adjacent bits` : `faults ${fault}`);
}

export const methodText = (method) =>
  ({ ray: "fault rays", deepvigor: "method deepvigor" })[method] ?? "direct injection";

// What method deepvigor analyses in place of faults: "21 filters".
export const searched = (r) =>
  `${count(r.simulations.targets)} ${r.target === "weight" ? "filters" : "neurons"}`;

export const isSweep = (run) => run.result.command === "sweep";
export const isPrediction = (run) => run.result.command === "predict";

// Accuracy against bit error rate: runs that are no sample of single faults.
export const hasRates = (run) => isSweep(run) || isPrediction(run);

// How a point of such a run was obtained, in words.
export const modelText = (model) => ({
  bits: "bit level", logits: "equal noise on the logits", normal: "normal, first order",
  poisson: "flips drawn, first order", noise: "disturbed inferences",
})[model] ?? model;

// Formats of what was hit, as asked for or as the file has them.
function formats(result) {
  if (result.format) return result.format;
  const all = [...new Set((result.shares ?? result.layers ?? []).map((l) => l.format))];
  return all.length && all.length < 3 ? all.join(", ") : "as stored";
}

// A short name for each run, different for all of them.
export function nameRuns(runs) {
  for (const run of runs) {
    const format = formats(run.result);
    const fault = run.result.fault && run.result.fault !== "bitflip" ? `, ${run.result.fault}` : "";
    run.label = `${capital(targetText(run.result.target))} (${format})${fault}`;
    if (isSweep(run)) run.label += ", error rates";
    if (isPrediction(run)) run.label += ", predicted";
    if (run.result.simulations) run.label += ", method deepvigor";
  }
  const many = (key) => (run) => runs.filter((r) => r[key] === run[key]).length > 1;
  for (const run of runs.filter(many("label"))) run.full = `${run.label}, ${baseName(run.name)}`;
  for (const run of runs) run.label = run.full ?? run.label;
  runs.filter(many("label")).forEach((run) => (run.label += `, run ${runs.indexOf(run) + 1}`));
}

export const modelName = (run) => baseName(run.result.provenance.model.path) || "the network";

const confidence = (r) => `${+(100 * r.confidence).toPrecision(6)} %`;

// What the page is about, in a sentence.
export function overview(runs) {
  if (runs.length === 1) return sentence(runs[0]);
  const networks = [...new Set(runs.map(modelName))].join(", ");
  const sweeps = runs.filter(isSweep).length, predictions = runs.filter(isPrediction).length;
  const single = runs.length - sweeps - predictions;
  const some = (n, one, many) => n && `${n} ${n === 1 ? one : many}`;
  const parts = [some(single, "run of faults", "runs of faults"),
    some(sweeps, "sweep of bit error rates", "sweeps of bit error rates"),
    some(predictions, "prediction", "predictions")].filter(Boolean);
  const list = parts.length > 2 ? `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}` : parts.join(" and ");
  return `What soft errors do to ${networks}: ${list}. The main number of each:`;
}

// What a run analysed and what came of it, in a sentence.
export function sentence(run) {
  const r = run.result;
  if (hasRates(run)) return sweepSentence(run);
  const vf = share(r.mvf.vf, r.mvf.ci);
  const where = `in the ${targetText(r.target)} of ${modelName(run)}`;
  if (!vf) return `Of the ${faultText(r.fault)} ${where} none has been observed yet.`;
  const images = r.transient ? "each on one image drawn with it" : `on ${count(r.images)} images`;
  if (r.simulations)
    return (
      `By ${methodText(r.method)}, ${faultText(r.fault)} ${where} change the predicted class in ` +
      `${percent(vf)} of all cases (MVF, mean of the layers; no interval): ${searched(r)}, ${images}.`
    );
  const sure = isExact(vf)
    ? "everything was observed"
    : `${confidence(r)} confidence interval ${interval(vf)}`;
  const faults = observed(r);
  return (
    `${capital(faultText(r.fault))} ${where} change the predicted class in ${percent(vf)} of all ` +
    `cases (MVF; ${sure}): ${faults}, ${images}, by ${methodText(r.method)}.`
  );
}

// Were faults drawn with an image each?
export const byPairs = (r) => r.units === "pairs" || r.transient;

// What was observed of how much.
export function observed(r) {
  if (byPairs(r))
    return `${count(r.total.pairs)} of ${count(r.total.population)} × ${count(r.images)} (fault, image) pairs`;
  const all = r.total.faults === r.total.population;
  return `${all ? "all" : count(r.total.faults) + " of"} ${count(r.total.population)} faults`;
}

// The lowest rate at which the mean accuracy is a percentage point below the fault-free one.
export function firstDrop(r) {
  const golden = r.golden_correct / r.images;
  return r.points.find((p) => p.accuracy !== null && p.accuracy < golden - 0.01) ?? null;
}

function sweepSentence(run) {
  const r = run.result;
  const drop = firstDrop(r);
  const golden = percent({ value: r.golden_correct / r.images, lo: NaN, hi: NaN });
  return (
    `${isPrediction(run) ? "Predicted by statistical models: with" : "With"} every stored bit of the ${targetText(r.target)} of ${modelName(run)} flipping ` +
    `independently, the accuracy of ${golden} on ${count(r.images)} images ` +
    (drop
      ? `is more than one percentage point lower from the bit error rate ` +
        `${rate(drop.ber)} on (${both(share(drop.accuracy, drop.ci))} there).`
      : "stays within one percentage point at all rates tried.")
  );
}

export const capital = (s) => s.charAt(0).toUpperCase() + s.slice(1);
