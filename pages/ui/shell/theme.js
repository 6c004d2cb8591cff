// Streamlit keeps its theme for each address apart, and changes it by its own menu alone, which style.css hides.
const kept = (address) => `stActiveTheme-${address}-v2`;

function press(name) {
  const menu = document.querySelector("[data-testid=stMainMenuButton]");
  const find = () => document.querySelector(`[data-testid=stMainMenuItem-theme-${name}]`);
  const drawn = new MutationObserver(() => {
    const item = find();
    if (!item) return;
    drawn.disconnect();
    item.click();
    if (find()) menu.click();
  });
  drawn.observe(document.body, { childList: true, subtree: true });
  menu.click();
}

function remember(name, { page, pages }) {
  const start = location.pathname.slice(0, location.pathname.length - page.length);
  for (const path of pages) localStorage.setItem(kept(start + path), JSON.stringify(name));
}

// Streamlit tells by a colour alone which page is shown; in a narrow window its name may lie beyond the edge.
function markWhereOneIs({ page, pages }) {
  document.querySelectorAll(".st-key-pages a").forEach((link, place) => {
    if (pages[place] !== page) return link.removeAttribute("aria-current");
    link.setAttribute("aria-current", "page");
    stayInView(link.closest(".st-key-menu"), link.closest(".st-key-pages"));
  });
}

// Style and fonts may come after this, and the window may change.
function stayInView(menu, pages) {
  const show = () => reveal(pages.querySelector("[aria-current]"), menu);
  show();
  if (menu.watched) return;
  menu.watched = new ResizeObserver(show);
  for (const part of [menu, pages]) menu.watched.observe(part);
}

// The language, which is drawn after this, lies over the end of a menu that is too wide: so much in pixels, and a little.
const LANGUAGE = 176;

// Along the menu alone: scrollIntoView would take the whole page back to its top.
function reveal(link, menu) {
  const at = link.getBoundingClientRect(), room = menu.getBoundingClientRect();
  if (at.left < room.left) menu.scrollLeft += at.left - room.left;
  else menu.scrollLeft += Math.max(0, Math.ceil(at.right - (room.right - LANGUAGE)));
}

export default function ({ data: [data], parentElement }) {
  document.documentElement.lang = data.language;
  for (const [name, word] of Object.entries(data.uploads)) {
    document.documentElement.style.setProperty(`--upload-${name}`, JSON.stringify(word));
  }
  markWhereOneIs(data);
  parentElement.querySelector("legend").textContent = data.label;
  parentElement.querySelector("fieldset").style.visibility = ""; // until it has names, nothing of it is read aloud
  const now = JSON.parse(localStorage.getItem(kept(location.pathname)) ?? '"System"');
  for (const input of parentElement.querySelectorAll("input")) {
    input.checked = input.value === now;
    input.title = data.names[input.value];
    input.setAttribute("aria-label", input.title);
    input.onchange = () => {
      press(input.value);
      remember(input.value, data);
    };
  }
}
