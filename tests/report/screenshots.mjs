// screenshots.mjs PAGE.html FOLDER: the page as PNG, wide, on a phone, dark, and on paper, to be
// looked at.
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { evaluate, load, media, open, resize } from "./chromium.mjs";

const [, , file, folder] = process.argv;
const browser = await open(process.env.CHROMIUM ?? "/usr/bin/chromium");
for (const [name, width, medium, scheme] of [
  ["desktop", 1280, "screen", "light"], ["phone", 360, "screen", "light"],
  ["dark", 1280, "screen", "dark"], ["print", 794, "print", "light"],
]) {
  await resize(browser, width, 900, width < 500);
  await media(browser, medium, scheme);
  await load(browser, `file://${resolve(file)}`);
  if (medium === "print") await evaluate(browser, "dispatchEvent(new Event('beforeprint'))");
  const height = await evaluate(browser, "document.documentElement.scrollHeight");
  await resize(browser, width, Math.min(height, 12000), width < 500);
  await new Promise((done) => setTimeout(done, 300));
  const { data } = await browser.page("Page.captureScreenshot", { format: "png" });
  await writeFile(resolve(folder, `${name}.png`), data, "base64");
}
await browser.close();
