// What all tabs use: questions to the server, cards of models, and images whose pixels stay square.

export const experiment = {}; // what /api/experiment says, set once

export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export const find = (id) => document.getElementById(id);

export function say(line) {
  find("status").textContent = line;
}

export const chosenRun = () => Number(find("run").value);

export const trainedModels = () => experiment.models.filter((model) => model.trained.includes(chosenRun()));

/** An answer of the server. Its one line is the message of the error where it refuses. */
export async function ask(name, query = {}, options = {}) {
  let answer;
  try {
    answer = await fetch(`/api/${name}?${new URLSearchParams(query)}`, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("the program has ended; start it again in the terminal");
  }
  if (answer.ok) return answer;
  const { error } = await answer.json().catch(() => ({ error: answer.statusText }));
  throw new Error(error);
}

/** Runs `work(signal)` for the last of several calls that follow each other quickly; an earlier one is cut off. */
export function lastOne(work, wait = 120) {
  let timer, controller;
  return () => {
    clearTimeout(timer);
    controller?.abort();
    timer = setTimeout(() => {
      controller = new AbortController();
      work(controller.signal);
    }, wait);
  };
}

// Images

const rooms = new ResizeObserver((entries) => {
  for (const { target } of entries) target.querySelectorAll("img.pixels").forEach(fit);
});

/** Shows an image as large as a whole number of screen pixels for each of its own allows. */
function fit(image) {
  const room = image.parentElement.clientWidth, ratio = window.devicePixelRatio || 1;
  if (!image.naturalWidth || !room) return;
  const scale = Math.max(1, Math.floor((room * ratio) / image.naturalWidth));
  image.style.width = `${Math.min(room, (scale * image.naturalWidth) / ratio)}px`;
}

export function pixels() {
  const image = element("img", { className: "pixels", alt: "" });
  image.addEventListener("load", () => fit(image));
  const frame = element("div", { className: "frame" }, image);
  rooms.observe(frame);
  return { frame, image };
}

export async function showPicture(image, answer, alt) {
  const address = URL.createObjectURL(await answer.blob());
  const before = image.src;
  image.src = address;
  image.alt = alt;
  if (before.startsWith("blob:")) URL.revokeObjectURL(before);
}

// Cards

/** One card for each model under `parent`; `body(model)` gives the content of a trained one. */
export function cards(parent, body) {
  parent.replaceChildren();
  const made = [];
  for (const model of experiment.models) {
    const run = chosenRun();
    const heading = element("h2", { textContent: model.label });
    const card = element("article", { className: "card" }, heading);
    card.dataset.model = model.name;
    parent.append(card);
    if (!model.trained.includes(run)) {
      card.append(untrained(model, run));
      continue;
    }
    const line = element("p");
    const parts = body(model);
    card.append(parts.content, line);
    made.push({ model, card, line, ...parts });
  }
  return made;
}

function untrained(model, run) {
  const command = element("code", { textContent: model.commands[run], tabIndex: 0 });
  return element("p", {}, "This model is not trained yet. This command trains it; then reload the page:", command);
}

/** Fills each card in turn; `work(card)` resolves to the line under it. */
export async function fill(made, signal, work) {
  for (const each of made) each.card.setAttribute("aria-busy", "true");
  for (const each of made) {
    if (signal.aborted) return;
    try {
      each.line.textContent = (await work(each)) ?? "";
      each.line.className = "";
    } catch (error) {
      if (error.name === "AbortError") return;
      each.line.textContent = error.message;
      each.line.className = "error";
    }
    each.card.setAttribute("aria-busy", "false");
  }
  if (!signal.aborted) say(made.length ? "Ready." : "No model is trained with this seed yet.");
}
