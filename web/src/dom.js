// Elements from data. Text always goes in as text nodes, so names from files cannot become markup.

// h("td", {class: "n"}, "text", child, ...): attributes that are null or false are left out, those
// that start with "on" are listeners; children that are null or false are left out.
export function h(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) e.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false)
      e.setAttribute(name, value === true ? "" : value);
  }
  e.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return e;
}

// A colour or other custom property of the style sheet, as it is now (light, dark).
export const css = (name) =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Calls fn when what colours depend on changed.
export function onScheme(fn) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", fn);
}

// Text of a file's name without its folders.
export const baseName = (path) => (path || "").split("/").pop();

// A chart for the screen, and for paper the picture that came with the file, where there is one.
// In print a chart without a picture stays.
export function withPicture(chart, run, picture) {
  const still = document.querySelector(`#static [data-run="${run}"] [data-picture="${picture}"]`);
  if (!still) return [chart];
  chart.classList.add("screen-only");
  const copy = still.cloneNode(true);
  copy.classList.add("print-only");
  return [chart, copy];
}

export function details(summary, ...content) {
  return h("details", {}, h("summary", {}, summary), ...content);
}
