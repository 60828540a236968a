// Keys, and the dialog that lists them (?). The page itself is the registry:
//
//   <a href="..." data-shortcut="n">New agent</a>          the key clicks it; a field gets the focus instead.
//                                                          data-shortcut-label where its own words do not say it
//   <a class="vf-nav-link" data-key="l">                   G, then the key (voiceforge_site/navigation.py)
//   <div data-when="[data-row]"><dt>...</dt><dd>...</dd>   in partials/_shortcuts.html: keys of a mechanism, listed
//                                                          where the page has what the selector names
//
// data-search is short for data-shortcut="/", data-new for data-shortcut="n". No key works while one types.
// @ts-check
import { pressInList } from "./bulk.js";
import { setText } from "./format.js";
import { focusUndo } from "./toasts.js";

const GO_WITHIN_MS = 900;
const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("shortcuts"));
let wentAt = -Infinity;

/** @returns {HTMLElement[]} what a key of this page leads to, in the order of the page */
const keyed = () => Array.from(document.querySelectorAll("[data-shortcut], [data-search], [data-new]"));

/** @param {HTMLElement} element */
const keyOf = ({ dataset }) => dataset.shortcut ?? ("search" in dataset ? "/" : "n");

/** @param {HTMLElement} element */
function isThere(element) {
  return element.checkVisibility() && !(/** @type {HTMLButtonElement} */ (element).disabled);
}

/** @param {HTMLElement} element */
function labelOf(element) {
  return element.dataset.shortcutLabel || element.getAttribute("aria-label") || element.textContent?.trim() || "";
}

/** @param {HTMLElement} section @param {HTMLElement} element @param {string[]} keys */
function add(section, element, keys) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("shortcut-row"));
  const row = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
  row.dataset.made = "";
  setText(row.querySelector("dt"), labelOf(element));
  const caps = keys.map((key) => Object.assign(document.createElement("kbd"), { textContent: key.toUpperCase() }));
  row.querySelector("dd")?.append(...caps.flatMap((cap) => [cap, " "]));
  section.querySelector("dl")?.append(row);
}

export function showShortcuts() {
  if (dialog.open) return;
  for (const made of dialog.querySelectorAll("[data-made]")) made.remove();
  const [go, page] = /** @type {NodeListOf<HTMLElement>} */ (dialog.querySelectorAll("[data-shortcuts]"));
  for (const link of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".vf-side [data-key]"))) {
    const words = /** @type {HTMLElement} */ (link.querySelector("span") ?? link);
    if (link.dataset.key) add(go, words, ["g", link.dataset.key]);
  }
  for (const element of keyed()) if (isThere(element)) add(page, element, [keyOf(element)]);
  for (const row of /** @type {NodeListOf<HTMLElement>} */ (dialog.querySelectorAll("[data-when]"))) {
    row.hidden = !document.querySelector(row.dataset.when ?? "");
  }
  page.hidden = !page.querySelector("dl > div:not([hidden])");
  dialog.showModal();
}

dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});

/** @param {KeyboardEvent} event pressed while nobody types */
export function press(event) {
  const going = performance.now() - wentAt < GO_WITHIN_MS;
  wentAt = -Infinity;
  const link = going && document.querySelector(`.vf-side [data-key="${CSS.escape(event.key)}"]`);
  const element = keyed().find((each) => keyOf(each) === event.key && isThere(each));
  if (link) /** @type {HTMLElement} */ (link).click();
  else if (event.key === "?") showShortcuts();
  else if (event.key === "u") focusUndo();
  else if (event.key === "g") wentAt = performance.now();
  else if (pressInList(event)) event.preventDefault();
  else if (element) {
    event.preventDefault();
    if (element.matches("input, textarea, select")) element.focus();
    else element.click();
  }
}
