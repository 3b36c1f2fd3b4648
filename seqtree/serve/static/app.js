// Which views there are, for the models that are served; the address holds the view and what was asked.

import { models, runs } from "./api.js";
import { element } from "./page.js";
import { start as parse } from "./parse.js";
import { start as phrases } from "./phrases.js";
import { start as language } from "./language.js";
import { start as inside } from "./inside.js";
import { start as tag } from "./tag.js";
import { start as classify } from "./classify.js";
import { start as tree } from "./tree.js";
import { start as translate } from "./translate.js";
import { start as scene } from "./scene.js";
import { start as curves } from "./runs.js";

const VIEWS = [
  { name: "parse", title: "Parse", operation: "parse", start: parse },
  { name: "phrases", title: "Phrases", operation: "phrases", start: phrases },
  { name: "language", title: "Language", operation: "score", start: language },
  { name: "inside", title: "Inside", operation: "inside", start: inside },
  { name: "tag", title: "Tag", operation: "tag", start: tag },
  { name: "classify", title: "Classify", operation: "classify", start: classify },
  { name: "tree", title: "Label", operation: "tree", start: tree },
  { name: "scene", title: "Scene", operation: "scene", start: scene },
  { name: "translate", title: "Translate", operation: "translate", start: translate },
];

const status = document.getElementById("status");
const begun = new Map();

function address() {
  const [name, query] = location.hash.slice(1).split("?");
  return { name, asked: new URLSearchParams(query) };
}

/** Keep what was asked in the address, so that it can be shared or reloaded, unless another view was chosen meanwhile. */
function remember(name, asked) {
  const shown = address().name;
  if (begun.has(shown) && shown !== name) return;
  const kept = Object.entries(asked).filter(([key, value]) => key === "text" || (value !== "" && value !== undefined && value !== false));
  history.replaceState(null, "", `#${name}?${new URLSearchParams(kept)}`);
}

/** A link to a view, and what shows it when its address is opened; ``own`` are the models that it has. */
function offer(view, begin, own = []) {
  begun.set(view.name, (asked) => {
    const wanted = asked.get("model");
    const lacks = own.length > 0 && wanted !== null && !own.some((model) => model.name === wanted);
    status.textContent = lacks ? `There is no model “${wanted}” here; this is ${own[0].name}.` : "";
    if (lacks) asked.set("model", own[0].name);
    begin(asked);
  });
  const link = element("a", { href: `#${view.name}`, id: `link-${view.name}` }, view.title);
  document.getElementById("views").append(element("li", {}, link));
}

function show(views) {
  const { name, asked } = address();
  const chosen = views.find((view) => view.name === name) ?? views[0];
  for (const view of views) {
    document.getElementById(`view-${view.name}`).hidden = view !== chosen;
    const link = document.getElementById(`link-${view.name}`);
    if (view === chosen) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${chosen.title} - seqtree`;
  begun.get(chosen.name)(asked);
}

async function start() {
  let served;
  let trained;
  try {
    [served, trained] = await Promise.all([models(), runs()]);
  } catch (error) {
    status.className = "error";
    status.textContent = `The service does not answer: ${error.message}`;
    return;
  }
  const views = [];
  for (const view of VIEWS) {
    const section = document.getElementById(`view-${view.name}`);
    const own = served.filter((model) => model.operations.includes(view.operation));
    if (!own.length) continue;
    views.push(view);
    section.querySelector("[name=model]").append(...own.map((model) => element("option", {}, model.name)));
    offer(view, view.start(section, own, (asked) => remember(view.name, asked)), own);
  }
  if (trained.length) {
    const view = { name: "runs", title: "Runs" };
    views.push(view);
    offer(view, curves(document.getElementById("view-runs"), (asked) => remember(view.name, asked)));
  }
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault(); // its address is that of no view
    document.getElementById("main").focus();
  });
  addEventListener("hashchange", () => show(views));
  show(views);
}

start();
