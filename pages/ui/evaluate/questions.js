// Questions as rows. Texts come in through `data` and are set as textContent alone.

function head(words) {
  const texts = [["text", words.question], ["ranks", words.ranks], ["", `${words.measure}  0 … 1`], ["", ""], ["gain", ""]];
  return texts.map(([className, text]) => made("span", className, text));
}

function track(row) {
  const line = made("span", "track"), left = Math.min(row.before, row.after);
  const way = made("span", "way"), ends = ["before", "after"].map((end) => made("span", `dot ${end}`));
  Object.assign(way.style, { left: `${100 * left}%`, width: `${100 * Math.abs(row.after - row.before)}%` });
  ends[0].style.left = `${100 * row.before}%`;
  ends[1].style.left = `${100 * row.after}%`;
  line.append(way, ...ends);
  return line;
}

function cells(row) {
  if (row.kind === "none") return [made("span", "text", row.question), made("span", "note", row.note)];
  return [
    made("span", "text", row.question),
    made("span", "number ranks", row.ranks),
    track(row),
    made("span", "number values", row.values),
    made("span", "number gain", row.gain),
  ];
}

function item(row) {
  const place = made("div", "item"), button = made("button", `row ${row.kind}`);
  place.setAttribute("role", "listitem");
  Object.assign(button, { type: "button", tabIndex: -1 });
  button.dataset.question = row.question;
  button.append(...cells(row));
  place.append(button);
  return place;
}

function build(root, data) {
  const focused = root.getRootNode().activeElement?.dataset.question;
  root.querySelector(".head").replaceChildren(...head(data.words));
  root.list.replaceChildren(...data.rows.map(item));
  [...root.list.querySelectorAll(".row")].find((button) => button.dataset.question === focused)?.focus();
}

function mark(root) {
  const buttons = [...root.list.querySelectorAll(".row")];
  const opened = buttons.find((button) => button.dataset.question === root.opened);
  for (const button of buttons) {
    button.classList.toggle("opened", button === opened);
    button.setAttribute("aria-expanded", String(button === opened));
  }
  root.classList.toggle("opened", Boolean(opened));
  stop(root, opened ?? buttons[0]);
  if (opened) root.list.scrollTop = opened.parentElement.offsetTop - root.list.clientHeight / 2 + opened.offsetHeight / 2;
}

// One row alone is reached by Tab, the others from there by arrows.
function stop(root, button) {
  for (const other of root.list.querySelectorAll(".row")) other.tabIndex = other === button ? 0 : -1;
}

function open(root, question) {
  root.opened = question === root.opened ? null : question;
  mark(root);
  root.set("opened", root.opened);
}

function press(root, event) {
  const buttons = [...root.list.querySelectorAll(".row")], at = buttons.indexOf(event.target.closest(".row"));
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
  if (at < 0 || to === undefined) return;
  event.preventDefault();
  if (!buttons[to]) return;
  stop(root, buttons[to]);
  buttons[to].focus();
}

function wire(root) {
  root.list = root.querySelector(".rows");
  root.list.onclick = (event) => {
    const button = event.target.closest(".row");
    if (button) open(root, button.dataset.question);
  };
  root.list.onkeydown = (event) => press(root, event);
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".questions"), drawn = JSON.stringify([data.rows, data.words]);
  if (!root.list) wire(root);
  Object.assign(root, { opened: data.opened, set: setStateValue });
  if (root.drawn !== drawn) build(root, data);
  root.drawn = drawn;
  mark(root);
}
