// Horizontal bars with intervals, one a row: of layers, of runs.
import { h } from "./dom.js";
import { both, interval, isExact, niceTicks, percent, tick } from "./format.js";

// rows: [{label, note, share}]; share is null where nothing was observed. axis: what is shown, with
// its unit. For eyes only: the caller puts a table beside it.
export function bars(title, axis, rows) {
  const ends = rows.flatMap(({ share: s }) => (s ? [s.value, s.hi].filter(Number.isFinite) : []));
  const ticks = niceTicks(Math.max(0, ...ends), 4);
  const top = ticks.at(-1);
  const place = (x) => `${(100 * Math.min(x, top)) / top}%`;

  const lines = rows.map(({ label, note, share: s }) => {
    const track = h("div", { class: "track" });
    track.append(...ticks.map((t) => at(h("i", { class: "grid" }), { left: place(t) })));
    if (s) {
      track.append(at(h("i", { class: "bar" }), { width: place(s.value) }));
      if (!isExact(s) && s.hi >= s.lo)
        track.append(
          at(h("i", { class: "whisker" }), {
            left: place(s.lo),
            width: `calc(${place(s.hi)} - ${place(s.lo)})`,
          }),
        );
    }
    return h("div", { class: "row", title: `${label}: ${both(s)}` },
      h("div", { class: "label" }, label, note && h("small", {}, ` ${note}`)),
      track,
      h("div", { class: "value" }, s ? percent(s) : "not observed",
        s && h("small", {}, ` ${interval(s).replace(" %", "")}`)));
  });

  const scale = h("div", { class: "row scale" }, h("div"),
    h("div", { class: "track" },
      ticks.map((t) => at(h("span", {}, tick(t)), { left: place(t) }))),
    h("div"));
  return h("div", { class: "bars", role: "img", "aria-label": `${title}. The same data are in the table that follows.` },
    lines, scale, h("div", { class: "axis-title" }, axis));
}

function at(element, style) {
  Object.assign(element.style, style);
  return element;
}
