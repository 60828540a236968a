// The page around the canvas: the state of the draft, the menu, publishing, and the question whose draft stays.
// @ts-check
import { filled, setText } from "../format.js";
import { data, say } from "./page.js";

/** @param {string} selector @returns {any} */
const part = (selector) => document.querySelector(selector);

/** @param {string} state of saving.js @param {string} [words] */
export function showState(state, words = "") {
  const place = part("[data-flow-state]");
  const short = state === "offline" ? say("offline_short") : say(state);
  place.dataset.state = state;
  place.title = words || (state === "offline" ? say("offline") : "");
  setText(place, words ? `${short}: ${words}` : short);
}

/** On the page of a version nothing bears it. @param {string} name */
export function showName(name) {
  if (name) setText(part("[data-flow-name]"), name);
}

/** Whose draft stays. @param {string} who @returns {Promise<"mine" | "theirs">} */
export function askWhose(who) {
  const dialog = part("[data-conflict-dialog]");
  setText(dialog.querySelector("h2"), filled(data.words.conflict_title, { who: who || say("conflict_somebody") }));
  dialog.oncancel = (/** @type {Event} */ event) => event.preventDefault(); // one of the two it has to be
  dialog.returnValue = "";
  if (!dialog.open) dialog.showModal();
  return new Promise((resolve) => {
    const closed = () => (dialog.returnValue ? resolve(dialog.returnValue) : dialog.showModal());
    dialog.onclose = closed;
  });
}

/** What leads away from the page takes the newest draft along.
 * @param {{flush: () => Promise<boolean>, visitProblem: (problem: any) => void}} how */
export function wireHeader({ flush, visitProblem }) {
  const menu = part("[data-flow-menu]");
  if (!menu) return; // the page of a version
  addEventListener("click", (event) => menu.contains(event.target) || (menu.open = false));
  menu.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
    event.stopPropagation();
  });
  for (const each of document.querySelectorAll("[data-after-save]")) afterSaving(/** @type {HTMLElement} */ (each), flush);
  const dialog = part("[data-publish-dialog]");
  part("[data-publish]")?.addEventListener("click", async () => {
    if (!(await flush())) return;
    dialog.querySelector("[data-review]").replaceChildren();
    dialog.showModal();
    dialog.querySelector("[data-review]").dispatchEvent(new Event("review"));
  });
  dialog && drawDifference(dialog);
  dialog?.addEventListener("click", (/** @type {any} */ event) => {
    const shown = event.target.closest("[data-show-node]");
    if (event.target === dialog || shown) dialog.close();
    if (shown) visitProblem({ node: shown.dataset.showNode, edge: shown.dataset.showEdge });
  });
}

/** @param {HTMLElement} element a link or a form @param {() => Promise<boolean>} flush */
function afterSaving(element, flush) {
  let ready = false;
  const form = element instanceof HTMLFormElement;
  element.addEventListener(form ? "submit" : "click", async (event) => {
    if (ready) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!(await flush())) return;
    ready = true;
    if (form) element.requestSubmit();
    else element.click();
    ready = false;
  });
}

/** On a canvas of its own, for as long as the dialog is open. @param {HTMLDialogElement} dialog */
function drawDifference(dialog) {
  /** @type {import("./view.js").View | null} */
  let view = null;
  dialog.addEventListener("htmx:afterSettle", async () => {
    const place = /** @type {HTMLElement | null} */ (dialog.querySelector("[data-difference]"));
    dialog.classList.toggle("vf-flow-compared", Boolean(place));
    if (!place || place.firstChild) return;
    const { graph, lit } = JSON.parse(part("#flow-difference").textContent);
    const { openView } = await import("./view.js");
    view = openView(place, graph);
    view.lights.show(Object.entries(lit).map(([id, state]) => [id, { state }]));
    view.look(Object.keys(lit));
  });
  dialog.addEventListener("close", () => {
    view?.close();
    view = null;
    dialog.querySelector("[data-review]")?.replaceChildren();
  });
}
