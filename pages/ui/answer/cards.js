// Two answers side by side. Texts come in through `data` and are set as textContent alone.

function sentence(said, tag, picked, pick) {
  const block = made("div", "sentence"), under = made("div", "under");
  block.classList.toggle("alone", said.alone);
  block.classList.toggle("bare", !said.sources.length);
  block.classList.toggle("picked", said.sources.some(({ id }) => id === picked));
  if (said.alone) under.append(made("span", "tag", tag));
  for (const { id, label } of said.sources) {
    const button = made("button", "", label);
    button.type = "button";
    button.setAttribute("aria-pressed", id === picked);
    button.onclick = (event) => {
      event.stopPropagation();
      pick(id);
    };
    under.append(button);
  }
  block.append(made("p", "words", said.words), under);
  // A reader who marked some words wants to keep them.
  block.onclick = () => said.sources.length && getSelection().isCollapsed && pick(said.sources[0].id);
  return block;
}

function answer(side, place, picked, pick) {
  const card = made("section", `answer ${place ? "after" : "before"}`);
  card.setAttribute("aria-label", side.title);
  card.append(made("h3", "", side.title), made("p", "source", side.source));
  if (side.unclear) card.append(made("p", "unclear", side.unclear));
  card.classList.toggle("nearest", Boolean(side.unclear));
  for (const said of side.said) card.append(sentence(said, side.tag, picked, pick));
  return card;
}

export default function ({ data, parentElement, setStateValue }) {
  const pick = (id) => setStateValue("picked", id === data.picked ? null : id);
  const cards = data.sides.map((side, place) => answer(side, place, data.picked, pick));
  const root = parentElement.querySelector(".answers"), buttons = () => [...root.querySelectorAll("button")];
  const place = buttons().indexOf(root.getRootNode().activeElement);
  root.replaceChildren(...cards);
  buttons()[place]?.focus({ preventScroll: true });
}
