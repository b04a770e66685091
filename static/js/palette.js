// Ctrl+K: go to a page or an object by a few letters. Arrow keys choose, Enter opens, Escape closes, focus returns.

const dialog = document.getElementById("palette");
const input = document.getElementById("palette-input");
const list = document.getElementById("palette-list");
const empty = document.getElementById("palette-empty");
const status = document.getElementById("palette-status");

let chosen = -1;
let pending;
let timer;

const options = () => [...list.children];

const choose = (index) => {
  const all = options();
  if (!all.length) {
    chosen = -1;
    input.removeAttribute("aria-activedescendant");
    return;
  }
  chosen = (index + all.length) % all.length;
  all.forEach((option, position) => option.setAttribute("aria-selected", String(position === chosen)));
  input.setAttribute("aria-activedescendant", all[chosen].id);
  all[chosen].scrollIntoView({ block: "nearest" });
};

const drawn = (hit, index) => {
  const option = document.createElement("li");
  option.id = `palette-option-${index}`;
  option.className = "palette-option";
  option.setAttribute("role", "option");
  option.setAttribute("aria-selected", "false");
  option.dataset.href = hit.href;
  for (const [name, text] of [["label", hit.label], ["detail", hit.detail], ["kind", hit.kind]]) {
    if (!text) continue;
    const part = document.createElement("span");
    part.className = `palette-${name}`;
    part.textContent = text;
    option.append(part);
  }
  return option;
};

const show = (hits) => {
  list.replaceChildren(...hits.map(drawn));
  empty.hidden = hits.length > 0;
  const words = status.dataset;
  status.textContent = hits.length === 0 ? words.none : hits.length === 1 ? words.one : words.many.replace("{count}", hits.length);
  choose(0);
};

const ask = async () => {
  pending?.abort();
  pending = new AbortController();
  const address = `${dialog.dataset.palette}?q=${encodeURIComponent(input.value)}`;
  try {
    const answer = await fetch(address, { signal: pending.signal, headers: { Accept: "application/json" } });
    if (answer.ok && !answer.redirected) show((await answer.json()).hits);
    else location.reload();
  } catch (error) {
    if (error.name !== "AbortError") show([]);
  }
};

const open = () => {
  if (dialog.open) return;
  input.value = "";
  dialog.showModal();
  input.focus();
  ask();
};

const go = (option) => {
  if (option) location.assign(option.dataset.href);
};

if (dialog) {
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      if (dialog.open) dialog.close();
      else open();
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-palette-open]")) open();
    else if (event.target === dialog) dialog.close();
    else go(event.target.closest(".palette-option"));
  });
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, 120);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") choose(chosen + 1);
    else if (event.key === "ArrowUp") choose(chosen - 1);
    else if (event.key === "Enter") go(options()[chosen]);
    else return;
    event.preventDefault();
  });
}
