// Numbers as text. A share is {value, lo, hi} in 0..1; NaN or null values were not observed.

const grouped = new Intl.NumberFormat("en-US");

// Whole numbers above 2^53 come as strings of digits and stay exact.
export function count(n) {
  if (n === null || n === undefined) return "–";
  return typeof n === "string" ? n.replace(/\B(?=(\d{3})+$)/g, ",") : grouped.format(n);
}

export const share = (value, ci) =>
  value === null || value === undefined
    ? null
    : { value, lo: ci?.[0] ?? NaN, hi: ci?.[1] ?? NaN };

export const shareOf = (estimate) => (estimate ? share(estimate.value, estimate.ci) : null);

export const isExact = (s) => s.lo === s.hi;

// Decimals of a percentage: three below 10 %, else one; more where the half-width of the interval or
// the value itself would not have two digits otherwise.
function decimals(s) {
  const twoDigits = (x) => (x > 0 ? 1 - Math.floor(Math.log10(x)) : 0);
  const value = Math.abs(100 * s.value);
  const half = 50 * (s.hi - s.lo);
  return Math.min(6, Math.max(value < 10 ? 3 : 1, twoDigits(half), twoDigits(value)));
}

const small = (x, digits) =>
  x !== 0 && Math.abs(x) < 0.5 * 10 ** -digits ? x.toExponential(1) : x.toFixed(digits);

// "1.289 %", "exact" ones with four digits.
export function percent(s) {
  return s ? `${small(100 * s.value, decimals(s))} %` : "–";
}

// Method deepvigor has values alone.
const hasInterval = (s) => !Number.isNaN(s.lo) || !Number.isNaN(s.hi);

// "[1.227, 1.352] %", or "exact"; "–" where none is known.
export function interval(s) {
  if (!s || !hasInterval(s)) return "–";
  if (isExact(s)) return "exact";
  const d = decimals(s);
  const end = (x) => (Number.isFinite(x) ? (100 * x).toFixed(d) : "–");
  return `[${end(s.lo)}, ${end(s.hi)}] %`;
}

// "1.289 % [1.227, 1.352] %" in one cell or sentence.
export function both(s) {
  if (!s || !hasInterval(s)) return percent(s);
  return `${percent(s)} ${isExact(s) ? "(exact)" : interval(s)}`;
}

// A share without an interval, of counts.
export function ratio(part, whole) {
  if (part === null || !whole) return "–";
  const x = 100 * (Number(part) / Number(whole));
  return `${x === 0 || x === 100 ? x : x < 0.01 ? x.toExponential(1) : x.toPrecision(3)} %`;
}

// Four digits, exponents where they are needed.
export function real(x) {
  if (x === null || x === undefined || Number.isNaN(x)) return "–";
  if (x === 0) return "0";
  const a = Math.abs(x);
  return a < 1e-4 || a >= 1e6 ? x.toExponential(3).replace("+", "") : String(+x.toPrecision(4));
}

// An error rate as people write it: 0, 1e-7, 3.16e-7.
export const rate = (x) =>
  x === 0 ? "0" : x.toExponential(2).replace(/\.?0+e/, "e").replace("+", "");

// Ticks 0, step, 2 step, ... to at least max; steps of 1, 2 or 5 times a power of ten.
export function niceTicks(max, about = 5) {
  if (!(max > 0)) return [0, 1];
  const raw = max / about;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= raw * (1 - 1e-9));
  const ticks = [];
  for (let i = 0; ; i++) {
    ticks.push(i * step);
    if (i * step >= max * (1 - 1e-9)) return ticks;
  }
}

// A tick of a percent axis.
export const tick = (x) => String(+(100 * x).toPrecision(6));
