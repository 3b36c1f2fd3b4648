// The merges of a greedy parse one by one, as chapter 7 draws them: to play, to step, to scrub.

import { drawn, element } from "./page.js";

const LEVEL = 40;
const GAP = 22;

export function merging(tree) {
  const steps = tree.merges.length;
  const place = element("div", { class: "paper", tabindex: "0", role: "group", "aria-label": "Drawing of the merges" });
  const told = element("p", { class: "soft told", role: "status" });
  const scrubber = element("input", { type: "range", min: 0, max: steps, value: steps, "aria-label": "Merge" });
  const play = element("button", { type: "button" }, "Play");
  let timer = null;

  function go(step) {
    scrubber.value = step;
    place.replaceChildren(drawing(tree, step));
    told.textContent = describe(tree, step);
  }
  function halt() {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  }
  play.addEventListener("click", () => {
    if (timer) {
      halt();
      return;
    }
    if (Number(scrubber.value) >= steps) go(0);
    play.textContent = "Pause";
    timer = setInterval(() => {
      if (!place.isConnected || Number(scrubber.value) >= steps) halt();
      else go(Number(scrubber.value) + 1);
    }, 900);
  });
  scrubber.addEventListener("input", (event) => {
    event.stopPropagation();
    go(Number(scrubber.value));
  });
  const step = (by, text) => {
    const made = element("button", { type: "button" }, text);
    made.addEventListener("click", () => go(Math.max(0, Math.min(steps, Number(scrubber.value) + by))));
    return made;
  };
  const details = element("details", {}, element("summary", {}, `Merge by merge (${steps})`));
  details.append(
    element("div", { class: "tools" }, step(-1, "Back"), play, step(1, "Step"), scrubber),
    place,
    told,
  );
  details.addEventListener("toggle", () => (details.open ? go(steps) : halt()));
  return details;
}

function describe(tree, step) {
  if (!step) return `${tree.words.length} words, nothing merged yet.`;
  const { start, split, end, score, margin, label } = tree.merges[step - 1];
  const words = (from, to) => tree.words.slice(from, to).join(" ");
  const by = margin === null ? "the only one possible" : `${margin.toFixed(2)} ahead of the next`;
  const named = label ? `, a ${label}` : "";
  return `Merge ${step}: “${words(start, split)}” and “${words(split, end)}”${named}; score ${score.toFixed(2)}, ${by}.`;
}

function drawing(tree, step) {
  const widths = tree.words.map((word) => 9 * [...word].length + GAP);
  const total = widths.reduce((sum, width) => sum + width, 0);
  let left = 0;
  const parts = tree.words.map((word, i) => {
    const middle = left + widths[i] / 2;
    left += widths[i];
    return { start: i, x: middle, height: 0 };
  });
  const at = new Map(parts.map((part) => [part.start, part]));
  const lines = [];
  const dots = [];
  let highest = 0;
  tree.merges.slice(0, step).forEach((merge, i) => {
    const [a, b] = [at.get(merge.start), at.get(merge.split)];
    const made = { start: merge.start, x: (a.x + b.x) / 2, height: 1 + Math.max(a.height, b.height) };
    highest = Math.max(highest, made.height);
    at.delete(merge.split);
    at.set(merge.start, made);
    const last = i === step - 1;
    for (const part of [a, b]) lines.push({ made, part, last });
    dots.push({ ...made, label: merge.label ?? "", last });
  });
  const heights = allHeights(tree);
  const bottom = 30 + LEVEL * heights;
  const y = (part) => bottom - LEVEL * part.height;
  const colour = (last) => (last ? "#b35c00" : "#8a8a8a");
  const svg = drawn("svg", {
    width: Math.max(120, Math.ceil(total)),
    height: bottom + 40,
    role: "img",
    "font-size": "15",
    "font-family": "sans-serif",
    "text-anchor": "middle",
    "aria-label": describe(tree, step),
  });
  for (const { made, part, last } of lines) {
    svg.append(drawn("line", { x1: made.x, y1: y(made), x2: part.x, y2: y(part) - (part.height ? 0 : 16), stroke: colour(last), "stroke-width": last ? 3 : 1.5 }));
  }
  for (const dot of dots) {
    svg.append(drawn("circle", { cx: dot.x, cy: y(dot), r: 4, fill: colour(dot.last) }));
    if (dot.label) svg.append(drawn("text", { x: dot.x, y: y(dot) - 8, fill: dot.last ? "#8a4600" : "#1b1b1b" }, dot.label));
  }
  tree.words.forEach((word, i) => {
    const x = widths.slice(0, i).reduce((sum, width) => sum + width, 0) + widths[i] / 2;
    svg.append(drawn("text", { x, y: bottom, fill: "#1b1b1b" }, word));
    svg.append(drawn("text", { x, y: bottom + 20, fill: "#0b6e99", "font-size": "12" }, tree.tags[i] ?? ""));
  });
  return svg;
}

/** The height of the whole tree, so that the drawing keeps its size from step to step. */
function allHeights(tree) {
  const height = new Map(tree.words.map((_, i) => [i, 0]));
  for (const { start, split } of tree.merges) height.set(start, 1 + Math.max(height.get(start), height.get(split)));
  return Math.max(...height.values());
}
