// Classes of a text as bars, and the words that were attended to.

import { answering, filled } from "./form.js";
import { element, message } from "./page.js";

const EXAMPLE = "What a lovely day.";

export function start(section, models, remember) {
  const read = (form) => ({ text: form.elements.text.value, model: form.elements.model.value });
  const view = answering(section, "classify", read, shown, remember);
  return (asked) => {
    filled(view.form, asked, EXAMPLE);
    view.send();
  };
}

function shown({ classes, words, attention }) {
  const rows = classes.slice(0, 20).map(({ label, probability }) => {
    const bar = element("span", { class: "bar" });
    bar.style.width = `calc(${probability.toFixed(4)} * min(16rem, 30vw))`;
    return element("tr", {}, element("th", { scope: "row" }, label), element("td", {}, probability.toFixed(4)), element("td", {}, bar));
  });
  const more = classes.length > rows.length ? [message(`and ${classes.length - rows.length} more classes`)] : [];
  const table = element("table", {}, element("caption", { class: "soft" }, "Probability of each class"), element("tbody", {}, ...rows));
  const seen = attention === null ? [] : [attended(words, attention)];
  return [element("div", { class: "card" }, table, ...more), ...seen];
}

function attended(words, attention) {
  const most = Math.max(...attention);
  const shown = words.map((word, i) => {
    const made = element("span", { class: "word" }, word);
    made.style.backgroundColor = `rgb(var(--surprise) / ${((0.7 * attention[i]) / most).toFixed(3)})`;
    made.title = attention[i].toFixed(4);
    return made;
  });
  return element("div", { class: "card", dir: "auto" }, message("Attention of each word"), ...shown);
}
