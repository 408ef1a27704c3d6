// Makes dist/report.html of page.html, style.css and src/: one file without references to others.
// The same sources and the same package-lock.json give the same bytes. The markers
// <!--bitseer:...--> stay; `bitseer report` fills them.
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const here = new URL("./", import.meta.url);
const read = (path) => readFile(new URL(path, here), "utf8");

const { version } = JSON.parse(await read("node_modules/uplot/package.json"));
const licence = `uPlot ${version}, https://github.com/leeoniya/uPlot\n\n${await read("node_modules/uplot/LICENSE")}`;

const bundle = async (entry, options = {}) => {
  const made = await build({
    absWorkingDir: here.pathname,
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    ...options,
  });
  return made.outputFiles[0].text.trim();
};
const style = await bundle("style.css");
const script = await bundle("src/main.js", {
  format: "iife",
  define: { LICENCES: JSON.stringify(licence) },
});
if (/<\/(script|style)|<!--/i.test(script + style)) throw new Error("the bundle would end its own element");

const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
const parts = { script, style, "script-hash": hash(script), "style-hash": hash(style) };
const page = (await read("page.html")).replace(/@([a-z-]+)@/g, (_, name) => parts[name]);
const out = new URL(process.argv[2] ? `file://${process.argv[2]}` : "dist/report.html", here);
await mkdir(new URL("./", out), { recursive: true });
await writeFile(out, page);
console.log(`${out.pathname}: ${Buffer.byteLength(page)} bytes`);
