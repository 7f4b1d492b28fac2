// The page's own script: draws its figures, sorts its tables, and prepares both for paper.
"use strict";

const dark = matchMedia("(prefers-color-scheme: dark)");
const darkColours = JSON.parse(document.getElementById("dark-plots")?.textContent ?? "{}");
const plots = [...document.querySelectorAll(".plot")].map((plot) => {
  const holder = plot.querySelector("script");
  const text = holder.textContent;
  holder.remove();
  return { plot, text };
});

// ---- figures ----

// of A4 and of letter paper, less their margins, and a height that lets three figures share a page; CSS pixels
const PAPER_WIDTH = 680;
const PAPER_HEIGHT = 290;

function figureOf(text, onDark) {
  const figure = JSON.parse(text);
  if (!onDark) return figure;
  const known = new RegExp(Object.keys(darkColours).join("|"), "g");
  const darkened = JSON.parse(text.replace(known, (colour) => darkColours[colour]));
  // maps keep their shades, and so the ink of the words upon them
  darkened.data.forEach((trace, place) => {
    if (trace.type === "heatmap") Object.assign(trace, figure.data[place]);
  });
  return darkened;
}

function draw({ plot, text }, { onDark = dark.matches, width } = {}) {
  const { data, layout, frames } = figureOf(text, onDark);
  const room = width ?? plot.clientWidth;
  const narrow = room < 520;
  layout.autosize = true;
  if (width) Object.assign(layout, { width, height: Math.min(layout.height || PAPER_HEIGHT, 1.6 * PAPER_HEIGHT) });
  if (narrow) {
    layout.font = { ...layout.font, size: 11 };
    layout.margin = { ...layout.margin, l: 40, r: 8 };
  }
  plot.style.minHeight = `${layout.height || 420}px`;
  const config = {
    responsive: !width,
    displaylogo: false,
    displayModeBar: narrow || width ? false : "hover",
    modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"],
  };
  const drawn = Plotly.react(plot, { data, layout, frames, config });
  // what a picture's letters and lines say is said in order by the description and the table beside it
  for (const picture of plot.querySelectorAll("svg.main-svg")) picture.setAttribute("aria-hidden", "true");
  return drawn;
}

// One after the other, so that the page can be read and scrolled while the rest is drawn.
function drawAll(waiting) {
  const [next, ...rest] = waiting;
  if (!next) {
    document.documentElement.dataset.drawn = "yes";
    return;
  }
  draw(next);
  setTimeout(() => drawAll(rest), 0);
}

// ---- tables ----

const said = document.getElementById("said");
const order = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

function keyOf(row, column) {
  const cell = row.cells[column];
  const text = cell.dataset.value ?? cell.textContent.trim();
  const number = /^[+\-−]?[\d.,]+(e[+-]?\d+)?($|[\s[])/i.test(text)
    ? Number.parseFloat(text.replace("−", "-").replaceAll(",", ""))
    : Number.NaN;
  return { text, number, empty: text === "" || text === "–" };
}

function compare(one, other) {
  if (!Number.isNaN(one.number) && !Number.isNaN(other.number)) return one.number - other.number;
  return order.compare(one.text, other.text);
}

function sort(table, heading, rows) {
  const now = { none: "ascending", ascending: "descending", descending: "none" }[heading.getAttribute("aria-sort") ?? "none"];
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  const sign = now === "descending" ? -1 : 1;
  let sorted = rows;
  if (now !== "none") {
    heading.setAttribute("aria-sort", now);
    sorted = rows
      .map((row) => ({ row, key: keyOf(row, heading.cellIndex) }))
      // whatever the direction, empty cells come last
      .sort((a, b) => a.key.empty - b.key.empty || (a.key.empty ? 0 : sign * compare(a.key, b.key)))
      .map(({ row }) => row);
  }
  table.tBodies[0].append(...sorted);
  const name = heading.textContent.trim();
  said.textContent = now === "none" ? "Table in its own order" : `Table sorted by ${name}, ${now}`;
}

for (const table of document.querySelectorAll("table.sortable")) {
  const rows = [...table.tBodies[0].rows];
  if (rows.length < 2) continue;
  for (const heading of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => sort(table, heading, rows));
  }
}

// ---- paper ----

addEventListener("beforeprint", () => {
  // what is folded is printed, but for the numbers of figures, which paper shows anyway
  for (const part of document.querySelectorAll("details:not([open]):not(figure *)")) {
    part.open = true;
    part.dataset.folded = "";
  }
  for (const one of plots) draw(one, { onDark: false, width: PAPER_WIDTH });
});
addEventListener("afterprint", () => {
  for (const part of document.querySelectorAll("details[data-folded]")) {
    part.open = false;
    delete part.dataset.folded;
  }
  drawAll(plots);
});

dark.addEventListener("change", () => drawAll(plots));
drawAll(plots);
