// The service that this page belongs to.

const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? sessionStorage.getItem("token");
if (token) sessionStorage.setItem("token", token);

function headers(more = {}) {
  return token ? { ...more, Authorization: `Bearer ${token}` } : more;
}

async function refusal(response) {
  try {
    return (await response.json()).error ?? response.statusText;
  } catch {
    return `${response.status} ${response.statusText}`;
  }
}

async function got(name) {
  const response = await fetch(`/api/${name}`, { headers: headers() });
  if (!response.ok) throw new Error(await refusal(response));
  return (await response.json())[name];
}

export const models = () => got("models");
export const runs = () => got("runs");

function post(name, request, signal) {
  const options = { method: "POST", headers: headers({ "Content-Type": "application/json" }), signal };
  return fetch(`/api/${name}`, { ...options, body: JSON.stringify(request) });
}

export async function ask(name, request, signal) {
  const response = await post(name, request, signal);
  if (!response.ok) throw new Error(await refusal(response));
  return response.json();
}

/** The parts of an answer's text, as they come. */
export async function* stream(name, request, signal) {
  const response = await post(name, request, signal);
  if (!response.ok) throw new Error(await refusal(response));
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (;;) {
    const { value, done } = await reader.read();
    held += value ?? "";
    const lines = held.split("\n");
    held = lines.pop();
    for (const line of lines) {
      const part = JSON.parse(line);
      if (part.error) throw new Error(part.error);
      if (part.text) yield part.text;
    }
    if (done) return;
  }
}
