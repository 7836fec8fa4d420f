// The page: a button for each model, and the panels for what the chosen one answers.

import { get, make } from "./ask.js";
import { about } from "./about.js";
import { map } from "./map.js";
import { generate, labels, next, surprise, tag } from "./texts.js";
import { analogies, similarity } from "./scores.js";
import { analogy, neighbors } from "./words.js";

// By the question that a panel asks; its template has the same name.
const PANELS = { neighbors, analogy, map, analogies, similarity, surprise, next, generate, tag, labels };

function panel(name, start, model, models) {
  const section = document.getElementById(name).content.firstElementChild.cloneNode(true);
  start(section, model, models);
  return section;
}

function show(model, models, buttons) {
  const main = document.getElementById("model");
  const names = Object.keys(PANELS).filter((name) => models[model].questions.includes(name));
  main.replaceChildren(
    ...names.map((name) => panel(name, PANELS[name], model, models)), panel("about", about, model, models));
  buttons.forEach((button, place) => button.setAttribute("aria-pressed", String(place === model)));
  document.title = `${models[model].name} – windrow explorer`;
}

async function start() {
  const { models } = await get("models");
  const buttons = models.map((model, place) => {
    const button = make("button", { type: "button", title: model.described }, make("bdi", {}, model.name));
    button.addEventListener("click", () => show(place, models, buttons));
    return button;
  });
  document.querySelector("nav").append(...buttons);
  show(0, models, buttons);
}

start().catch((error) => { document.querySelector("main .message").textContent = error.message; });
