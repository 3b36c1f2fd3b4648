// The class of every phrase of a sentence, on its tree.

import { answering, filled } from "./form.js";
import { element, message, picture, saveAs } from "./page.js";

const EXAMPLE = "It is not a good film, but a lovely one.";

export function start(section, models, remember) {
  const read = (form) => ({ text: form.elements.text.value, model: form.elements.model.value });
  const view = answering(section, "tree", read, shown, remember);
  return (asked) => {
    filled(view.form, asked, EXAMPLE);
    view.send();
  };
}

function shown(answer) {
  return answer.sentences.map((one, number) => {
    const drawing = picture(one.svg);
    drawing.setAttribute("aria-label", `Tree with labels: ${one.tree}`);
    const paper = element("div", { class: "paper", tabindex: "0", role: "group", "aria-label": "Drawing of the tree" }, drawing);
    const save = element("button", { type: "button", onclick: () => saveAs(`tree-${number + 1}.svg`, one.svg, "image/svg+xml") }, "SVG");
    const head = message(`The whole sentence: ${one.label}, probability ${one.probability.toFixed(3)}`);
    return element("div", { class: "card" }, head, paper, element("div", { class: "tools" }, save), nodes(one));
  });
}

function nodes({ words, nodes: found }) {
  const rows = found
    .filter(({ start, end }) => end - start > 1)
    .reverse()
    .map(({ start, end, label, probability }) =>
      element("tr", {}, element("td", {}, words.slice(start, end).join(" ")), element("td", {}, label), element("td", {}, probability.toFixed(3))));
  const head = element("tr", {}, ...["Phrase", "Label", "Probability"].map((text) => element("th", { scope: "col" }, text)));
  return element("details", {}, element("summary", {}, `Phrases (${rows.length})`), element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)));
}
