// MVF against the storage that protection adds, as bsr_protection_json tells it.
import { curve } from "./curve.js";
import { h } from "./dom.js";
import { percent, share } from "./format.js";
import { shareColumns, table } from "./table.js";
import { targetText } from "./words.js";

const bitList = (bits) =>
  bits.length === 32 ? "all bits" : `bit${bits.length === 1 ? "" : "s"} ${bits.join(", ")}`;

// Where the run leaves open which of two ends an MVF has, the worse one counts.
function point(label, overhead, mvf) {
  return { label, overhead, low: mvf.low, mvf: share(mvf.high, mvf.ci) };
}

// Without protection, and then each step of a plan, or the one that was asked for.
function points(p) {
  const { value, ci } = p.before;
  const none = point("nothing", 0, { low: value, high: value, ci });
  const steps = p.plan?.steps ?? [];
  return [none, ...(steps.length
    ? steps.map((s) => point(`${s.by} of ${bitList(s.bits)} of layer ${s.layer}`, s.overhead, s.mvf))
    : [point("as asked for", p.overhead, p.after)])];
}

export function protection(p) {
  if (!p?.before || !p.after) return null;
  const list = points(p).filter((x) => x.mvf && x.overhead !== null);
  const x = "added storage, % of the stored bits";
  const chart = curve("MVF against added storage",
    [{ label: targetText(p.target), points: list.map((s) => ({ x: 100 * s.overhead, share: s.mvf })) }],
    { label: x, log: false, text: (v) => `${+(+v).toPrecision(4)}` },
    { label: "MVF that is left, %", text: (v) => percent({ value: v / 100, lo: NaN, hi: NaN }) });
  return h("section", { id: "protection", "aria-labelledby": "protection-title" },
    h("h2", { id: "protection-title" }, "Protection"),
    h("figure", { "data-chart": "protection" },
      h("figcaption", {}, "What is left of the MVF against the storage that protection adds, read off the run. Where the run decides only that it lies between two ends, the upper one is drawn."),
      chart,
      table("Protection, step by step", [
        { label: "newly protected", text: (s) => s.label },
        { label: x, number: true, value: (s) => s.overhead, text: (s) => `${+(100 * s.overhead).toPrecision(4)}` },
        { label: "MVF at least, %", number: true, value: (s) => s.low, text: (s) => percent({ ...s.mvf, value: s.low }).replace(" %", "") },
        ...shareColumns("MVF at most", (s) => s.mvf),
      ], list)));
}
