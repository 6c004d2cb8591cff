// A text with marks in it: a line for each of its lines, and the rows of a table one under another.
// Texts come in through `data` and are set as textContent alone.

const STRONGEST = 55; // percent of its colour

function run([words, mark, title]) {
  if (mark === false) return made("span", "", words);
  const element = made("mark", mark === true ? "" : `shaded ${mark > 0 ? "for" : "against"}`, words);
  if (mark !== true) element.style.setProperty("--share", `${Math.abs(mark) * STRONGEST}%`);
  if (title) element.title = title;
  return element;
}

// Lines of cells of runs.
function linesOf(runs) {
  const lines = [[[]]];
  for (const [words, ...rest] of runs)
    words.split("\n").forEach((line, i) => {
      if (i) lines.push([[]]);
      line.split("\t").forEach((cell, j) => {
        if (j) lines.at(-1).push([]);
        if (cell) lines.at(-1).at(-1).push([cell, ...rest]);
      });
    });
  return lines;
}

const filled = (element, runs) => {
  element.append(...runs.map(run));
  return element;
};

function row(cells) {
  const line = made("tr");
  for (const cell of cells) {
    const figure = !/\p{L}/u.test(cell.map(([words]) => words).join(""));
    line.append(filled(made("td", figure ? "figure" : ""), cell));
  }
  return line;
}

export default function ({ data, parentElement }) {
  const parts = [];
  let table = null;
  for (const cells of linesOf(data)) {
    if (cells.length === 1) {
      table = null;
      parts.push(filled(made("p"), cells[0]));
      continue;
    }
    if (!table) {
      table = made("table");
      const rows = made("div", "rows");
      rows.tabIndex = 0; // by the keyboard, too, it can be moved sideways
      rows.append(table);
      parts.push(rows);
    }
    table.append(row(cells));
  }
  parentElement.querySelector(".marked").replaceChildren(...parts);
}
