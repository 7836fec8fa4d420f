// Panels of models that read text: surprise, next words, generation, entities, labels.

import { ask, bars, make, onSubmit } from "./ask.js";

const MOST_BITS = 16; // a word as surprising as one of 65,536 equally likely ones has the full color

// A panel with one form and one result: what `picture(answer, fields)` makes of the answer.
const simple = (question, picture) => (section, model) => {
  onSubmit(section, section.querySelector("form"), async (fields) => {
    const parts = picture(await ask(model, question, fields), fields);
    return () => section.querySelector(".result").replaceChildren(...parts);
  });
};

const percent = (share) => `${(100 * share).toPrecision(3)} %`;

export const surprise = simple("surprise", ({ words, perplexity }) => {
  const line = make("p", { class: "surprise" });
  for (const { word, bits, unknown, order } of words) {
    const told = bits === null ? "impossible" : bits.toFixed(1);
    const heat = bits === null ? 1 : Math.max(0, Math.min(1, bits / MOST_BITS));
    const more = [unknown ? "unknown to the model" : "", order === null ? "" : `matched an n-gram of order ${order}`];
    const title = [`${told} bits`, ...more.filter(Boolean)].join(", ");
    const shown = make("span", { class: unknown ? "scored unknown" : "scored", title }, make("bdi", {}, word),
      make("small", {}, told));
    shown.style.setProperty("--heat", `${Math.round(heat * 70)}%`);
    line.append(shown, " ");
  }
  const known = perplexity === null ? "The sentence is impossible to the model." : `Perplexity ${perplexity.toPrecision(4)}.`;
  const legend = "Below each word is its surprise in bits, -log2 of its probability after the words before it.";
  return [line, make("p", {}, `${known} ${legend}`)];
});

export const next = simple("next", ({ words }, { text }) => {
  const most = Math.max(...words.map((one) => one.probability), 1e-9);
  const rows = words.map(({ word, probability }) => [word, probability / most, percent(probability)]);
  return [bars(text.trim() ? `After “${text.trim()}”` : "At the beginning of a sentence", ["Word", "Probability"], rows)];
});

const continuations = simple("generate", ({ texts }) => [
  make("ol", { class: "texts" }, ...texts.map(({ text, finished, log10_prob: score, unknown }) => {
    const notes = [`log10 of its probability ${score === null ? "-∞" : score.toFixed(2)}`, finished ? "" : "cut off",
      unknown.length ? `unknown: ${unknown.join(", ")}` : ""];
    return make("li", {}, make("bdi", {}, text), " ", make("small", {}, notes.filter(Boolean).join("; ")));
  })),
]);

export function generate(section, model) {
  for (const slider of section.querySelectorAll("input[type=range]")) {
    const show = () => { slider.nextElementSibling.value = slider.value; };
    slider.addEventListener("input", show);
    show();
  }
  continuations(section, model);
}

export const tag = simple("tag", ({ parts }) => {
  const types = [...new Set(parts.map(({ type }) => type).filter(Boolean))].sort();
  const line = make("p", { class: "tagged" });
  for (const { type, tokens } of parts) {
    const words = make("bdi", {}, tokens.join(" "));
    const color = `type${types.indexOf(type) % 6}`;
    line.append(type === null ? words : make("mark", { class: color }, words, make("small", {}, ` ${type}`)), " ");
  }
  return types.length ? [line] : [line, make("p", {}, "No entity was found.")];
});

export const labels = simple("labels", ({ labels: found }) => [
  bars("Labels of the text", ["Label", "Probability"],
    found.map(({ label, probability }) => [label, probability, percent(probability)])),
]);
