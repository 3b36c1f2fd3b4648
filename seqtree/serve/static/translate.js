// Translations of lines, and what each of their tokens attended to.

import { answering, filled } from "./form.js";
import { element, message, picture } from "./page.js";

export function start(section, models, remember) {
  const read = (form) => ({
    text: form.elements.text.value,
    beam: Number(form.elements.beam.value) || 1,
    best: Number(form.elements.best.value) || 1,
    model: form.elements.model.value,
  });
  const view = answering(section, "translate", read, shown, remember);
  return (asked) => {
    filled(view.form, asked, "");
    view.send();
  };
}

function shown(answer) {
  const some = answer.lines.filter((translations) => translations.length);
  return some.map((translations) => element("div", { class: "card" }, ...translations.flatMap(translation)));
}

function translation({ text, score, svg }) {
  const parts = [element("p", { dir: "auto" }, text), message(`score ${score.toFixed(3)}`)];
  if (!svg) return parts;
  const drawing = picture(svg);
  const paper = element("div", { class: "paper", tabindex: "0", role: "group", "aria-label": "What each token attended to" }, drawing);
  return [...parts, element("details", {}, element("summary", {}, "Attention"), paper)];
}
