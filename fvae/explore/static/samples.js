// The tab Samples.

import { ask, cards, chosenRun, experiment, fill, find, lastOne, pixels, showPicture, trainedModels } from "/static/common.js";

export function setup() {
  const temperature = find("samples-temperature"), seed = find("samples-seed"), rows = find("samples-rows");
  temperature.value = experiment.temperature;
  let made = [];

  const query = () => ({ run: chosenRun(), rows: rows.value, temperature: temperature.value, seed: seed.value || "0" });

  const draw = lastOne((signal) =>
    fill(made, signal, async ({ model, image }) => {
      const answer = await ask("samples", { model: model.name, ...query() }, { signal });
      await showPicture(image, answer, `${3 * rows.value} samples of ${model.label} at temperature ${temperature.value}, seed ${seed.value}`);
    }),
  );

  function changed() {
    find("samples-temperature-value").textContent = Number(temperature.value).toFixed(2);
    const save = find("samples-save"), names = trainedModels().map((model) => model.name);
    save.href = `/api/saved?${new URLSearchParams({ models: names.join(","), ...query() })}`;
    save.setAttribute("aria-disabled", String(!names.length));
    draw();
  }

  for (const control of [temperature, seed, rows]) control.addEventListener("input", changed);
  find("samples-next").addEventListener("click", () => {
    seed.value = (Number(seed.value) || 0) + 1;
    changed();
  });

  return () => {
    made = cards(find("samples-cards"), () => {
      const { frame, image } = pixels();
      return { content: frame, image };
    });
    changed();
  };
}
