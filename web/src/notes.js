// What the numbers mean and where they come from.
import { h } from "./dom.js";
import { count, real } from "./format.js";
import { capital } from "./words.js";

export function limits(runs) {
  const has = (test) => runs.some((r) => test(r.result));
  const notes = [
    ["VF", "The vulnerability factor is the share of (fault, image) pairs in which the class predicted differs from that of the fault-free network on the same image; the label plays no part. CVF, LVF and MVF are those of a channel, a layer and the network, every stored value and bit equally likely."],
    ["Not a failure rate", "A VF tells what happens once a fault is there. How often faults occur depends on the memory, the environment and the time, and is not known here."],
    ["Intervals", "Intervals are for the faults that were drawn, out of all faults of the same kind, on exactly the images given. They do not cover other images, other networks or other kinds of faults. Each has its confidence by itself, not all of them together."],
    ["Faults", "Faults change values where they are stored or read. Faults in accumulators, control logic and instructions are not among them, and faults have no place or time on a chip."],
    has((r) => r.method === "ray") && ["Rays", "Outcomes come from the rule that a larger error of the same sign is critical where a smaller one is. Exceptions are rare; where a run was checked, the section Sample counts them. Rays tell which pairs are critical alone: DUE, SDC and masked stay unknown."],
    has((r) => r.method === "deepvigor") && ["Method deepvigor", "Factors of this method are shares of a distribution of errors, by approximations of the published method (docs/theory/deepvigor.md), and have no intervals. Compare them with others, do not pool them."],
    has((r) => r.format) && ["Formats", "A format says how values are stored; arithmetic is in float32."],
    has((r) => r.command === "sweep") && ["Error rates", "Intervals of accuracies are over error patterns, of which few were tried; with large ones more patterns help."],
    has((r) => r.command === "predict" || r.guards?.length) && ["Predictions", "Statistical models stand for the flipped bits where their rules hold (docs/theory/statistical-models.md). Their intervals hold which images and which disturbances were drawn, not what a model leaves out: compare with points at bit level."],
  ].filter(Boolean);
  return h("section", { id: "limits", "aria-labelledby": "limits-title" },
    h("h2", { id: "limits-title" }, "What the numbers mean, and their limits"),
    h("dl", { class: "notes" }, notes.flatMap(([k, v]) => [h("dt", {}, k), h("dd", {}, v)])));
}

export function provenance(data) {
  return h("section", { id: "provenance", "aria-labelledby": "provenance-title" },
    h("h2", { id: "provenance-title" }, "Provenance"),
    h("p", {}, `Page made by bitseer ${data.version}.`),
    data.runs.map((run) => {
      const p = run.result.provenance, f = run.result.performance;
      const facts = [
        [run.result.command === "predict" ? "file" : "database", run.name], run.command && ["command", run.command], ["version", `bitseer ${p.version}`],
        ["model", p.model.path], ["SHA-256 of the model", p.model.sha256], ["images", p.data.spec],
        ["SHA-256 of the images", p.data.sha256], ["seed", String(p.seed)], ["specification", p.spec],
        ["complete", run.complete ? "yes" : "no"],
        ["time", `${real(f.seconds)} s on ${f.threads} threads (${[f.cpu, f.cpu_brand].filter(Boolean).join(", ")}), ${count(f.evaluations)} evaluations`],
      ].filter((x) => x && x[1] !== null && x[1] !== "");
      const code = new Set(["command", "SHA-256 of the model", "SHA-256 of the images", "specification", "model", "images", "database", "file"]);
      return [h("h3", {}, capital(run.label)), h("dl", { class: "facts" }, facts.flatMap(([k, v]) =>
        [h("dt", {}, k), h("dd", {}, code.has(k) ? h("code", {}, v) : v)]))];
    }),
    h("details", {}, h("summary", {}, "Licence of the chart library in this page"),
      h("pre", { class: "licence" }, LICENCES)));
}
