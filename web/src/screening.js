// What first-order screening left out and what direct injection found of the answers, when the result
// says so (its keys "screening" and "verification").
import { h } from "./dom.js";
import { both, count, percent, ratio, real, shareOf } from "./format.js";

export function screening(r) {
  const s = r.screening, v = r.verification;
  const facts = [
    ...(s ? [
      ["threshold", `${real(s.theta)} of each margin${s.lowered ? `, lowered in ${count(s.lowered)} layers where too much was missed` : ""}`],
      ["taken for harmless", `${count(s.skipped)} of ${count(s.pairs)} pairs (${ratio(s.skipped, s.pairs)}) without evaluation`],
      ["checked all the same", `${count(s.checked)} of these, ${count(s.missed)} were critical`],
      s.bound !== null && ["at most missed", `${percent({ value: s.bound, lo: NaN, hi: NaN })} of the answered pairs (one-sided upper bound)`],
    ] : []),
    ...(v ? [
      ["verified", `${count(v.pairs)} pairs by direct injection, ${count(v.differ)} answered otherwise`],
      v.change && ["mean change", both(shareOf(v.change))],
      v.mvf && ["MVF corrected by it", both(shareOf(v.mvf))],
    ] : []),
  ].filter(Boolean);
  if (!facts.length) return null;
  return h("section", { class: "block" }, h("h3", {}, s ? "Screening" : "Verification"),
    h("dl", { class: "facts" }, facts.flatMap(([k, text]) => [h("dt", {}, k), h("dd", {}, text)])));
}
