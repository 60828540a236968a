// Toasts: those that came with the page, and those that answers to htmx requests bring along in HX-Trigger.
//
// The server makes them (mlservices/pages/toasts.py). They go by themselves, later where there is an Undo, and
// never while the pointer or the focus is on them. U leads to the newest Undo.
// @ts-check
import { setText } from "./format.js";

const TOAST_MS = 4000;
const UNDO_MS = 10_000;
const ANNOUNCED_MS = 50; // a region that is filled before it is watched is not read out
const region = /** @type {HTMLElement} */ (document.querySelector("[data-toasts]"));

/** @param {HTMLElement} toast */
function letGo(toast) {
  let timer = 0;
  const undo = toast.querySelector("form:not([hidden])");
  const start = () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => toast.remove(), undo ? UNDO_MS : TOAST_MS);
  };
  const held = () => toast.matches(":hover") || toast.contains(document.activeElement);
  for (const name of ["pointerenter", "focusin"]) toast.addEventListener(name, () => clearTimeout(timer));
  for (const name of ["pointerleave", "focusout"]) {
    toast.addEventListener(name, () => setTimeout(() => held() || start()));
  }
  start();
}

/** @typedef {{text: string, level: string, undo: null | {url: string, fields: [string, string][]}}} Toast */

/** @param {Toast} told */
export function showToast({ text, level, undo }) {
  if (level === "error") return showNotice(text);
  const toast = copy("toast-template");
  setText(toast.querySelector("[data-toast-text]"), text);
  const form = /** @type {HTMLFormElement} */ (toast.querySelector("form"));
  form.hidden = !undo;
  form.action = undo?.url ?? "";
  for (const [name, value] of undo?.fields ?? []) {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name, value });
    form.append(field);
  }
  region.append(toast);
  letGo(toast);
}

/** A failure stays where it is until the page is left. @param {string} text */
function showNotice(text) {
  const notice = copy("notice-template");
  setText(notice.querySelector("span"), text);
  for (const old of document.querySelectorAll("main > .vf-page-notice")) old.remove();
  document.getElementById("main")?.prepend(notice);
}

/** @param {string} id @returns {HTMLElement} */
function copy(id) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(id));
  return /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
}

for (const toast of /** @type {NodeListOf<HTMLElement>} */ (region.querySelectorAll("[data-toast]"))) {
  const words = /** @type {Element} */ (toast.querySelector("[data-toast-text]"));
  setTimeout(() => words.replaceChildren(words.textContent ?? ""), ANNOUNCED_MS);
  letGo(toast);
}

document.addEventListener("toasts", (event) => {
  for (const told of /** @type {CustomEvent} */ (event).detail.value) showToast(told);
});

/** To the newest Undo, which waits while it has the focus. */
export function focusUndo() {
  const buttons = /** @type {NodeListOf<HTMLElement>} */ (region.querySelectorAll("form:not([hidden]) [data-undo]"));
  buttons[buttons.length - 1]?.focus();
}
