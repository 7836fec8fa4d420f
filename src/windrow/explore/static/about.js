// What is known of a model: how it was trained, with which settings, on what.

import { classColor, loadPlotly, make, onThemeChange, pictureLayout, plain } from "./ask.js";

const DASHES = ["solid", "dash", "dot"];

export function about(section, model, models) {
  const { described, facts, history, curves } = models[model];
  section.querySelector(".described").textContent = described;
  section.querySelector("dl").append(...facts.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
  if (history.length === 0) return;
  section.querySelector(".rows").append(reports(history));
  const pictures = curves.map((curve) => [make("div", { role: "img", "aria-label": `${curve.label}, by epoch; the table has its numbers` }), curve]);
  const figures = pictures.map(([place, { label }]) => make("figure", {}, make("figcaption", {}, label), place));
  section.querySelector(".curves").append(...figures);
  const drawAll = () => pictures.forEach(([place, curve]) => draw(place, curve));
  drawAll();
  onThemeChange(() => { if (section.isConnected) drawAll(); });
}

function reports(history) {
  const names = [...new Set(history.flatMap((row) => Object.keys(row)))];
  const told = (value) => value === undefined || value === null ? "" : Number(value.toPrecision(5)).toLocaleString("en");
  const head = make("tr", {}, ...names.map((name) => make("th", { scope: "col", class: "number" }, name.replaceAll("_", " "))));
  const rows = history.map((row) => make("tr", {}, ...names.map((name) => make("td", { class: "number" }, told(row[name])))));
  const table = make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows));
  return make("details", {}, make("summary", {}, "Its training, report by report"), make("div", { class: "scroll", tabindex: "0" }, table));
}

async function draw(place, { epochs, lines, axis }) {
  const plotly = await loadPlotly();
  if (!place.isConnected) return; // another model was chosen
  const traces = Object.entries(lines).map(([name, values], number) => ({
    type: "scatter", mode: "lines+markers", name: plain(name), x: epochs, y: values, marker: { size: 5 }, cliponaxis: false,
    line: { color: classColor(number), dash: DASHES[Math.floor(number / 8) % 3] },
  }));
  const xaxis = { title: { text: "epoch" }, dtick: Math.max(1, Math.ceil(epochs.length / 8)) };
  const scale = { plain: {}, "from zero": { rangemode: "tozero" }, logarithmic: { type: "log" } }[axis];
  const yaxis = { ...scale, tickformat: "~g", nticks: 6 };
  const several = traces.length > 1;
  const layout = pictureLayout({ xaxis, yaxis, height: 220, showlegend: several, legend: { orientation: "h", y: 1.2 } });
  await plotly.react(place, traces, layout, { displayModeBar: false, responsive: true });
}
