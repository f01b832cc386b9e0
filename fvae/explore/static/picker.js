// The choice of images: held-out ones, and one's own by drag and drop or by a dialog.

import { ask, element, experiment, say } from "/static/common.js";

const SHOWN = 16;
const MARKS = ["A", "B", "C", "D"];
const own = []; // images that were added on any tab: {reference, name, address}
const pickers = [];
let number = 0;

/** Builds a picker of at most `max` images in `parent`; returns the function that gives the references chosen. */
export function picker(parent, { title, max, first, changed }) {
  const state = { chosen: first.slice(0, Math.min(first.length, experiment.held_out)), from: 0 };
  const tray = element("div", { className: "tray" });
  const said = element("ul", { className: "said" });
  said.setAttribute("role", "alert");
  const others = element("button", { type: "button", textContent: "Other held-out images", hidden: !experiment.held_out });
  const input = element("input", { type: "file", multiple: true, accept: "image/*", className: "visually-hidden", id: `own-${number++}` });
  const add = element("label", { className: "button", htmlFor: input.id }, "Add your own", input);
  const actions = element("div", { className: "actions" }, others, add, "or drop image files here");
  const box = element("fieldset", { className: "picker" }, element("legend", { textContent: title }), tray, actions, said);
  if (experiment.held_out_problem) said.append(element("li", { className: "refused", textContent: experiment.held_out_problem }));
  parent.replaceChildren(box);

  function toggle(reference) {
    if (max === 1) state.chosen = [reference];
    else if (state.chosen.includes(reference)) state.chosen = state.chosen.filter((each) => each !== reference);
    else state.chosen = [...state.chosen.slice(0, max - 1), reference];
    mark();
    changed();
  }

  function mark() {
    for (const button of tray.children) {
      const place = state.chosen.indexOf(button.dataset.image);
      button.setAttribute("aria-pressed", String(place >= 0));
      const letter = button.querySelector(".mark");
      letter.textContent = MARKS[place] ?? "";
      letter.hidden = place < 0 || max === 1;
    }
  }

  function draw() {
    const count = Math.min(SHOWN, experiment.held_out);
    const held = Array.from({ length: count }, (_, place) => (state.from + place) % experiment.held_out);
    const kept = state.chosen.filter((each) => each.startsWith("held-") && !held.includes(Number(each.slice(5))));
    const images = [
      ...kept.map((reference) => ({ reference, name: `held-out image ${reference.slice(5)}` })),
      ...held.map((place) => ({ reference: `held-${place}`, name: `held-out image ${place}` })),
      ...own,
    ];
    tray.replaceChildren(...images.map(thumbnail));
    mark();
  }

  function thumbnail({ reference, name, address }) {
    const image = element("img", { src: address ?? `/api/image?image=${reference}`, alt: name });
    const button = element("button", { type: "button", title: name }, image, element("span", { className: "mark", hidden: true }));
    button.dataset.image = reference;
    button.addEventListener("click", () => toggle(reference));
    return button;
  }

  async function take(files) {
    said.replaceChildren();
    for (const file of files) {
      try {
        if (file.size > experiment.max_bytes) throw new Error(`larger than ${experiment.max_bytes >> 20} MB; make it smaller`);
        const answer = await ask("uploads", {}, { method: "POST", body: file });
        const { image, note, address } = await answer.json();
        own.push({ reference: image, name: file.name, address });
        if (note) said.append(element("li", { textContent: `${file.name}: ${note}` }));
        for (const each of pickers) each();
        toggle(image);
        say(`${file.name} was added.`);
      } catch (error) {
        said.append(element("li", { className: "refused", textContent: `${file.name}: ${error.message}` }));
      }
    }
  }

  others.addEventListener("click", () => {
    state.from = (state.from + SHOWN) % experiment.held_out;
    draw();
  });
  input.addEventListener("change", async () => {
    await take([...input.files]);
    input.value = "";
  });
  box.addEventListener("dragover", (event) => {
    event.preventDefault();
    box.classList.add("over");
  });
  box.addEventListener("dragleave", () => box.classList.remove("over"));
  box.addEventListener("drop", (event) => {
    event.preventDefault();
    box.classList.remove("over");
    take([...event.dataTransfer.files]);
  });
  pickers.push(draw);
  draw();
  return () => state.chosen;
}
