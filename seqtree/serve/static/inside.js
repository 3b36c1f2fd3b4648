// What one unit of a language model does over a text, and the cell of each step with its numbers.

import { answering, filled } from "./form.js";
import { element, message } from "./page.js";

const EXAMPLE = "The boat (it was old) came in.\n";
const NAMES = { i: "input gate i", f: "forget gate f", g: "candidate g", o: "output gate o", "c'": "state before c'", c: "state c", h: "output h", r: "reset gate r", z: "update gate z", n: "candidate n", "h'": "output before h'" };

export function start(section, models, remember) {
  const form = section.querySelector("form");
  const number = (name) => (form.elements[name].value === "" ? undefined : Number(form.elements[name].value));
  const read = () => ({
    text: form.elements.text.value,
    model: form.elements.model.value,
    layer: number("layer"),
    unit: number("unit"),
    feature: form.elements.feature.value,
  });
  let last = null;
  const choose = (unit) => {
    form.elements.unit.value = unit;
    view.send();
  };
  const show = (answer) => {
    last = answer;
    offer(form.elements.value, Object.keys(answer.values));
    return shown(answer, form.elements.value.value, choose);
  };
  const view = answering(section, "inside", read, show, remember);
  form.elements.value.addEventListener("input", (event) => {
    event.stopPropagation();
    if (last) view.place.replaceChildren(...show(last));
  });
  for (const name of ["model", "layer", "feature"]) {
    form.elements[name].addEventListener("input", () => { form.elements.unit.value = ""; });
  }
  return (asked) => {
    filled(form, asked, EXAMPLE);
    view.send();
  };
}

/** The values that this kind of cell has; the output h, unless another one was chosen. */
function offer(select, names) {
  const chosen = names.includes(select.value) ? select.value : "h";
  select.replaceChildren(...names.map((name) => element("option", { value: name }, NAMES[name])));
  select.value = chosen;
}

function shown(answer, name, choose) {
  const values = answer.values[name];
  const most = Math.max(...values.map(Math.abs), 1e-6);
  const cell = element("div", { class: "card" });
  const text = element("div", { class: "card text", dir: "auto" });
  const tokens = answer.tokens.map((token, t) => {
    const ends = token === "\n" || token === "</s>";
    const made = element("button", { type: "button", class: "token" }, ends ? "⏎\n" : token);
    const colour = values[t] < 0 ? "--below" : "--above";
    made.style.backgroundColor = `rgb(var(${colour}) / ${((0.75 * Math.abs(values[t])) / most).toFixed(3)})`;
    made.title = `${name} ${signed(values[t])}`;
    made.addEventListener("click", () => go(t));
    return made;
  });
  const words = answer.tokens.some((token) => [...token].length > 1);
  tokens.forEach((token, t) => text.append(...(t && words ? [" "] : []), token));
  const go = (t) => {
    tokens.forEach((token, i) => token.setAttribute("aria-pressed", i === t));
    cell.replaceChildren(...step(answer, t, go));
  };
  go(answer.tokens.length - 1);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const told = `Unit ${answer.unit} (of ${answer.units}, from 0 on) in layer ${answer.layer} (of ${answer.layers}), ${NAMES[name]}: from ${signed(low)} to ${signed(high)}.`;
  const key = element("p", { class: "legend" }, element("span", { class: "above" }, "above 0"), element("span", { class: "below" }, "below 0"));
  const units = element("div", { class: "card" }, ...ranking(answer, choose));
  return [text, message(told), key, element("div", { class: "side" }, cell, units)];
}

/** The cell of one step: its gates, and the formulas of chapter 6 with these numbers in them. */
function step(answer, t, go) {
  const at = Object.fromEntries(Object.entries(answer.values).map(([name, values]) => [name, values[t]]));
  const gates = Object.keys(at).filter((name) => !["c", "h"].includes(name));
  const rows = gates.map((name) => element("tr", {}, element("th", { scope: "row" }, NAMES[name]), element("td", {}, signed(at[name]))));
  const button = (by, text) => {
    const made = element("button", { type: "button" }, text);
    made.disabled = !(t + by in answer.tokens);
    made.addEventListener("click", () => go(t + by));
    return made;
  };
  const token = { "\n": "⏎", "</s>": "⏎", " ": "␣" }[answer.tokens[t]] ?? answer.tokens[t];
  return [
    element("h3", {}, `After “${token}”, token ${t + 1} of ${answer.tokens.length}`),
    element("div", { class: "tools" }, button(-1, "Back"), button(1, "Step")),
    element("table", {}, element("tbody", {}, ...rows)),
    element("pre", { role: "status" }, FORMULAS[answer.cell](at).join("\n")),
  ];
}

const signed = (value) => value.toFixed(3).replace("-", "−");
const n = (value) => (value < 0 ? `(${signed(value)})` : signed(value));
const FORMULAS = {
  lstm: ({ i, f, g, o, "c'": before, c, h }) => [
    `c = f c' + i g = ${n(f)} · ${n(before)} + ${n(i)} · ${n(g)} = ${signed(c)}`,
    `h = o tanh(c) = ${n(o)} · ${n(Math.tanh(c))} = ${signed(h)}`,
  ],
  gru: ({ z, n: candidate, "h'": before, h }) => [
    `h = (1 − z) n + z h' = ${n(1 - z)} · ${n(candidate)} + ${n(z)} · ${n(before)} = ${signed(h)}`,
  ],
  rnn: ({ h }) => [`h = f(U x + W h' + b) = ${signed(h)}`],
};

function ranking({ following, tokens }, choose) {
  if (!following.length) {
    return [message(`In these ${tokens.length} tokens there is nothing of that kind, or it is everywhere, so no unit goes with it: another text or another choice shows more.`)];
  }
  const rows = following.map(({ unit, correlation }) => {
    const link = element("button", { type: "button" }, `Unit ${unit}`);
    link.addEventListener("click", () => choose(unit));
    const bar = element("span", { class: correlation < 0 ? "bar below" : "bar above" });
    bar.style.width = `calc(${Math.abs(correlation).toFixed(4)} * min(12rem, 30vw))`;
    return element("tr", {}, element("td", {}, link), element("td", {}, signed(correlation)), element("td", {}, bar));
  });
  const head = element("tr", {}, element("th", { scope: "col" }, "Unit"), element("th", { scope: "col" }, "Correlation"), element("td"));
  return [element("table", {}, element("caption", { class: "soft" }, "Units of this layer whose output goes with it most closely"), element("thead", {}, head), element("tbody", {}, ...rows))];
}
