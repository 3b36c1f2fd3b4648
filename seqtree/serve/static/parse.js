// Trees of sentences: drawn, side by side, and merge by merge.

import { answering, filled } from "./form.js";
import { copy, element, message, picture, savePng, saveAs } from "./page.js";
import { merging } from "./merges.js";

const EXAMPLE = "The cat that chased the mouse sat on the mat.";

export function start(section, models, remember) {
  const read = (form) => ({
    text: form.elements.text.value,
    k: Number(form.elements.k.value) || 1,
    tokenized: form.elements.tokenized.checked,
    model: form.elements.model.value,
  });
  const view = answering(section, "parse", read, shown, remember);
  return (asked) => {
    filled(view.form, asked, EXAMPLE);
    view.send();
  };
}

function shown(answer) {
  return answer.sentences.flatMap((sentence, number) => {
    const [best, ...others] = sentence.trees;
    if (!best) return [];
    const trees = sentence.trees.map((tree, rank) => treeCard(tree, best, rank, sentence.trees.length, number));
    return [element("div", { class: "card" }, element("div", { class: "side" }, ...trees), merging(best))];
  });
}

function treeCard(tree, best, rank, count, number) {
  const head = count > 1 ? [element("h3", {}, `${rank + 1} of ${count}${chance(tree)}`)] : [];
  const drawing = picture(tree.svg);
  drawing.setAttribute("aria-label", `Tree: ${tree.tree}`);
  const name = `tree-${number + 1}-${rank + 1}`;
  const brackets = element("pre", { hidden: true }, tree.tree);
  const tools = element(
    "div",
    { class: "tools" },
    button("Brackets", (event) => {
      brackets.hidden = !brackets.hidden;
      event.currentTarget.setAttribute("aria-expanded", String(!brackets.hidden));
    }),
    button("Copy brackets", (event) => copy(event.currentTarget, tree.tree)),
    button("SVG", () => saveAs(`${name}.svg`, tree.svg, "image/svg+xml")),
    button("PNG", () => savePng(`${name}.png`, tree.svg)),
    button("JSON", () => saveAs(`${name}.json`, JSON.stringify({ ...tree, svg: undefined }, null, 1), "application/json")),
  );
  const paper = element("div", { class: "paper", tabindex: "0", role: "group", "aria-label": "Drawing of the tree" }, drawing);
  return element("div", {}, ...head, paper, tools, brackets, ...difference(tree, best));
}

function button(text, onclick) {
  return element("button", { type: "button", onclick }, text);
}

function chance(tree) {
  return tree.log_probability === null ? "" : `, probability ${Math.exp(tree.log_probability).toPrecision(3)}`;
}

/** The constituents in which two trees differ, in words. */
function difference(tree, best) {
  if (tree === best) return [];
  const own = missing(tree, best).map((text) => element("li", {}, element("strong", {}, "here: "), text));
  const others = missing(best, tree).map((text) => element("li", {}, element("strong", {}, "in the first: "), text));
  return [message("Where it differs from the first:"), element("ul", {}, ...own, ...others)];
}

/** The constituents of one tree that another does not have. */
function missing(tree, other) {
  const known = new Map();
  const key = (one) => `${one.label} ${one.start} ${one.end}`;
  for (const one of other.constituents) known.set(key(one), 1 + (known.get(key(one)) ?? 0));
  const found = [];
  for (const one of tree.constituents) {
    const left = known.get(key(one)) ?? 0;
    if (left) known.set(key(one), left - 1);
    else found.push(`${one.label} “${tree.words.slice(one.start, one.end).join(" ")}”`);
  }
  tree.tags.forEach((tag, i) => {
    if (tag !== other.tags[i]) found.push(`${tag} “${tree.words[i]}”`);
  });
  return found;
}
