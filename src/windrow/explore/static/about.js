// What is known of a model: how it was trained, with which settings, on what.

import { loadPlotly, make, onThemeChange, pictureLayout } from "./ask.js";

export function about(section, model, models) {
  const { described, facts, history } = models[model];
  section.querySelector(".described").textContent = described;
  section.querySelector("dl").append(...facts.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
  if (history.length === 0) return;
  section.querySelector(".rows").append(reports(history));
  const curve = section.querySelector(".curve");
  if (history.filter((row) => "loss" in row).length > 1) {
    curve.hidden = false;
    draw(curve, history);
    onThemeChange(() => { if (section.isConnected) draw(curve, history); });
  }
}

function reports(history) {
  const names = [...new Set(history.flatMap((row) => Object.keys(row)))];
  const told = (value) => value === undefined ? "" : Number(value.toPrecision(5)).toLocaleString("en");
  const head = make("tr", {}, ...names.map((name) => make("th", { scope: "col", class: "number" }, name.replaceAll("_", " "))));
  const rows = history.map((row) => make("tr", {}, ...names.map((name) => make("td", { class: "number" }, told(row[name])))));
  const table = make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows));
  return make("details", {}, make("summary", {}, "Its training, report by report"), make("div", { class: "scroll", tabindex: "0" }, table));
}

async function draw(place, history) {
  const plotly = await loadPlotly();
  const rows = history.filter((row) => "loss" in row);
  const x = rows.map((row, number) => row.epoch ?? number + 1);
  const line = { type: "scatter", mode: "lines+markers", x, y: rows.map((row) => row.loss), line: { color: "#0072b2" } };
  const whole = { title: { text: "epoch" }, dtick: Math.max(1, Math.ceil(x.length / 10)) };
  const layout = pictureLayout({ xaxis: whole, yaxis: { title: { text: "mean loss" } }, height: 260 });
  await plotly.react(place, [line], layout, { displayModeBar: false, responsive: true });
}
