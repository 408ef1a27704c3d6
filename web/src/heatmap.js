// A grid of shares: layers by channels, layers by bits. Drawn on a canvas because networks have
// thousands of channels; a cursor, moved by mouse, finger or arrow keys, reads single cells.
import { css, h, onScheme } from "./dom.js";
import { both, tick } from "./format.js";

const ROW = 18;

// rows: [{label, cells: [{label, share} or null]}]. columns: {title, at(i): label}. scale: "linear"
// or "log", whose lower end is a ten-thousandth of the greatest. Zero has a colour of its own, cells
// without data are crossed out.
export function heatmap(title, rows, columns, scale) {
  const shares = rows.flatMap((r) => r.cells.flatMap((c) => (c?.share ? [c.share.value] : [])));
  const max = Math.max(0, ...shares);
  const width = Math.max(1, ...rows.map((r) => r.cells.length));
  const level = (x) =>
    x <= 0 || !max ? 0
    : scale === "log" ? Math.min(1, Math.max(0.02, 1 + Math.log10(x / max) / 4)) : x / max;

  const canvas = h("canvas", {
    tabindex: 0, role: "img",
    "aria-label": `${title}. Arrow keys read single cells; the same data are in the table that follows.`,
  });
  const readout = h("output", { class: "readout", "aria-live": "polite" }, "Point at a cell to read it.");
  const names = h("div", { class: "heat-names", "aria-hidden": "true" },
    rows.map((r) => h("div", { title: r.label }, r.label)));
  const box = h("div", { class: "heat" }, names, h("div", { class: "heat-scroll" }, canvas));
  const cursor = { row: -1, column: -1 };
  let cell = 0;

  function draw() {
    const room = canvas.parentElement.clientWidth;
    if (!room) return;
    cell = Math.max(4, Math.min(28, Math.floor(room / width)));
    const ratio = window.devicePixelRatio || 1;
    const w = cell * width, height = ROW * rows.length;
    canvas.style.width = `${w}px`;
    canvas.style.height = `${height + 16}px`;
    canvas.width = w * ratio;
    canvas.height = (height + 16) * ratio;
    const c = canvas.getContext("2d");
    c.scale(ratio, ratio);
    const gap = cell > 6 ? 1 : 0;
    const colours = palette(), panel = css("--panel"), line = css("--line");
    rows.forEach((row, y) => row.cells.forEach((item, x) => {
      if (!item) return;
      const s = item.share;
      c.fillStyle = s ? colours(level(s.value)) : panel;
      c.fillRect(x * cell, y * ROW, cell - gap, ROW - 1);
      if (!s) cross(c, x * cell, y * ROW, cell - gap, ROW - 1, line);
      else if (s.value <= 0) outline(c, x * cell, y * ROW, cell - gap, ROW - 1, line);
    }));
    c.fillStyle = css("--muted");
    c.font = "11px system-ui, sans-serif";
    const step = Math.max(1, Math.ceil(30 / cell));
    for (let x = 0; x < width; x++)
      if (columns.mark ? columns.mark(x, step) : x % step === 0)
        c.fillText(columns.at(x), x * cell, height + 12);
    if (cursor.row >= 0) {
      c.strokeStyle = css("--ink");
      c.lineWidth = 2;
      c.strokeRect(cursor.column * cell, cursor.row * ROW, cell - gap, ROW - 1);
    }
  }

  function read(row, column) {
    row = Math.min(rows.length - 1, Math.max(0, row));
    column = Math.min(rows[row].cells.length - 1, Math.max(0, column));
    Object.assign(cursor, { row, column });
    const item = rows[row].cells[column];
    readout.textContent = item
      ? `${rows[row].label}, ${item.label}: ${item.share ? both(item.share) : "not observed"}`
      : `${rows[row].label}: –`;
    draw();
  }

  const point = (e) => read(Math.floor(e.offsetY / ROW), Math.floor(e.offsetX / cell));
  canvas.addEventListener("pointermove", point);
  canvas.addEventListener("pointerdown", point);
  canvas.addEventListener("keydown", (e) => {
    const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[e.key];
    if (!move) return;
    e.preventDefault();
    read(cursor.row < 0 ? 0 : cursor.row + move[0], cursor.row < 0 ? 0 : cursor.column + move[1]);
  });
  new ResizeObserver(draw).observe(box);
  onScheme(draw);
  return h("div", { class: "heatmap" }, box,
    h("div", { class: "axis-title" }, columns.title), legend(max, scale), readout);
}

function outline(c, x, y, w, height, colour) {
  c.strokeStyle = colour;
  c.lineWidth = 1;
  c.strokeRect(x + 0.5, y + 0.5, w - 1, height - 1);
}

function cross(c, x, y, w, height, colour) {
  c.strokeStyle = colour;
  c.beginPath();
  c.moveTo(x, y);
  c.lineTo(x + w, y + height);
  c.moveTo(x + w, y);
  c.lineTo(x, y + height);
  c.stroke();
}

// Lightness alone orders the colours, so that they hold in grey.
function palette() {
  const none = css("--heat-none");
  const stops = [0, 1, 2, 3, 4].map((i) => css(`--heat-${i}`).match(/[0-9a-f]{2}/gi).map((v) => parseInt(v, 16)));
  return (level) => {
    if (level <= 0) return none;
    const at = Math.min(3.999, level * 4);
    const [a, b] = [stops[Math.floor(at)], stops[Math.floor(at) + 1]];
    return `rgb(${a.map((v, i) => Math.round(v + (b[i] - v) * (at % 1))).join(",")})`;
  };
}

function legend(max, scale) {
  const low = scale === "log" ? max / 1e4 : 0;
  return h("div", { class: "legend" },
    h("span", {}, h("i", { class: "swatch none" }), " 0"),
    h("span", {}, `${scale === "log" ? "≤ " : ""}${tick(+low.toPrecision(2))} % `, h("i", { class: "swatch ramp" }),
      ` ${tick(+max.toPrecision(3))} %${scale === "log" ? " (logarithmic)" : ""}`));
}
