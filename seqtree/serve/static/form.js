// What the views with one text and one answer have in common.

import { ask } from "./api.js";
import { message, settled } from "./page.js";

/**
 * Ask when the form is sent or its text is typed into; only the last question is answered.
 * ``read`` makes the request of the form, ``operation`` is its name or tells it from the request, ``show`` makes the
 * elements of the answer. ``quit`` of what is returned leaves the place of the answer to something else.
 */
export function answering(section, operation, read, show, remember) {
  const form = section.querySelector("form");
  const place = section.querySelector(".answer");
  let asking = null;

  const typed = settled(send, 350);

  function quit() {
    typed.forget();
    asking?.abort();
    place.removeAttribute("aria-busy");
  }

  async function send() {
    const request = read(form);
    remember(request);
    quit();
    if (!request.text.trim()) {
      place.replaceChildren();
      return;
    }
    asking = new AbortController();
    const { signal } = asking;
    place.setAttribute("aria-busy", "true");
    try {
      const answer = await ask(typeof operation === "function" ? operation(request) : operation, request, signal);
      place.replaceChildren(...show(answer, request));
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
  form.addEventListener("input", typed);
  return { form, place, send, quit };
}

/** Put what the address holds into the form; if it holds anything, other fields but lists are as on a new page. */
export function filled(form, asked, example) {
  for (const field of asked.toString() ? form.querySelectorAll("input, select, textarea") : []) {
    const value = asked.get(field.name);
    if (field.closest("fieldset")) continue; // what goes with buttons, not with the text
    if (field.type === "checkbox") field.checked = value === "true";
    else if (field.options) chosen(field, value);
    else field.value = value ?? field.defaultValue;
  }
  if (!asked.has("text") && !form.elements.text.value) form.elements.text.value = example;
}

/** Choose an option of a list, if it has that one. */
export function chosen(list, value) {
  if ([...list.options].some((option) => option.value === value)) list.value = value;
}
