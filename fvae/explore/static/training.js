// The tab Training: sheets of samples as a film, three models at once.

import { ask, chosenRun, element, experiment, find, pixels, say, showPicture } from "/static/common.js";

const SPEED = 700; // milliseconds of a frame

export function setup() {
  const panel = find("panel-training"), moment = find("training-moment"), play = find("training-play");
  const selects = [0, 1, 2].map((place) => find(`training-model-${place}`));
  const clock = () => panel.querySelector("input[name=clock]:checked").value;
  let films = [], moments = [], timer = null, turn = 0;

  function offer() {
    for (const [place, select] of selects.entries()) {
      const wanted = select.value || experiment.first_films[place];
      select.replaceChildren(...experiment.models.map(({ name, label }) => element("option", { value: name, textContent: label })));
      if (wanted) select.value = wanted;
    }
  }

  async function load() {
    const mine = ++turn;
    stop();
    const run = chosenRun();
    const shown = selects.slice(0, experiment.models.length).map((select) => experiment.models.find(({ name }) => name === select.value));
    const found = await Promise.all(shown.map((model, place) => filmOf(model, run, place)));
    if (mine !== turn) return;
    films = found;
    find("training-cards").replaceChildren(...films.map(({ card }) => card));
    rule();
  }

  /** The moments of the slider: those of all sheets, in the order of the clock. */
  function rule() {
    const all = films.flatMap(({ frames }) => frames.map((frame) => frame[clock()] ?? 0));
    moments = [...new Set(all)].sort((a, b) => a - b);
    moment.max = Math.max(0, moments.length - 1);
    moment.disabled = play.disabled = !moments.length;
    moment.value = moment.max;
    show();
  }

  async function show() {
    const now = moments[Number(moment.value)] ?? 0;
    const said = clock() === "images" ? `${now.toLocaleString("en")} images` : `${now.toFixed(0)} seconds`;
    find("training-value").textContent = said;
    moment.setAttribute("aria-valuetext", said);
    curve(films, clock(), now);
    await Promise.all(films.map((film) => project(film, now)));
    say("Ready.");
  }

  async function project(film, now) {
    const frame = film.frames.findLast((each) => (each[clock()] ?? 0) <= now);
    if (film.shown === frame && frame) return;
    film.shown = frame;
    film.image.hidden = !frame;
    if (!frame) {
      film.line.textContent = film.problem ?? "No sheet until then.";
      return;
    }
    const bits = frame.bpd == null ? "" : `, ${frame.bpd.toFixed(2)} bits/dim`;
    const distance = frame.portrait_distance == null ? "" : `, portrait distance ${frame.portrait_distance.toFixed(0)}`;
    film.line.textContent = `${frame.images.toLocaleString("en")} images${bits}${distance}`;
    const answer = await ask("frame", { model: film.model.name, run: film.run, step: frame.step }).catch((error) => say(error.message));
    if (answer && film.shown === frame) await showPicture(film.image, answer, `samples of ${film.model.label} after ${frame.images} images`);
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  }

  function step() {
    if (Number(moment.value) >= Number(moment.max)) return stop();
    moment.value = Number(moment.value) + 1;
    return show();
  }

  play.addEventListener("click", () => {
    if (timer) {
      stop();
      return;
    }
    if (moment.value === moment.max) moment.value = 0;
    show();
    timer = setInterval(step, SPEED);
    play.textContent = "Stop";
  });
  moment.addEventListener("input", () => (stop(), show()));
  for (const select of selects) select.addEventListener("input", load);
  for (const [place, select] of selects.entries()) select.parentElement.hidden = place >= experiment.models.length;
  panel.querySelectorAll("input[name=clock]").forEach((each) => each.addEventListener("input", () => {
    for (const film of films) film.shown = null;
    rule();
  }));
  new ResizeObserver(() => curve(films, clock(), moments[Number(moment.value)] ?? 0)).observe(find("panel-training"));
  offer();
  return load;
}

async function filmOf(model, run, place) {
  const { frame, image } = pixels();
  const line = element("p");
  const heading = element("h2", {}, element("span", { className: `key k${place}` }), model.label);
  const film = { model, run, image, line, card: element("article", { className: "card" }, heading, frame, line), frames: [] };
  film.card.dataset.model = model.name;
  if (!model.filmed.includes(run)) {
    line.textContent = "This model is not trained yet. This command trains it; then reload the page:";
    film.card.append(element("code", { textContent: model.commands[run], tabIndex: 0 }));
    film.problem = line.textContent;
    return film;
  }
  try {
    film.frames = await (await ask("film", { model: model.name, run })).json();
  } catch (error) {
    film.problem = error.message;
  }
  return film;
}

// The curve of bits/dim, with a line at the moment

const HEIGHT = 200, LEFT = 48, BOTTOM = 28, TOP = 10, RIGHT = 12;

function curve(films, clock, now) {
  const points = films.map(({ frames }) => frames.filter((each) => each.bpd != null && each[clock] != null));
  const all = points.flat();
  find("training-curve").parentElement.hidden = !all.length;
  if (!all.length) return;
  const place = find("training-curve"), width = Math.max(280, place.clientWidth);
  const last = Math.max(...all.map((each) => each[clock]));
  const low = Math.min(...all.map(({ bpd }) => bpd)), high = Math.max(...all.map(({ bpd }) => bpd));
  const x = (value) => LEFT + (value / last) * (width - LEFT - RIGHT);
  const y = (value) => TOP + ((high - value) / (high - low || 1)) * (HEIGHT - TOP - BOTTOM);
  const drawing = svg("svg", { width, height: HEIGHT, role: "img", "aria-label": spoken(films, points) });
  drawing.append(svg("line", { class: "axis", x1: LEFT, x2: width - RIGHT, y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM }));
  for (const value of [low, high]) drawing.append(text(LEFT - 6, y(value) + 4, value.toFixed(1), "end"));
  drawing.append(text(x(last), HEIGHT - 8, `${Math.round(last).toLocaleString("en")} ${clock === "images" ? "images seen" : "seconds"}`, "end"));
  drawing.append(text(LEFT, HEIGHT - 8, "0", "middle"));
  for (const [index, part] of points.entries()) {
    const line = part.map((each) => `${x(each[clock]).toFixed(1)},${y(each.bpd).toFixed(1)}`).join(" ");
    drawing.append(svg("polyline", { points: line, class: `c${index}` }));
    for (const each of part) drawing.append(svg("circle", { cx: x(each[clock]), cy: y(each.bpd), r: 3, class: `c${index}` }));
  }
  drawing.append(svg("line", { class: "moment", x1: x(now), x2: x(now), y1: TOP, y2: HEIGHT - BOTTOM }));
  place.replaceChildren(drawing);
}

function spoken(films, points) {
  const said = films.map(({ model }, place) => {
    const part = points[place];
    return part.length ? `${model.label} from ${part[0].bpd.toFixed(2)} to ${part.at(-1).bpd.toFixed(2)}` : `${model.label} not measured`;
  });
  return `Bits/dim during training: ${said.join("; ")}`;
}

function svg(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function text(x, y, content, anchor) {
  const made = svg("text", { x, y, "text-anchor": anchor });
  made.textContent = content;
  return made;
}
