// Tables whose columns can be sorted with buttons in their headings.
import { h } from "./dom.js";
import { interval, percent } from "./format.js";

// A column is {label, text(row), value(row)?, number?}: value is what is sorted by; without it the
// column is not sortable. The first column is the heading of its row.
export function table(caption, columns, rows, { sortable = rows.length > 1 } = {}) {
  const body = h("tbody");
  const heads = columns.map((c, i) => head(c, sortable && c.value, (e) => sort(i, e)));
  fill(rows);

  function fill(list) {
    body.replaceChildren(
      ...list.map((row) =>
        h("tr", {}, columns.map((c, i) =>
          h(i ? "td" : "th", { scope: i ? null : "row", class: c.number ? "number" : null },
            c.text(row)))),
      ),
    );
  }

  // First press: largest first for numbers, A to Z for text; next press: the other way round.
  function sort(i) {
    const th = heads[i];
    const up = th.getAttribute("aria-sort")
      ? th.getAttribute("aria-sort") === "descending"
      : !columns[i].number;
    for (const other of heads) other.removeAttribute("aria-sort");
    th.setAttribute("aria-sort", up ? "ascending" : "descending");
    fill([...rows].sort((a, b) => compare(columns[i].value(a), columns[i].value(b), up)));
  }

  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    h("table", {}, h("caption", {}, caption), h("thead", {}, h("tr", {}, heads)), body));
}

function head(column, sortable, onsort) {
  const content = sortable
    ? h("button", { type: "button", onclick: onsort }, column.label)
    : column.label;
  return h("th", { scope: "col", class: column.number ? "number" : null }, content);
}

// What is not known comes last either way.
function compare(a, b, up) {
  const unknown = (x) => x === null || x === undefined || Number.isNaN(x);
  if (unknown(a) || unknown(b)) return unknown(a) - unknown(b);
  const order = typeof a === "string" ? a.localeCompare(b, "en", { numeric: true }) : a - b;
  return up ? order : -order;
}

const bare = (text) => text.replace(" %", "");

// Columns of a share: its value, and its interval.
export function shareColumns(label, get) {
  return [
    { label: `${label}, %`, number: true, value: (r) => get(r)?.value, text: (r) => bare(percent(get(r))) },
    { label: "interval, %", number: true, text: (r) => bare(interval(get(r))) },
  ];
}
