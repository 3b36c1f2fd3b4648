// An image in segments with their classes, and the tree over them.

import { ask } from "./api.js";
import { element, message } from "./page.js";

const LONGEST = 320; // pixels of the longer side, to which a photograph is made smaller
const SMALL = 100_000; // bytes of a file that is sent as it is

export function start(section, models) {
  const form = section.querySelector("form");
  const place = section.querySelector(".answer");
  let asking = null;

  async function send() {
    const [file] = form.elements.file.files;
    if (!file) return;
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    place.setAttribute("aria-busy", "true");
    try {
      const answer = await ask("scene", { image: await smaller(file), model: form.elements.model.value }, signal);
      place.replaceChildren(...shown(answer));
    } catch (error) {
      if (signal.aborted) return;
      place.replaceChildren(message(error.message, "error"));
    }
    place.removeAttribute("aria-busy");
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  form.addEventListener("input", send);
  return () => {};
}

/** A photograph as a file in base64, at most ``LONGEST`` pixels wide and high; a small PNG without loss. */
async function smaller(file) {
  let image;
  try {
    image = await createImageBitmap(file);
  } catch {
    throw new Error(`${file.name}: not an image that this browser can read`);
  }
  const scale = Math.min(1, LONGEST / Math.max(image.width, image.height));
  const canvas = element("canvas", { width: Math.max(1, Math.round(scale * image.width)), height: Math.max(1, Math.round(scale * image.height)) });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  const exact = scale === 1 && file.type === "image/png" && file.size < SMALL;
  return canvas.toDataURL(exact ? "image/png" : "image/jpeg", 0.92).split(",")[1];
}

function shown({ classes, segments, merges, png }) {
  const told = classes.map(({ label, share }) => `${label} ${Math.round(100 * share)} %`).join(", ");
  const picture = element("img", { src: `data:image/png;base64,${png}`, alt: `The classes over the image: ${told}; beside it the tree of ${merges.length} merges` });
  const rows = segments.map(({ segment, label, pixels, probability }) =>
    element("tr", {}, ...[segment, label, pixels, probability.toFixed(3)].map((text) => element("td", {}, String(text)))));
  const head = element("tr", {}, ...["Segment", "Class", "Pixels", "Probability"].map((text) => element("th", { scope: "col" }, text)));
  const table = element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
  return [
    element("div", { class: "card" }, element("div", { class: "paper", tabindex: "0", role: "group", "aria-label": "The parsed image" }, picture), message(told)),
    element("details", { class: "card" }, element("summary", {}, `Segments (${segments.length})`), element("div", { class: "wide", tabindex: "0", role: "group", "aria-label": "Segments" }, table)),
  ];
}
