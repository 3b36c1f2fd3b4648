// Curves of runs, while they train.

import { runs } from "./api.js";
import { chosen } from "./form.js";
import { drawn, element, message } from "./page.js";

const EVERY = 3000; // milliseconds
const OVER = ["step", "epoch", "seconds"];
const COLOURS = ["#0b6e99", "#b35c00", "#007a5e", "#a8326e", "#6a51a3", "#8a6d00", "#c0392b", "#5f5f5f"];
const DASHES = ["", "6 3", "2 3", "10 3 2 3"];
const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT] = [760, 360, 70, 34, 12, 14];

export function start(section, remember) {
  const form = section.querySelector("form");
  const place = section.querySelector(".answer");
  let found = [];
  let seen = "";

  const show = () => place.replaceChildren(...view(found, form));
  async function look() {
    if (section.hidden) return;
    try {
      const now = await runs();
      if (JSON.stringify(now) !== seen) {
        seen = JSON.stringify(now);
        found = now;
        offer(form, found);
        show();
      }
    } catch (error) {
      seen = ""; // so that the next look shows the curves again
      place.replaceChildren(message(error.message, "error"));
    }
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    const { figure, over, logarithmic } = form.elements;
    remember({ figure: figure.value, over: over.value, logarithmic: logarithmic.checked });
    show();
  });
  setInterval(look, EVERY);
  return async (asked) => {
    await look();
    for (const name of ["figure", "over"]) chosen(form.elements[name], asked.get(name));
    form.elements.logarithmic.checked = asked.get("logarithmic") === "true";
    show();
  };
}

/** The figures that any run has, in the lists to choose from; what was chosen stays. */
function offer(form, found) {
  const names = new Set(found.flatMap((run) => run.records.flatMap(Object.keys)));
  const figures = [...names].filter((name) => !OVER.includes(name));
  for (const [select, all] of [[form.elements.figure, figures], [form.elements.over, OVER.filter((name) => names.has(name))]]) {
    const chosen = select.value;
    select.replaceChildren(...all.map((name) => element("option", { value: name }, name.replaceAll("_", " "))));
    if (all.includes(chosen)) select.value = chosen;
  }
}

function view(found, form) {
  const [figure, over] = [form.elements.figure.value, form.elements.over.value];
  const log = form.elements.logarithmic.checked;
  const curves = found.map(({ name, records }, i) => ({
    name,
    colour: COLOURS[i % COLOURS.length],
    dash: DASHES[Math.floor(i / COLOURS.length) % DASHES.length],
    points: records.filter((one) => figure in one && over in one && (!log || one[figure] > 0)).map((one) => [one[over], one[figure]]),
  }));
  const shown = curves.filter(({ points }) => points.length);
  if (!shown.length) return [message("Nothing has been measured yet; this page looks again every three seconds.")];
  const paper = element("div", { class: "paper", tabindex: "0", role: "group", "aria-label": "Curves" }, plot(shown, figure, over, log));
  return [element("div", { class: "card" }, paper), element("div", { class: "card wide", tabindex: "0", role: "group", "aria-label": "Values" }, table(shown, figure))];
}

function plot(curves, figure, over, log) {
  const scale = log ? Math.log10 : (value) => value;
  const all = curves.flatMap(({ points }) => points);
  const across = axis(all.map(([x]) => x), LEFT, WIDTH - RIGHT);
  const down = axis(all.map(([, y]) => scale(y)), HEIGHT - BOTTOM, TOP);
  const svg = drawn("svg", {
    width: WIDTH, height: HEIGHT, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "font-family": "sans-serif", "font-size": 12,
    "aria-label": `${figure.replaceAll("_", " ")} over ${over}; the last values are in the table`,
  });
  for (const tick of across.ticks) svg.append(...mark(across.at(tick), HEIGHT - BOTTOM + 16, "middle", short(tick)));
  for (const tick of down.ticks) {
    const y = down.at(tick);
    svg.append(drawn("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y, stroke: "#ddd" }));
    svg.append(...mark(LEFT - 6, y + 4, "end", short(log ? 10 ** tick : tick)));
  }
  for (const { points, colour, dash } of curves) {
    const places = points.map(([x, y]) => `${across.at(x).toFixed(1)},${down.at(scale(y)).toFixed(1)}`);
    svg.append(drawn("polyline", { points: places.join(" "), fill: "none", stroke: colour, "stroke-width": 2, "stroke-dasharray": dash }));
    const [x, y] = places.at(-1).split(",");
    svg.append(drawn("circle", { cx: x, cy: y, r: 3, fill: colour }));
  }
  return svg;
}

function mark(x, y, anchor, text) {
  return [drawn("text", { x, y, "text-anchor": anchor, fill: "#444" }, text)];
}

/** Where values lie between two places, and about five round values among them. */
function axis(values, from, to) {
  let [low, high] = [Math.min(...values), Math.max(...values)];
  if (low === high) [low, high] = [low - 0.5 * Math.abs(low || 1), high + 0.5 * Math.abs(high || 1)];
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((one) => one * power >= rough) ?? 10);
  const ticks = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high + 1e-9 * step; tick += step) ticks.push(tick);
  return { at: (value) => from + ((value - low) / (high - low)) * (to - from), ticks };
}

/** Four digits, wherever they begin. */
function short(value) {
  const rounded = Number(value.toPrecision(4));
  if (rounded && Math.abs(rounded) < 1e-4) return rounded.toExponential();
  return rounded.toLocaleString("en", { maximumSignificantDigits: 4 });
}

function table(curves, figure) {
  const head = element("tr", {}, ...["Run", "Evaluations", "Lowest", "Highest", "Last"].map((text) => element("th", { scope: "col" }, text)));
  const rows = curves.map(({ name, colour, points }) => {
    const values = points.map(([, y]) => y);
    const line = element("span", { class: "key" });
    line.style.backgroundColor = colour;
    const cells = [points.length, ...[Math.min(...values), Math.max(...values), values.at(-1)].map(short)];
    return element("tr", {}, element("th", { scope: "row" }, line, name), ...cells.map((cell) => element("td", {}, String(cell))));
  });
  return element("table", {}, element("caption", { class: "soft" }, figure.replaceAll("_", " ")), element("thead", {}, head), element("tbody", {}, ...rows));
}
