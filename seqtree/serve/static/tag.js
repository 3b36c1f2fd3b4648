// Tags of words.

import { answering, filled } from "./form.js";
import { element, message } from "./page.js";

const SURE = 0.8; // below this probability, a tag has a dashed frame
const EXAMPLE = "The cat sat on the mat.";

export function start(section, models, remember) {
  const read = (form) => ({ text: form.elements.text.value, model: form.elements.model.value });
  const view = answering(section, "tag", read, shown, remember);
  return (asked) => {
    filled(view.form, asked, EXAMPLE);
    view.send();
  };
}

function shown(answer) {
  return answer.sentences.map(({ words, tags, probabilities, intent }) => {
    const cells = words.map((word, i) => {
      const kind = probabilities[i] < SURE ? "word unsure" : "word";
      const made = element("span", { class: kind }, word, element("small", {}, tags[i]));
      made.title = `probability ${probabilities[i].toFixed(3)}`;
      return made;
    });
    const head = intent === null ? [] : [message(`Intent: ${intent}`)];
    return element("div", { class: "card", dir: "auto" }, ...head, ...cells);
  });
}
