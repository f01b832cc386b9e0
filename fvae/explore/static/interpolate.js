// The tab Interpolate.

import { ask, cards, chosenRun, fill, find, lastOne, pixels, say, showPicture } from "/static/common.js";
import { picker } from "/static/picker.js";

export function setup() {
  const panel = find("panel-interpolate"), steps = find("interpolate-steps");
  const form = () => panel.querySelector("input[name=form]:checked").value;
  let made = [];

  const draw = lastOne((signal) => {
    const images = chosen();
    const wanted = form() === "grid" ? 4 : 2;
    if (images.length < wanted) {
      say(wanted === 4 ? "A grid needs four images: choose one for each corner." : "Choose at least two images.");
      return;
    }
    fill(made, signal, async ({ model, image }) => {
      const query = { model: model.name, run: chosenRun(), images: images.join(","), steps: steps.value, form: form() };
      const what = form() === "grid" ? `A grid of ${steps.value} by ${steps.value} images` : `A path of ${steps.value} images a row`;
      await showPicture(image, await ask("interpolation", query, { signal }), `${what} by ${model.label}`);
    });
  });

  const chosen = picker(find("interpolate-images"), {
    title: "Choose two, three or four images, in their order", max: 4, first: ["held-2", "held-5"], changed: draw,
  });
  panel.querySelectorAll("input[name=form]").forEach((each) => each.addEventListener("input", draw));
  steps.addEventListener("input", draw);

  return () => {
    made = cards(find("interpolate-cards"), () => {
      const { frame, image } = pixels();
      return { content: frame, image };
    });
    draw();
  };
}
