// Surprisal as colour, what could come next, and sampling that streams.

import { ask, stream } from "./api.js";
import { answering, filled } from "./form.js";
import { element, message } from "./page.js";

const EXAMPLE = "The boat ";
const BLANK = "____";
const MOST = 12; // bits: the strongest colour

export function start(section, models, remember) {
  const form = section.querySelector("form");
  const read = () => ({ text: form.elements.text.value, model: form.elements.model.value });
  const model = () => models.find((one) => one.name === form.elements.model.value);
  const blank = (request) => request.text.includes(BLANK) && model().operations.includes("fill");
  const view = answering(
    section,
    (request) => (blank(request) ? "fill" : "score"),
    read,
    (answer, request) => (blank(request) ? filling(answer) : surprisals(answer, request, model())),
    remember,
  );
  const chosen = () => { form.elements.sample.disabled = !model().operations.includes("sample"); };
  form.elements.model.addEventListener("change", chosen);
  const { place } = view;
  const stop = form.elements.stop;
  let sampling = null;

  for (const name of ["temperature", "top_p"]) {
    const shown = () => { form.elements[`${name}-shown`].value = Number(form.elements[name].value).toFixed(2); };
    form.elements[name].addEventListener("input", shown);
  }
  for (const field of form.querySelectorAll("fieldset input")) field.addEventListener("input", (event) => event.stopPropagation());

  form.addEventListener("input", () => sampling?.abort());

  form.elements.sample.addEventListener("click", async () => {
    view.quit();
    sampling?.abort();
    sampling = new AbortController();
    const { signal } = sampling;
    const text = element("span", { class: "sampled" });
    place.replaceChildren(element("div", { class: "card text", dir: "auto" }, form.elements.text.value, text));
    stop.disabled = false;
    try {
      for await (const part of stream("sample", { ...read(), ...sampled(form) }, signal)) text.append(part);
    } catch (error) {
      if (!signal.aborted) place.append(message(error.message, "error"));
    }
    if (sampling?.signal === signal) stop.disabled = true;
    const { passages } = await copies(form.elements.text.value + text.textContent, model());
    text.replaceChildren(...underlined(text.textContent, passages));
    text.after(...copied(passages));
  });
  stop.addEventListener("click", () => sampling?.abort());

  return (asked) => {
    filled(form, asked, EXAMPLE);
    chosen();
    view.send();
  };
}

/** Which tokens of a text, and which passages, stand in the training text; nothing where that is not known. */
async function copies(text, model) {
  if (!model.operations.includes("copies") || !text) return { copied: [], passages: [] };
  try {
    return await ask("copies", { text, model: model.name });
  } catch {
    return { copied: [], passages: [] };
  }
}

/** A text in which the passages are underlined. */
function underlined(text, passages) {
  const found = [];
  let place = 0;
  for (const passage of passages) {
    const begin = text.indexOf(passage, place);
    if (begin < 0) continue;
    found.push(text.slice(place, begin), element("u", { class: "copied" }, passage));
    place = begin + passage.length;
  }
  return [...found, text.slice(place)];
}

function copied(passages) {
  if (!passages.length) return [];
  return [message(`Underlined: word for word in the training text, ${passages.length === 1 ? "one passage" : `${passages.length} passages`} of at least 32 characters or 6 words.`)];
}

function sampled(form) {
  const number = (name) => (form.elements[name].value === "" ? null : Number(form.elements[name].value));
  const before = form.elements.stop_text.value;
  return {
    length: number("tokens") ?? 300,
    temperature: number("temperature"),
    top_k: number("top_k"),
    top_p: number("top_p") === 1 ? null : number("top_p"),
    seed: number("seed"),
    stop: before ? [before] : [],
  };
}

function filling({ tokens }) {
  return [element("div", { class: "card" }, table(tokens, `What fills the blank ${BLANK}`))];
}

function surprisals(answer, request, model) {
  const words = model.unit === "word";
  const details = element("div", { class: "card", "aria-live": "polite" }, message("Choose a token to see what the model expected there."));
  const text = element("div", { class: "card text", dir: "auto" });
  let before = "";
  for (const one of answer.tokens) {
    const ends = one.token === "\n" || one.token === "</s>";
    const space = words && before && !before.endsWith("\n") ? " " : "";
    const context = before;
    before += ends ? "\n" : space + one.token;
    const token = element("button", { type: "button", class: one.unknown ? "token unknown" : "token" }, ends ? "⏎\n" : space + one.token);
    token.style.backgroundColor = `rgb(var(--surprise) / ${Math.min(0.85, one.surprisal / MOST).toFixed(3)})`;
    token.title = `${one.surprisal.toFixed(2)} bits${one.unknown ? ", unknown" : ""}`;
    token.addEventListener("click", () => expected(details, one, context, request, model));
    text.append(token);
  }
  copies(request.text, model).then((found) => {
    [...text.children].forEach((token, i) => token.classList.toggle("copied", found.copied[i] === true));
    text.after(...copied(found.passages));
  });
  const perplexity = answer.perplexity === null ? "" : `, perplexity ${answer.perplexity.toFixed(2)}`;
  const unit = words ? "tokens" : "characters";
  return [
    text,
    message(`${answer.tokens.length} ${unit}, ${answer.bits.toFixed(1)} bits${perplexity}. The stronger the colour, the more surprising: at most ${MOST} bits.`),
    details,
  ];
}

async function expected(place, one, context, request, model) {
  place.replaceChildren(element("h3", {}, `“${visible(one.token)}”: ${one.surprisal.toFixed(2)} bits`));
  if (!model.operations.includes("next")) return;
  try {
    const { tokens } = await ask("next", { text: context, model: request.model, k: 10 });
    place.append(table(tokens, "What the model expected here"));
  } catch (error) {
    place.append(message(error.message, "error"));
  }
}

function table(tokens, title) {
  const rows = tokens.map(({ token, probability }) => {
    const bar = element("span", { class: "bar" });
    bar.style.width = `calc(${probability.toFixed(4)} * min(12rem, 30vw))`;
    return element("tr", {}, element("td", {}, visible(token)), element("td", {}, probability.toFixed(4)), element("td", {}, bar));
  });
  const head = element("tr", {}, ...["Token", "Probability", ""].map((text) => (text ? element("th", { scope: "col" }, text) : element("td"))));
  return element("table", {}, element("caption", { class: "soft" }, title), element("thead", {}, head), element("tbody", {}, ...rows));
}

function visible(token) {
  return { "\n": "⏎", "</s>": "⏎", " ": "␣" }[token] ?? token;
}
