// Which calls are shown: kept in the address, with the number of calls behind each choice.
// @ts-check
import { filled, labels, setText } from "../format.js";
import { needsPerson } from "./card.js";

const form = /** @type {HTMLFormElement} */ (document.querySelector("[data-filters]"));
const SELECTS = { agent: "agent_slug", state: "state", line: "line" };

/** @param {string} name */
const chosen = (name) => String(new FormData(form).get(name) ?? "");

/** As `Filters.admit` of telephony/board.py.
 * @param {boolean} [whoeverNeeds] whether or not a call needs a person @returns {(card: any) => boolean} */
export function filter(whoeverNeeds = false) {
  const words = chosen("q").trim().toLowerCase();
  const digits = /\p{L}/u.test(words) ? "" : words.replace(/\D/g, "");
  const needs = chosen("needs") === "person" && !whoeverNeeds;
  const wanted = Object.entries(SELECTS)
    .map(([name, field]) => [field, chosen(name)])
    .filter(([, value]) => value);
  return (card) =>
    (!needs || needsPerson(card)) &&
    wanted.every(([field, value]) => card[field] === value) &&
    (!words ||
      `${card.agent} ${card.caller} ${card.words} ${card.guess} ${card.holder ?? ""}`.toLowerCase().includes(words) ||
      Boolean(digits && card.caller.includes(digits)));
}

/** Whether any filter is set. */
export const filtering = () => ["q", "needs", ...Object.keys(SELECTS)].some((name) => chosen(name).trim());

/** @param {() => void} changed */
export function watchFilters(changed) {
  const apply = () => {
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (String(value).trim()) query.set(name, String(value));
    if (new URLSearchParams(location.search).has("wall")) query.set("wall", "1");
    history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
    changed();
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    apply();
  });
  document.querySelector("[data-clear-filters]")?.addEventListener("click", (event) => {
    event.preventDefault();
    for (const field of form.elements) {
      if (field instanceof HTMLSelectElement) field.value = "";
      else if (field instanceof HTMLInputElement && field.type === "search") field.value = "";
      else if (field instanceof HTMLInputElement && field.type === "radio") field.checked = !field.value;
    }
    apply();
  });
}

/** How many of these calls each choice stands for. @param {any[]} going */
export function showChoices(going) {
  for (const [name, field] of Object.entries(SELECTS)) {
    const select = /** @type {HTMLSelectElement} */ (form.elements.namedItem(name));
    if (document.activeElement === select) continue; // an open list must not change under the pointer
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const card of going) counts.set(card[field], (counts.get(card[field]) ?? 0) + 1);
    for (const option of select.options) {
      if (!option.value) continue;
      const label = { label: option.dataset.label, n: counts.get(option.value) ?? 0 };
      setText(option, filled(labels.board.choice, label));
      counts.delete(option.value);
    }
    for (const [value, count] of counts) {
      const card = going.find((each) => each[field] === value);
      const option = new Option("", value);
      option.dataset.label = name === "agent" ? card.agent : value;
      setText(option, filled(labels.board.choice, { label: option.dataset.label, n: count }));
      select.append(option);
    }
  }
}
