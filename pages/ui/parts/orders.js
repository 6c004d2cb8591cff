// Two linked tables of the same chunks. Texts come in through `data` and are set as textContent alone.

const SVG = "http://www.w3.org/2000/svg";
const REST = 350, MOVE = 1000; // milliseconds: the old ranking stands, then moves into the new one
const FULL = 12; // lines of later ranks are faint
let arrived = ""; // the comparison that moved in last: the same one drawn again does not move again

const filled = (text, places) => text.replace("{places}", places);

function head(side) {
  const row = made("div", "head", "", { role: "row" });
  const title = made("span", "title", side.title, { role: "columnheader", "aria-colspan": 3 });
  row.append(title, made("span", "unit", side.unit, { role: "columnheader", title: side.start }));
  return row;
}

function moveCell(delta, old, words) {
  const said = delta > 0 ? words.up : delta < 0 ? words.down : words.same;
  const cell = made("span", "move", "", { role: "cell", "aria-label": filled(said, Math.abs(delta)) });
  cell.append(made("span", "arrow", delta ? `${delta > 0 ? "▲" : "▼"} ${Math.abs(delta)}` : "＝"));
  cell.append(made("span", "old", filled(words.was, old)), made("span", "crossed"));
  return cell;
}

function textCell(chunk) {
  const cell = made("span", "text", "", { role: "cell" }), lines = made("span", "lines");
  lines.append(made("span", "place", chunk.place));
  if (chunk.grade) lines.append(made("span", "grade", chunk.grade));
  const above = made("span", "above");
  for (const [words, marked] of chunk.head) above.append(made(marked ? "mark" : "span", "", words));
  if (chunk.head.length) lines.append(above);
  for (const [words, marked] of chunk.runs) lines.append(made(marked ? "mark" : "span", "", words));
  cell.append(lines);
  return cell;
}

function scoreCell(row) {
  const cell = made("span", "score", "", { role: "cell" });
  const track = made("span", "track"), bar = made("span", "bar");
  bar.style.width = `${100 * row.bar}%`;
  track.append(bar);
  cell.append(made("span", "number", row.score), track);
  return cell;
}

function rowOf(row, rank, data, ranks) {
  const delta = ranks[0].get(row.id) - ranks[1].get(row.id);
  const line = made("div", "row", "", { role: "row", tabindex: -1 });
  line.dataset.id = row.id;
  line.classList.add(delta > 0 ? "up" : delta < 0 ? "down" : "same");
  line.append(made("span", "rank", rank, { role: "cell" }), moveCell(delta, ranks[0].get(row.id), data.words));
  line.append(textCell(data.chunks[row.id]), scoreCell(row));
  return line;
}

function build(root, data) {
  const ranks = data.sides.map((side) => new Map(side.rows.map((row, i) => [row.id, i + 1])));
  root.tables.forEach((table, i) => {
    const rows = data.sides[i].rows.map((row, j) => rowOf(row, j + 1, data, ranks));
    table.setAttribute("aria-label", data.sides[i].title);
    table.replaceChildren(head(data.sides[i]), ...rows);
    rows[0].tabIndex = 0;
  });
  root.ranks = ranks;
  root.again.textContent = `↻ ${data.words.replay}`;
  root.scroll.scrollTop = 0;
}

function curve(from, to, width) {
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", `M0,${from} C${width / 2},${from} ${width / 2},${to} ${width},${to}`);
  return path;
}

function drawLines(root) {
  const { lines, tables, ranks } = root, k = root.data.cutoff;
  const first = tables[1].querySelector(".row"), height = first.offsetHeight, width = lines.clientWidth;
  root.line.style.top = `${first.offsetTop + k * height}px`;
  if (!width) return; // a narrow screen shows one list
  const middle = (rank) => first.offsetTop + (rank - 0.5) * height;
  lines.style.height = `${tables[1].offsetHeight}px`;
  const paths = root.data.sides[1].rows.map(({ id }, i) => {
    const before = ranks[0].get(id), after = i + 1, path = curve(middle(before), middle(after), width);
    path.dataset.id = id;
    path.classList.add(before > after ? "up" : before < after ? "down" : "same");
    path.classList.toggle("crossing", before <= k !== after <= k);
    path.classList.toggle("faint", Math.min(before, after) > FULL);
    return path;
  });
  lines.replaceChildren(...paths);
}

function light(root) {
  for (const element of root.querySelectorAll("[data-id]")) {
    element.classList.toggle("lit", element.dataset.id === root.over);
    element.classList.toggle("picked", element.dataset.id === root.picked);
  }
}

