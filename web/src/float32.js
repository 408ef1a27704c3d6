// IEEE 754 single precision codes of stored values.
const view = new DataView(new ArrayBuffer(4));

const code = (x) => (view.setFloat32(0, x), view.getUint32(0));

// "0xbf518c88"; "–" where the value is not known.
export const float32Bits = (x) =>
  x === null || x === undefined ? "–" : `0x${code(x).toString(16).padStart(8, "0")}`;

// The value after one bit of its code was flipped; null where it is not known.
export function flipped(x, bit) {
  if (x === null || x === undefined) return null;
  view.setUint32(0, (code(x) ^ (1 << bit)) >>> 0);
  return view.getFloat32(0);
}
