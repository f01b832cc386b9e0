// The tab Directions.

import { ask, cards, chosenRun, element, experiment, fill, find, lastOne, pixels, say, showPicture } from "/static/common.js";
import { picker } from "/static/picker.js";

export function setup() {
  const form = find("directions-amounts");
  if (!experiment.directions.length) {
    form.replaceChildren(element("p", { textContent: "Directions need images whose factors are known, which only drawn portraits are." }));
    return () => {};
  }
  const sliders = experiment.directions.map(({ name, label }) => slider(form, name, label));
  let made = [];

  const draw = lastOne((signal) => {
    const [image] = chosen();
    if (!image) return;
    const amounts = Object.fromEntries(sliders.filter(({ value }) => Number(value)).map(({ name, value }) => [name, Number(value)]));
    say("The first time, the latents of some hundred training images are computed for each model.");
    fill(made, signal, async (card) => {
      const { model, before, after } = card;
      const asked = (amounts) =>
        ask("directions", { model: model.name, run: chosenRun(), image, amounts: JSON.stringify(amounts) }, { signal });
      if (card.shows !== image) await showPicture(before, await asked({}), `reconstruction by ${model.label}`);
      card.shows = image;
      const moved = await asked(amounts);
      const said = Object.entries(amounts).map(([name, amount]) => `${name.replace("_", " ")} ${amount}`).join(", ");
      await showPicture(after, moved, `the same with ${said || "nothing"} added`);
    });
  });

  const chosen = picker(find("directions-images"), { title: "Choose an image", max: 1, first: ["held-3"], changed: draw });
  for (const each of sliders) each.addEventListener("input", () => (each.show(), draw()));
  const reset = element("button", { type: "button", textContent: "All to zero" });
  reset.addEventListener("click", () => {
    for (const each of sliders) (each.value = 0), each.show();
    draw();
  });
  form.append(reset);

  return () => {
    made = cards(find("directions-cards"), () => {
      const before = pixels(), after = pixels();
      const content = element("div", { className: "frames" },
        element("figure", {}, element("figcaption", { textContent: "as it is" }), before.frame),
        element("figure", {}, element("figcaption", { textContent: "moved" }), after.frame));
      return { content, before: before.image, after: after.image };
    });
    draw();
  };
}

function slider(form, name, label) {
  const input = element("input", { type: "range", min: -2, max: 2, step: 0.1, value: 0, name, id: `direction-${name}` });
  const shown = element("span", { className: "value", ariaHidden: "true" });
  input.show = () => (shown.textContent = Number(input.value).toFixed(1));
  input.show();
  form.append(element("label", { className: "wide" }, `${label} `, shown, input));
  return input;
}