function mark(root) {
  const { cutoff: k, words } = root.data;
  root.line.firstChild.textContent = words.cutoff;
  root.line.hidden = k >= root.data.sides[1].rows.length;
  root.tables.forEach((table, side) => {
    table.querySelectorAll(".row").forEach((row, i) => {
      const others = root.ranks[1 - side].get(row.dataset.id), crossed = i < k && others > k;
      row.classList.toggle("top", i < k);
      row.classList.toggle("crossing", crossed);
      row.querySelector(".crossed").textContent = crossed ? (side ? words.entered : words.left) : "";
      if (row.dataset.id === root.picked) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    });
  });
  root.classList.toggle("open", Boolean(root.picked));
  drawLines(root);
  light(root);
}

function replay(root) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const rows = root.tables[1].querySelectorAll(".row"), timing = { duration: MOVE, delay: REST, fill: "backwards" };
  rows.forEach((row, i) => {
    const places = root.ranks[0].get(row.dataset.id) - (i + 1);
    const from = { transform: `translateY(${places * row.offsetHeight}px)` };
    row.animate([from, { transform: "none" }], { ...timing, easing: "cubic-bezier(.6, 0, .2, 1)" });
  });
  root.lines.animate([{ opacity: 0 }, { opacity: 0, offset: 0.7 }, { opacity: 1 }], timing);
}

function pick(root, id) {
  root.picked = id;
  mark(root);
  root.set("picked", id);
  if (id) root.querySelector(".row.picked:focus")?.scrollIntoView({ block: "nearest" });
}

function focus(row, scroll) {
  if (!row) return;
  for (const other of row.parentElement.querySelectorAll(".row")) other.tabIndex = -1;
  row.tabIndex = 0;
  row.focus({ preventScroll: true });
  // The head lies over the first row that is scrolled to.
  const head = row.parentElement.querySelector(".head").offsetHeight;
  if (row.offsetTop - head < scroll.scrollTop) scroll.scrollTop = row.offsetTop - head;
  const end = row.offsetTop + row.offsetHeight - scroll.clientHeight;
  if (end > scroll.scrollTop) scroll.scrollTop = end;
}

function press(root, event) {
  const row = event.target.closest(".row");
  if (!row) return;
  const there = (side) => root.tables[side].querySelector(`[data-id="${CSS.escape(row.dataset.id)}"]`);
  const sibling = (name) => (row[name]?.classList.contains("row") ? row[name] : null);
  const rows = row.parentElement.querySelectorAll(".row");
  const goes = {
    ArrowDown: () => sibling("nextElementSibling"),
    ArrowUp: () => sibling("previousElementSibling"),
    ArrowLeft: () => there(0),
    ArrowRight: () => there(1),
    Home: () => rows[0],
    End: () => rows[rows.length - 1],
  };
  if (event.key === "Enter" || event.key === " ") pick(root, row.dataset.id === root.picked ? null : row.dataset.id);
  else if (goes[event.key]) focus(goes[event.key](), root.scroll);
  else return;
  event.preventDefault();
}

function find(root) {
  root.tables = [...root.querySelectorAll(".table")];
  root.scroll = root.querySelector(".scroll");
  root.lines = root.querySelector("svg");
  root.line = root.querySelector(".cutoff");
  root.again = root.querySelector("button");
}

function wire(root) {
  const idUnder = (event) => event.target.closest("[data-id]")?.dataset.id;
  root.again.onclick = () => replay(root);
  root.scroll.onclick = (event) => {
    const row = event.target.closest(".row");
    if (row) focus(row, root.scroll);
    const id = idUnder(event);
    if (id) pick(root, id === root.picked ? null : id);
  };
  root.scroll.onkeydown = (event) => press(root, event);
  root.scroll.onpointerover = (event) => {
    root.over = idUnder(event);
    light(root);
  };
  root.scroll.onpointerleave = () => {
    root.over = undefined;
    light(root);
  };
  new ResizeObserver(() => {
    drawLines(root);
    light(root);
  }).observe(root);
}

export default function ({ data: [data], parentElement, setStateValue }) {
  const root = parentElement.querySelector(".orders");
  const first = !root.tables;
  if (first) find(root);
  Object.assign(root, { data, picked: data.picked, set: setStateValue });
  if (root.built !== data.drawn) build(root, data);
  root.built = data.drawn;
  if (first) wire(root);
  mark(root);
  if (arrived !== data.name) replay(root);
  arrived = data.name;
  const escape = (event) => event.key === "Escape" && root.picked && pick(root, null);
  document.addEventListener("keydown", escape);
  return () => document.removeEventListener("keydown", escape);
}
