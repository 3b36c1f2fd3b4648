// The phrases of sentences on a map, and which are alike.

import { answering, filled } from "./form.js";
import { element, message, picture, saveAs, savePng } from "./page.js";

const EXAMPLE = "The old man walked to the river. A young woman went to the lake. The price of oil fell by two percent. Shares of the company rose by ten percent.";

export function start(section, models, remember) {
  const read = (form) => ({ text: form.elements.text.value, model: form.elements.model.value });
  const view = answering(section, "phrases", read, shown, remember);
  return (asked) => {
    filled(view.form, asked, EXAMPLE);
    view.send();
  };
}

function shown({ phrases, variance, svg }) {
  const drawing = picture(svg);
  drawing.setAttribute("aria-label", `Map of ${phrases.length} phrases; the table says which are alike`);
  const paper = element("div", { class: "paper", tabindex: "0", role: "group", "aria-label": "Map of the phrases" }, drawing);
  const save = [
    element("button", { type: "button", onclick: () => saveAs("phrases.svg", svg, "image/svg+xml") }, "SVG"),
    element("button", { type: "button", onclick: () => savePng("phrases.png", svg) }, "PNG"),
  ];
  const told = message(`Phrases that lie near each other have vectors that are alike, by their cosine from the mean of all; the two axes keep ${Math.round(100 * variance)} % of the variance.`);
  const map = element("div", { class: "card" }, paper, told, element("div", { class: "tools" }, ...save));
  return [map, element("div", { class: "card wide", tabindex: "0", role: "group", "aria-label": "Phrases" }, table(phrases))];
}

function table(phrases) {
  const rows = phrases.map(({ text, label, near }) => {
    const others = near.map((one) => `${one.text} (${one.cosine.toFixed(2).replace("-", "−")})`).join(", ");
    return element("tr", {}, element("th", { scope: "row" }, text), element("td", {}, label), element("td", {}, others));
  });
  const head = element("tr", {}, ...["Phrase", "Label", "Nearest (cosine)"].map((text) => element("th", { scope: "col" }, text)));
  return element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
}
