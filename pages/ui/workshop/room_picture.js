// Votes beside the cross-encoder's ranking, and the running score. Texts come in through `data` as textContent alone.

const line = (className, ...cells) => {
  const element = made("div", className, "", { role: "row" });
  element.append(...cells);
  return element;
};

const cell = (className, text = "", role = "cell") => made("span", className, text, { role });

function bar(share, label) {
  const element = cell("bar"), track = made("span", "track"), filled = made("span", "filled");
  filled.style.width = `${100 * share}%`;
  track.append(filled);
  element.append(track, made("span", "count", label));
  return element;
}

function textCell(row) {
  const element = cell("text"), lines = made("span", "lines");
  lines.append(made("span", "place", row.place), row.text);
  element.append(lines);
  return element;
}

function voteRow(row, data) {
  const move = cell("move"), words = data.words;
  move.append(made("span", row.before > row.rank ? "up" : row.before < row.rank ? "down" : "same", row.move));
  move.setAttribute("aria-label", `${words.before}: ${row.before}`);
  const marks = cell("marks");
  if (row.own) marks.append(made("span", "own", "●", { role: "img", "aria-label": words.own, title: words.own }));
  if (row.answer) marks.append(made("span", "answer", "✓", { role: "img", "aria-label": words.answer, title: words.answer }));
  const element = line("row", cell("rank", row.rank), move, bar(row.bar, row.votes), marks, textCell(row));
  element.classList.toggle("top", row.rank <= data.wanted);
  element.classList.toggle("last", row.rank === data.wanted);
  element.onclick = () => element.classList.toggle("open"); // the whole text of a chunk
  return element;
}

function votes(root, data) {
  const { rank, before, picks, answer, text } = data.words;
  const names = { rank, move: before, bar: picks, marks: "✓", text };
  const head = Object.entries(names).map(([name, word]) => cell(name, word, "columnheader"));
  head[3].setAttribute("aria-label", answer);
  const table = made("div", "table", "", { role: "table", "aria-label": picks });
  table.style.setProperty("--top", JSON.stringify(data.top));
  table.append(line("head", ...head), ...data.rows.map((row) => voteRow(row, data)));
  root.replaceChildren(table, ...data.help.map((words) => made("p", "help", words)));
}

function runningRow(row) {
  const scored = bar(row.bar, row.average), vector = made("span", "vector");
  vector.style.left = `${100 * row.vector}%`;
  scored.querySelector(".track").append(vector);
  scored.setAttribute("aria-label", row.said);
  return line("row", cell("rank", row.number), scored, cell("text", row.question));
}

function running(root, { title, total, help, rows }) {
  const table = made("div", "table", "", { role: "table", "aria-label": title });
  table.append(...rows.map(runningRow));
  root.replaceChildren(made("p", "title", title), made("p", "total", total), table, made("p", "help", help));
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".room"), drawn = JSON.stringify(data);
  if (root.drawn === drawn) return;
  root.drawn = drawn;
  root.classList.toggle("wall", data.wall);
  votes(root.querySelector(".votes"), data);
  running(root.querySelector(".running"), data.running);
}
