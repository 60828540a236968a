// The command palette: pages and what was chosen lately at once, everything else from the server while one types.
//
// htmx asks (partials/_palette.html: after a pause, an older question is given up), voiceforge_site/palette.py
// answers. What was chosen is remembered in this browser alone, for each person, until they sign out.
// @ts-check
import { failureWords } from "./failure.js";
import { setText } from "./format.js";

const MOST_RECENT = 5;
const palette = /** @type {HTMLDialogElement} */ (document.getElementById("palette"));
const input = /** @type {HTMLInputElement} */ (palette.querySelector("input"));
const list = /** @type {HTMLElement} */ (document.getElementById("palette-list"));
const none = /** @type {HTMLElement} */ (palette.querySelector("[data-palette-none]"));
const failed = /** @type {HTMLElement} */ (palette.querySelector("[data-palette-failed]"));
const start = [...list.children].map((child) => child.cloneNode(true));
const memory = `vf-recent-${palette.dataset.person}`;
/** Enter was pressed before the answer to these words had come. */
let eager = false;

/** @typedef {{href: string, title: string, hint: string}} Recent */

/** @returns {Recent[]} */
function recent() {
  try {
    return JSON.parse(localStorage.getItem(memory) ?? "[]");
  } catch {
    return [];
  }
}

/** @param {HTMLAnchorElement} link */
function remember(link) {
  const chosen = {
    href: link.getAttribute("href") ?? "",
    title: link.querySelector("[data-title]")?.textContent ?? "",
    hint: link.closest("[role=group]")?.querySelector("h3")?.textContent ?? "",
  };
  if (link.closest("[data-recent]")) chosen.hint = link.querySelector("small")?.textContent ?? "";
  const others = recent().filter((each) => each.href !== chosen.href);
  localStorage.setItem(memory, JSON.stringify([chosen, ...others].slice(0, MOST_RECENT)));
}

/** @param {string} id @returns {HTMLElement} */
function copy(id) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(id));
  return /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
}

function showStart() {
  list.replaceChildren(...start.map((child) => child.cloneNode(true)));
  const group = copy("palette-recent");
  group.dataset.recent = "";
  recent().forEach((each, index) => {
    const option = copy("palette-recent-entry");
    option.id = `palette-recent-${index}`;
    option.setAttribute("href", each.href);
    setText(option.querySelector("[data-title]"), each.title);
    setText(option.querySelector("small"), each.hint);
    group.append(option);
  });
  if (group.querySelector("[role=option]")) list.prepend(group);
  settle();
}

/** @returns {HTMLElement[]} */
const options = () => Array.from(list.querySelectorAll("[role=option]"));
const words = () => input.value.split(/\s+/).filter(Boolean).join(" ");
const foundFor = () => /** @type {HTMLElement | null} */ (list.querySelector("[data-found-for]"))?.dataset.foundFor;
const chosen = () => options().find((option) => option.ariaSelected === "true");

function settle() {
  const shown = options();
  none.hidden = shown.length > 0;
  failed.hidden = true;
  list.scrollTop = 0;
  select(shown[0]);
  if (eager && foundFor() === words()) open();
}

/** @param {HTMLElement | undefined} option */
function select(option) {
  for (const each of options()) each.ariaSelected = String(each === option);
  input.setAttribute("aria-activedescendant", option?.id ?? "");
  option?.scrollIntoView({ block: "nearest" });
}

function open() {
  eager = false;
  chosen()?.click();
}

export function openPalette() {
  if (palette.open || document.querySelector("dialog[open]")) return;
  input.value = "";
  eager = false;
  palette.showModal();
  showStart();
  input.focus();
}

input.addEventListener("input", () => {
  eager = false;
  if (words()) return;
  input.dispatchEvent(new Event("htmx:abort"));
  showStart();
});
input.addEventListener("htmx:beforeRequest", (event) => {
  if (!words()) event.preventDefault();
});
list.addEventListener("htmx:afterSettle", () => {
  if (words()) settle();
  else showStart(); // the field was emptied while the answer was on its way
});

/** Said in the palette, which covers the bar of the page. @param {number} status */
function fail(status) {
  eager = false;
  list.replaceChildren();
  none.hidden = true;
  failed.hidden = false;
  setText(failed, failureWords(status));
}
palette.addEventListener("htmx:sendError", (event) => {
  event.stopPropagation();
  fail(0);
});
palette.addEventListener("htmx:responseError", (event) => {
  event.stopPropagation();
  fail(/** @type {CustomEvent} */ (event).detail.xhr.status);
});

const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: 5, PageUp: -5 };

palette.addEventListener("keydown", (event) => {
  const shown = options();
  const step = STEPS[event.key];
  if (step) {
    event.preventDefault();
    const at = shown.findIndex((option) => option.ariaSelected === "true");
    const wanted = Math.abs(step) === 1 ? at + step + shown.length : Math.max(0, Math.min(shown.length - 1, at + step));
    select(shown[wanted % shown.length]);
  } else if (event.key === "Enter") {
    event.preventDefault();
    if (words() && foundFor() !== words()) eager = true;
    else open();
  }
});

palette.addEventListener("click", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (target === palette) return palette.close();
  const entry = target.closest("[role=option]");
  if (!entry) return;
  if (entry instanceof HTMLAnchorElement) remember(entry);
  palette.close(); // before what the entry does, which may open a dialog or ask whether to leave
});

document.addEventListener("submit", (event) => {
  if (/** @type {HTMLElement} */ (event.target).matches("[data-sign-out]")) localStorage.removeItem(memory);
});
