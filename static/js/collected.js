// The path through the conversation and the variables it fills, as telephony/transcript.py folds them.
// @ts-check
import { setText } from "./format.js";

const ON_THE_PATH = ["node", "intent"];

/** @param {{note: string, name: string, data: any}} step the payload of `step_noted` */
export function addStep({ note, name, data }) {
  if (ON_THE_PATH.includes(note)) addToPath(name);
  else if (note === "variable") setVariable(name, String(data.value ?? ""));
}

/** Before the first event. */
export function forgetSteps() {
  for (const list of document.querySelectorAll("[data-path], [data-variables]")) list.replaceChildren();
  for (const part of document.querySelectorAll("[data-path-section], [data-variables-section]")) {
    /** @type {HTMLElement} */ (part).hidden = true;
  }
}

/** @param {string} name */
function addToPath(name) {
  const path = /** @type {HTMLElement} */ (document.querySelector("[data-path]"));
  if (path.lastElementChild?.textContent === name) return;
  const item = document.createElement("li");
  item.textContent = name;
  path.append(item);
  reveal("[data-path-section]");
}

/** @param {string} name @param {string} value */
function setVariable(name, value) {
  const list = /** @type {HTMLElement} */ (document.querySelector("[data-variables]"));
  let term = list.querySelector(`[data-variable="${CSS.escape(name)}"]`);
  if (!term) {
    term = document.createElement("dt");
    term.setAttribute("data-variable", name);
    term.textContent = name;
    list.append(term, document.createElement("dd"));
  }
  setText(term.nextElementSibling, value);
  reveal("[data-variables-section]");
}

/** @param {string} selector */
function reveal(selector) {
  /** @type {HTMLElement} */ (document.querySelector(selector)).hidden = false;
}
