// Panels of word vectors: neighbors, of one model or of two side by side, and analogies.

import { ask, bars, completeWords, make, onSubmit } from "./ask.js";

const table = (caption, found) =>
  bars(caption, ["Word", "Cosine"], found.neighbors.map(({ word, cosine }) => [word, cosine, cosine.toFixed(3)]));

export function neighbors(section, model, models) {
  const form = section.querySelector("form");
  const others = models.map((other, place) => [other, place])
    .filter(([other, place]) => place !== model && other.questions.includes("neighbors"));
  section.querySelector(".compare").hidden = others.length === 0;
  form.elements.other.append(...others.map(([other, place]) => make("option", { value: place }, other.name)));
  completeWords(section, model);
  onSubmit(section, form, async ({ word, how_many, other }) => {
    const asked = other === "" ? [model] : [model, Number(other)];
    const tables = await Promise.all(asked.map(async (one) => {
      const found = await ask(one, "neighbors", { word, how_many }).catch((error) => {
        throw asked.length > 1 ? new Error(`${models[one].name}: ${error.message}`) : error;
      });
      return table(asked.length > 1 ? models[one].name : `Nearest to ${word.trim()}`, found);
    }));
    return () => section.querySelector(".result").replaceChildren(...tables);
  });
}

export function analogy(section, model) {
  completeWords(section, model);
  onSubmit(section, section.querySelector("form"), async (fields) => {
    const found = await ask(model, "analogy", fields);
    const caption = `${fields.a.trim()} is to ${fields.b.trim()} as ${fields.c.trim()} is to`;
    return () => section.querySelector(".result").replaceChildren(table(caption, found));
  });
}
