// The map: points, labels for the most frequent words in view, and a search.

import { askUntilReady, classColor, completeWords, loadPlotly, onSubmit, onThemeChange, pictureLayout, plain } from "./ask.js";

const POINTS = 0, LABELS = 1, FOUND = 2; // layers, from the lowest
const LETTER = [8, 18]; // about as many pixels wide and high
const MOST_LABELS = 120;
const STEP = 0.15; // of the view that an arrow key moves
// Of each class; its color is in the style sheet. Both are those of `windrow vectors plot`.
const SHAPES = ["circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x", "star"];

export function map(section, model) {
  const [draw, find] = section.querySelectorAll("form");
  const status = section.querySelector(".status");
  const plot = section.querySelector(".plot");
  let drawn = null; // the map in view
  let marked = -1; // the place of the word that was searched

  completeWords(section, model);

  let latest = 0;
  onSubmit(section, draw, async (fields) => {
    const mine = ++latest;
    const isWanted = () => mine === latest && section.isConnected;
    const computed = (method) => askUntilReady(model, "map", { ...fields, method }, (told) => { status.textContent = told; }, isWanted);
    const plotly = await loadPlotly();
    if (fields.method !== "pca") { // which is there at once, to look at until the other one is ready
      const first = await computed("pca");
      if (first && isWanted()) await picture(plotly, first);
    }
    const found = await computed(fields.method);
    return () => { if (found) picture(plotly, found); };
  });

  onSubmit(section, find, async ({ word }) => {
    const place = drawn.words.indexOf(word.trim());
    if (!word.trim()) throw new Error("type a word first");
    if (place < 0) throw new Error(`the word '${word.trim().slice(0, 100)}' is not on this map; draw more words`);
    return () => mark(place);
  });

  async function picture(plotly, found) {
    drawn = found;
    marked = -1;
    plot.hidden = false;
    const axis = (title) => ({ title: { text: title, font: { size: 12 } }, showticklabels: false, zeroline: false });
    // SVG, which moves as a whole: WebGL, in "scattergl", needs eval, and is slower where there is no graphics card.
    const layers = [
      {
        type: "scatter", mode: "markers", x: found.x, y: found.y, text: found.words.map(plain),
        hovertemplate: "%{text}<extra></extra>",
        marker: { size: found.words.length > 1000 ? 5 : 7, color: colorsOf(found.classes), symbol: found.classes.map((one) => SHAPES[one]) },
      },
      { type: "scatter", mode: "text", x: [], y: [], text: [], textposition: "top center", hoverinfo: "skip" },
      {
        type: "scatter", mode: "markers+text", x: [], y: [], text: [], textposition: "top center", hoverinfo: "skip",
        textfont: { size: 16, weight: 700 }, marker: { size: 16, symbol: "circle-open", line: { width: 3 } },
      },
    ];
    const layout = pictureLayout({ dragmode: "pan", xaxis: axis(found.axes[0]), yaxis: axis(found.axes[1]), hovermode: "closest" });
    const options = { scrollZoom: true, displaylogo: false, displayModeBar: true, responsive: true, showSendToCloud: false, modeBarButtons: [["toImage", "zoomIn2d", "zoomOut2d", "resetScale2d"]] };
    await plotly.newPlot(plot, layers, layout, options);
    for (const form of [find, section.querySelector(".hint")]) form.hidden = false;
    plot.on("plotly_relayout", (change) => { if (Object.keys(change).some((key) => key.includes("axis"))) label(); });
    plot.on("plotly_click", ({ points }) => showNeighbors(found.words[points[0].pointIndex]));
    await label();
    status.textContent = `${found.words.length} words drawn, ${found.method}`;
  }

  // Label the words in view, frequent ones first, as far as there is space.
  function label() {
    const [left, right] = plot.layout.xaxis.range, [bottom, top] = plot.layout.yaxis.range;
    const chosen = [], boxes = [];
    for (let place = 0; place < drawn.words.length && chosen.length < MOST_LABELS; place++) {
      const across = (drawn.x[place] - left) / (right - left), up = (drawn.y[place] - bottom) / (top - bottom);
      if (!(across >= 0 && across <= 1 && up >= 0 && up <= 1) || place === marked) continue;
      const box = [across * plot.clientWidth, up * plot.clientHeight, LETTER[0] * (drawn.words[place].length + 1) / 2];
      if (boxes.some(([x, y, half]) => Math.abs(x - box[0]) < half + box[2] && Math.abs(y - box[1]) < LETTER[1])) continue;
      chosen.push(place);
      boxes.push(box);
    }
    return layer(LABELS, chosen);
  }

  function layer(number, places) {
    const of = (values) => [places.map((place) => values[place])];
    return window.Plotly.restyle(plot, { x: of(drawn.x), y: of(drawn.y), text: of(drawn.words.map(plain)) }, [number]);
  }

  async function mark(place) {
    marked = place;
    await layer(FOUND, [place]);
    const half = (axis, values) => Math.min(width(plot.layout[axis].range), spread(values) / 4) / 2;
    await look([drawn.x[place], drawn.y[place]], [half("xaxis", drawn.x), half("yaxis", drawn.y)]);
    status.textContent = `${drawn.words[place]} is in the middle of the map`;
  }

  // Show what is around a point, as far as `halves`, across and up.
  function look([x, y], halves) {
    const range = (middle, half) => [middle - half, middle + half];
    return window.Plotly.relayout(plot, { "xaxis.range": range(x, halves[0]), "yaxis.range": range(y, halves[1]) });
  }

  plot.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [-1, 0, 1], ArrowRight: [1, 0, 1], ArrowUp: [0, 1, 1], ArrowDown: [0, -1, 1], "+": [0, 0, 0.8], "-": [0, 0, 1.25] };
    const move = moves[event.key];
    if (!move || !drawn || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const ranges = [plot.layout.xaxis.range, plot.layout.yaxis.range];
    look(
      ranges.map((range, axis) => (range[0] + range[1]) / 2 + move[axis] * STEP * width(range)),
      ranges.map((range) => width(range) * move[2] / 2));
  });

  function showNeighbors(word) {
    const form = document.querySelector("section[aria-labelledby=neighbors-title] form");
    form.elements.word.value = word;
    form.requestSubmit();
    form.scrollIntoView({ block: "nearest" });
  }

  onThemeChange(() => {
    if (!drawn || !section.isConnected) return;
    window.Plotly.restyle(plot, { "marker.color": [colorsOf(drawn.classes)] }, [POINTS]);
    window.Plotly.relayout(plot, pictureLayoutOf());
  });
}

const width = ([low, high]) => high - low;
const spread = (values) => values.reduce((a, b) => Math.max(a, b)) - values.reduce((a, b) => Math.min(a, b)) || 1;

function colorsOf(classes) {
  const colors = SHAPES.map((_, number) => classColor(number));
  return classes.map((one) => colors[one]);
}

// The colors of the page for a picture that is there, whose axes stay as they are.
function pictureLayoutOf() {
  const { paper_bgcolor, plot_bgcolor, font, xaxis } = pictureLayout({});
  return { paper_bgcolor, plot_bgcolor, font, "xaxis.gridcolor": xaxis.gridcolor, "yaxis.gridcolor": xaxis.gridcolor };
}
