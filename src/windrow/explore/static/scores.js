// Panels of questions with known answers: analogies by section, similarities.

import { askUntilReady, bars, make, onSubmit } from "./ask.js";

const measured = (question, picture) => (section, model) => {
  const status = section.querySelector(".status");
  onSubmit(section, section.querySelector("form"), async () => {
    const progress = (told) => { status.textContent = told; };
    const found = await askUntilReady(model, question, {}, progress, () => section.isConnected);
    return () => { if (found) section.querySelector(".result").replaceChildren(...picture(found)); };
  });
};

const list = (summary, ...items) =>
  make("details", {}, make("summary", {}, summary), make("ul", {}, ...items.map((item) => make("li", {}, make("bdi", {}, item)))));

export const analogies = measured("analogies", ({ accuracy, correct, total, skipped, sections }) => {
  const told = (part) => part.total ? `${(100 * part.accuracy).toFixed(1)} %` : "nothing asked";
  const rows = sections.map((part) => [part.name, part.total ? part.accuracy : 0, `${told(part)} of ${part.total}`]);
  const caption = `${told({ accuracy, total })}: ${correct} of ${total} questions; ${skipped} with unknown words were skipped`;
  const lists = sections.filter((part) => part.total).map(({ name, questions }) =>
    list(name, ...questions.map(({ words: [a, b, c, d], right }) => `${right ? "✓" : "✗"} ${a} is to ${b} as ${c} is to ${d}`)));
  const all = make("details", {}, make("summary", {}, "The questions, wrong answers first"), ...lists);
  return [bars(caption, ["Section", "Right"], rows), all];
});

export const similarity = measured("similarity", ({ spearman, pearson, pairs, oov, pairs_shown: shown }) => {
  const told = `Spearman ${spearman.toFixed(4)}, Pearson ${pearson.toFixed(4)}; ${pairs} pairs, and `
    + `${(100 * oov).toFixed(1)} % of all with an unknown word`;
  const known = shown.filter(({ cosine }) => cosine !== null);
  const rows = known.map(({ words, human, cosine }) => [words.join(", "), cosine, `${cosine.toFixed(3)}, people say ${human}`]);
  const table = bars("Pairs, by what people say", ["Pair", "Cosine"], rows);
  return [make("p", {}, told), make("details", {}, make("summary", {}, "The pairs"), table)];
});
