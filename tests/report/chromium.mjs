// Drives Chromium by the DevTools protocol through its pipe (file descriptors 3 and 4): nothing but
// Node.js is needed. https://chromedevtools.github.io/devtools-protocol/
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const WAIT = 60_000; // ms for an answer

export async function open(program) {
  const profile = await mkdtemp(join(tmpdir(), "bitseer-report-"));
  const child = spawn(program, [
    "--headless=new", "--remote-debugging-pipe", `--user-data-dir=${profile}`, "--no-sandbox",
    "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
  ], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
  const [, , , to, from] = child.stdio;
  const waiting = new Map();
  const listeners = [];
  let last = 0, rest = "";

  from.setEncoding("utf8");
  from.on("data", (text) => {
    const parts = (rest + text).split("\0");
    rest = parts.pop();
    for (const part of parts) {
      const message = JSON.parse(part);
      if (!message.id) {
        for (const fn of listeners) fn(message.method, message.params);
        continue;
      }
      const { done, fail } = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.error) fail(new Error(message.error.message));
      else done(message.result);
    }
  });

  const call = (method, params = {}, sessionId = undefined) =>
    new Promise((done, fail) => {
      const id = ++last;
      const late = setTimeout(() => fail(new Error(`${method}: no answer`)), WAIT);
      const stop = (fn) => (x) => (clearTimeout(late), fn(x));
      waiting.set(id, { done: stop(done), fail: stop(fail) });
      to.write(JSON.stringify({ id, method, params, sessionId }) + "\0");
    });

  const { targetId } = await call("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await call("Target.attachToTarget", { targetId, flatten: true });
  const page = (method, params) => call(method, params, sessionId);
  for (const domain of ["Page", "Runtime", "Log", "Network"]) await page(`${domain}.enable`);
  return {
    page,
    on: (fn) => listeners.push(fn),
    async close() {
      const gone = new Promise((done) => child.once("exit", done));
      await call("Browser.close").catch(() => child.kill());
      await gone;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

// The value of a JavaScript expression in the page; a promise is waited for.
export async function evaluate(browser, expression) {
  const { result, exceptionDetails } = await browser.page("Runtime.evaluate",
    { expression, returnByValue: true, awaitPromise: true });
  if (exceptionDetails)
    throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return result.value;
}

// Loads a page and waits until it is there and, where scripts run, was drawn once.
export async function load(browser, url, { scripts = true } = {}) {
  const loaded = new Promise((done) => browser.on((method) => method === "Page.loadEventFired" && done()));
  await browser.page("Page.navigate", { url });
  await loaded;
  if (!scripts) return;
  await evaluate(browser, "new Promise(d => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(d))))");
}

export const resize = (browser, width, height, mobile = false) =>
  browser.page("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile });

export const media = (browser, media, scheme = "light") =>
  browser.page("Emulation.setEmulatedMedia",
    { media, features: [{ name: "prefers-color-scheme", value: scheme }] });

export async function press(browser, key) {
  const text = key === "Enter" ? "\r" : key === " " ? " " : undefined;
  const code = { Enter: 13, Tab: 9, " ": 32, ArrowRight: 39, ArrowDown: 40 }[key];
  await browser.page("Input.dispatchKeyEvent", { type: "keyDown", key, text, windowsVirtualKeyCode: code });
  await browser.page("Input.dispatchKeyEvent", { type: "keyUp", key, windowsVirtualKeyCode: code });
}
