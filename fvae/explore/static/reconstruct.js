// The tab Reconstruct.

import { ask, cards, chosenRun, element, experiment, fill, find, lastOne, pixels } from "/static/common.js";
import { picker } from "/static/picker.js";

const SHOWN = { original: "image", reconstruction: "reconstruction", difference: "difference × 4", map: "map of bits/dim" };

export function setup() {
  let made = [];

  const draw = lastOne((signal) => {
    const [image] = chosen();
    if (!image) return;
    fill(made, signal, async ({ model, images }) => {
      const answer = await ask("reconstruction", { model: model.name, run: chosenRun(), image }, { signal });
      const found = await answer.json();
      images.original.src = `/api/image?image=${image}`;
      for (const name of ["reconstruction", "difference", "map"]) images[name].src = found[name];
      for (const [name, shown] of Object.entries(SHOWN)) images[name].alt = `${shown}, ${model.label}`;
      return caption(found);
    });
  });

  const chosen = picker(find("reconstruct-images"), { title: "Choose an image", max: 1, first: ["held-3"], changed: draw });
  const { low, high, legend } = experiment.map;
  find("reconstruct-legend").append(
    "Difference: grey where there is none. Map:", element("span", { textContent: `${low}` }),
    element("img", { src: legend, alt: `colours of the map, from ${low} to ${high} bits/dim` }),
    element("span", { textContent: `${high} bits/dim or more; the same colours for all models` }),
  );

  return () => {
    made = cards(find("reconstruct-cards"), () => {
      const content = element("div", { className: "frames" }), images = {};
      for (const [name, shown] of Object.entries(SHOWN)) {
        const { frame, image } = pixels();
        images[name] = image;
        content.append(element("figure", {}, element("figcaption", { textContent: shown }), frame));
      }
      return { content, images };
    });
    draw();
  };
}

function caption(found) {
  const total = found.bits.toFixed(2);
  const mean = `Mean difference ${found.mean_difference.toFixed(1)} of 255 levels.`;
  if (found.exact) return `${total} bits/dim, exact: all of it has a place. ${mean}`;
  const latent = found.bits_of_the_latent;
  return `≤ ${total} bits/dim: ${(found.bits - latent).toFixed(2)} for the pixels, ${latent.toFixed(2)} for the latent. ${mean}`;
}
