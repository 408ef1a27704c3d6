// Reads the report's data and builds the page.
import { campaign } from "./campaign.js";
import { h } from "./dom.js";
import { head, network } from "./head.js";
import { limits, provenance } from "./notes.js";
import { protection } from "./protection.js";
import { sweeps } from "./sweeps.js";
import { hasRates, nameRuns } from "./words.js";

const data = JSON.parse(document.getElementById("data").textContent);
nameRuns(data.runs);

const sections = [
  head(data.runs),
  network(data.runs),
  ...data.runs.map((run, i) => (hasRates(run) ? null : campaign(run, i))),
  sweeps(data.runs),
  protection(data.protection),
  limits(data.runs),
  provenance(data),
].filter(Boolean);

const contents = h("nav", { "aria-label": "Contents", class: "contents" },
  h("ul", {}, sections.map((s) =>
    h("li", {}, h("a", { href: `#${s.id}` }, s.querySelector("h2").textContent)))));

document.getElementById("page").replaceChildren(contents, ...sections);
document.documentElement.classList.replace("no-script", "script");

// Short tables are opened for paper; long ones would be most of it.
const LONG = 60;
addEventListener("beforeprint", () => {
  for (const d of document.querySelectorAll("details:not([open])"))
    if (d.querySelector("tr") && d.querySelectorAll("tr").length <= LONG) {
      d.open = true;
      d.dataset.printed = "";
    }
});
addEventListener("afterprint", () => {
  for (const d of document.querySelectorAll("[data-printed]")) {
    d.open = false;
    delete d.dataset.printed;
  }
});
