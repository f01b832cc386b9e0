// The page: what the experiment is, the tabs with their keys, and each tab's content when it is first opened.

import { ask, element, experiment, find, say } from "/static/common.js";
import { setup as directions } from "/static/directions.js";
import { setup as interpolate } from "/static/interpolate.js";
import { setup as reconstruct } from "/static/reconstruct.js";
import { setup as samples } from "/static/samples.js";
import { setup as training } from "/static/training.js";

const SETUPS = { samples, interpolate, reconstruct, directions, training };
const tabs = [...document.querySelectorAll("[role=tab]")];
const updates = {}; // of the tabs that were opened
const upToDate = new Set();

const nameOf = (tab) => tab.id.replace("tab-", "");

function open(tab, { focus = false } = {}) {
  const name = nameOf(tab);
  for (const each of tabs) {
    const chosen = each === tab;
    each.setAttribute("aria-selected", String(chosen));
    each.tabIndex = chosen ? 0 : -1;
    find(each.getAttribute("aria-controls")).hidden = !chosen;
  }
  if (focus) tab.focus();
  history.replaceState(null, "", `#${name}`);
  updates[name] ??= SETUPS[name]();
  if (!upToDate.has(name)) {
    upToDate.add(name);
    say("");
    updates[name]();
  }
}

/** Arrows, Home and End move between tabs, as the ARIA pattern of tabs says. */
function keys(event) {
  const place = tabs.indexOf(event.target);
  const to = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: tabs.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  open(tabs.at(to % tabs.length), { focus: true });
}

const opened = () => tabs.find((tab) => nameOf(tab) === location.hash.slice(1)) ?? tabs[0];

async function start() {
  try {
    Object.assign(experiment, await (await ask("experiment")).json());
  } catch (error) {
    say(error.message);
    return;
  }
  document.title = `f-VAEs: ${experiment.experiment}`;
  find("subject").textContent = `${experiment.experiment}, ${experiment.subject} at ${experiment.size}×${experiment.size}`;
  find("run").replaceChildren(...experiment.runs.map((seed) => element("option", { textContent: seed })));
  find("run").addEventListener("input", () => {
    upToDate.clear();
    open(opened());
  });
  find("tabs").addEventListener("keydown", keys);
  for (const tab of tabs) tab.addEventListener("click", () => open(tab));
  for (const form of document.forms) form.addEventListener("submit", (event) => event.preventDefault());
  open(opened());
}

// A file that misses the place where it may be dropped must not replace the page.
for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());
start();
