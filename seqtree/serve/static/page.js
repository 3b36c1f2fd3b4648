// Small helpers to make elements. Text always becomes a text node, never markup.

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "onclick") made.addEventListener("click", value);
    else if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

export function drawn(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** A picture that the service drew; scripts in it would not run, and there are none. */
export function picture(source) {
  const parsed = new DOMParser().parseFromString(source, "image/svg+xml").documentElement;
  return document.importNode(parsed, true);
}

export function message(text, kind = "soft") {
  return element("p", { class: kind }, text);
}

export function saveAs(name, content, type) {
  const link = element("a", { href: URL.createObjectURL(new Blob([content], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

const LARGEST = { side: 16_000, area: 1 << 26 }; // pixels of a canvas that every browser has room for

/** The picture as a PNG of twice its size, or of less if that is more than browsers have room for. */
export async function savePng(name, source) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(source)}`;
  await image.decode();
  const { naturalWidth: width, naturalHeight: height } = image;
  const scale = Math.min(2, LARGEST.side / Math.max(width, height), Math.sqrt(LARGEST.area / (width * height)));
  const canvas = element("canvas", { width: Math.ceil(scale * width), height: Math.ceil(scale * height) });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => saveAs(name, blob, "image/png"));
}

export async function copy(button, text) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "The browser does not allow it";
  }
  setTimeout(() => { button.textContent = before; }, 1500);
}

/** ``run`` after the last of several calls within some milliseconds; ``forget`` takes a call back that waits. */
export function settled(run, milliseconds) {
  let timer;
  const call = (...given) => {
    call.forget();
    timer = setTimeout(() => run(...given), milliseconds);
  };
  call.forget = () => clearTimeout(timer);
  return call;
}
