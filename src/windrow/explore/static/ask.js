// Questions to the server, and the parts that all panels use. Words reach the page as text, never as HTML.

export async function get(path) {
  return answerOf(await fetch(path));
}

export async function ask(model, question, fields) {
  const request = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(fields) };
  return answerOf(await fetch(`ask/${model}/${question}`, request).catch(() => null));
}

async function answerOf(response) {
  if (response === null) throw new Error("the server does not answer; was it stopped?");
  const content = await response.json().catch(() => ({ error: `the server answered ${response.status}` }));
  if (!response.ok) throw new Error(content.error);
  return content;
}

// Asks for work that takes long. Until it is done, `progress` gets the seconds so far; once `isWanted` says no, the
// answer is null.
export async function askUntilReady(model, question, fields, progress, isWanted) {
  for (;;) {
    const found = await ask(model, question, fields);
    if (found.ready || !isWanted()) {
      progress("");
      return found.ready ? found : null;
    }
    progress(`computing for ${Math.round(found.seconds)} seconds …`);
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
}

// An element with attributes and children; strings become text.
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// The fields of a form as they are sent: numbers where the field is one, true or false for a box to check.
export function fieldsOf(form) {
  const fields = {};
  for (const input of form.elements) {
    if (!input.name) continue;
    const isNumber = input.type === "number" || input.type === "range";
    fields[input.name] = input.type === "checkbox" ? input.checked : isNumber ? Number(input.value) : input.value;
  }
  return fields;
}

// When the form is sent, run `answer(fields)`; what goes wrong is shown in the section's message. Of two answers that
// overtake each other only the later one is shown: `answer` returns a function that shows it.
export function onSubmit(section, form, answer) {
  const message = section.querySelector(".message");
  let latest = 0;
  form.noValidate = true; // the server says what is wrong, in a way that screen readers hear
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const mine = ++latest;
    section.setAttribute("aria-busy", "true");
    try {
      const show = await answer(fieldsOf(form));
      if (mine === latest) {
        message.textContent = "";
        show();
      }
    } catch (error) {
      if (mine === latest) message.textContent = error.message;
    }
    if (mine === latest) section.removeAttribute("aria-busy");
  });
}

// Offer words while they are typed, in all fields of a section that ask for it.
export function completeWords(section, model) {
  for (const input of section.querySelectorAll("[data-complete]")) {
    const list = make("datalist", { id: `${section.getAttribute("aria-labelledby")}-${input.name}-${input.form.className}` });
    input.setAttribute("list", list.id);
    input.after(list);
    let latest = 0;
    input.addEventListener("input", async () => {
      const mine = ++latest;
      const found = input.value.trim() ? await ask(model, "complete", { word: input.value }).catch(() => null) : null;
      if (mine === latest) list.replaceChildren(...(found?.words ?? []).map((word) => make("option", { value: word })));
    });
  }
}

// A table of names with bars; `rows` are [name, share from 0 to 1, what is written beside the bar].
export function bars(caption, header, rows) {
  const body = make("tbody");
  for (const [name, share, told] of rows) {
    const bar = make("span", { class: "bar", "aria-hidden": "true" });
    bar.style.width = `${Math.max(0, Math.min(1, share)) * 100}%`;
    const track = make("td", { class: "track" }, bar);
    body.append(make("tr", {}, make("th", { scope: "row" }, make("bdi", {}, name)), track, make("td", { class: "number" }, told)));
  }
  const columns = header.map((text, place) => make("th", { scope: "col", class: place ? "number" : "" }, text));
  columns.splice(1, 0, make("td"));
  return make("table", {}, make("caption", {}, caption), make("thead", {}, make("tr", {}, ...columns)), body);
}

let plotly = null;

// Plotly, loaded when the first picture is drawn.
export function loadPlotly() {
  plotly ??= new Promise((resolve, reject) => {
    const script = make("script", { src: "plotly.js" });
    script.addEventListener("load", () => resolve(window.Plotly));
    script.addEventListener("error", () => reject(new Error("the script that draws pictures could not be loaded")));
    document.head.append(script);
  });
  return plotly;
}

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// The color of a class of words or of a curve, by its number; there are eight.
export const classColor = (number) => color(`--color${number % 8}`);

// What all pictures share; colors follow the page.
export function pictureLayout(more) {
  const axis = { automargin: true, gridcolor: color("--line"), zerolinecolor: color("--line"), linecolor: color("--line") };
  const { xaxis = {}, yaxis = {}, ...others } = more;
  return {
    paper_bgcolor: color("--card"), plot_bgcolor: color("--card"), font: { color: color("--ink"), family: "system-ui, sans-serif" },
    margin: { l: 50, r: 10, t: 10, b: 45 }, showlegend: false,
    xaxis: { ...axis, ...xaxis }, yaxis: { ...axis, ...yaxis }, ...others,
  };
}

export const onThemeChange = (redraw) => matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

// Plotly takes some HTML in its labels, which words must not become.
export const plain = (word) => word.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
