// Rows of a list: moving between them by keyboard, and doing one thing to several of them.
//
//   <tr data-row> ... <a class="vf-lead"> ...                J and K move the focus from row to row
//   <th><input type="checkbox" data-bulk-all form="bulk">    all rows of this page
//   <td><input type="checkbox" data-bulk-item form="bulk" name="id" value="..." aria-label="Select Front desk">
//   {% include "partials/_bulk_bar.html" with action=url actions="agents/_bulk_actions.html" %}
//
// The bar is a form of its own (id="bulk" unless bulk_id says other), so that rows may hold other forms; it
// shows itself by CSS once a row is selected, and works without this script. `actions` is a template of buttons:
//
//   <button class="vf-btn vf-btn-small" name="do" value="archive">            can be undone: just done, with a toast
//   <button ... name="do" value="delete" data-confirm-one="Delete this agent?" data-confirm-other="Delete {count}
//     agents?" data-confirm-text="...">                                        cannot: see ask.js
//
// Shift and a click select all between; X selects the row with the focus, Shift X all or none, Esc none.
// @ts-check
import { plural, setText } from "./format.js";

/** The box that was clicked last, for Shift. @type {HTMLInputElement | null} */
let last = null;

/** @param {HTMLFormElement} form @returns {HTMLInputElement[]} */
const boxes = (form) => /** @type {HTMLInputElement[]} */ ([...form.elements]).filter((each) => each.matches("[data-bulk-item]"));

/** @param {HTMLFormElement} form */
function show(form) {
  const all = boxes(form);
  const count = all.filter((box) => box.checked).length;
  const label = /** @type {HTMLElement} */ (form.querySelector("[data-bulk-count]"));
  setText(label, count ? plural(label.dataset, count) : "");
  for (const box of all) box.closest("tr")?.toggleAttribute("data-selected", box.checked);
  for (const whole of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("[data-bulk-all]"))) {
    if (whole.form !== form) continue;
    whole.checked = count > 0 && count === all.length;
    whole.indeterminate = count > 0 && count < all.length;
  }
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-confirm-other]"))) {
    button.dataset.confirm = plural(button.dataset, count, "confirm");
  }
}

/** @param {HTMLFormElement} form @param {boolean} checked */
function setAll(form, checked) {
  for (const box of boxes(form)) box.checked = checked;
  show(form);
}

document.addEventListener("click", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  const clear = target.closest("[data-bulk-clear]");
  if (clear) return setAll(/** @type {HTMLFormElement} */ (clear.closest("form")), false);
  if (!target.matches("[data-bulk-item]")) return;
  const box = /** @type {HTMLInputElement} */ (target);
  const form = /** @type {HTMLFormElement} */ (box.form);
  const all = boxes(form);
  if (event.shiftKey && last && all.includes(last)) {
    const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
    for (const between of all.slice(from, to + 1)) between.checked = box.checked;
  }
  last = box;
  show(form);
});

document.addEventListener("change", (event) => {
  const whole = /** @type {HTMLInputElement} */ (event.target);
  if (whole.matches("[data-bulk-all]") && whole.form) setAll(whole.form, whole.checked);
});

/** Whether the key was one of a list's. @param {KeyboardEvent} event */
export function pressInList(event) {
  if (event.key === "j" || event.key === "k") return move(event.key === "j" ? 1 : -1);
  const form = /** @type {HTMLFormElement | null} */ (document.querySelector("[data-bulk]"));
  if (!form) return false;
  if (event.key === "Escape" && boxes(form).some((box) => box.checked)) setAll(form, false);
  else if (event.key === "X") setAll(form, !boxes(form).every((box) => box.checked));
  else if (event.key === "x") return selectFocused();
  else return false;
  return true;
}

function selectFocused() {
  const box = /** @type {HTMLElement | null} */ (
    document.activeElement?.closest("tr")?.querySelector("[data-bulk-item]") ?? null
  );
  box?.click();
  return box !== null;
}

/** @param {number} by rows */
function move(by) {
  const rows = [...document.querySelectorAll("[data-row]")];
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const next = at < 0 ? rows[by > 0 ? 0 : rows.length - 1] : rows[at + by];
  /** @type {HTMLElement | null | undefined} */ (next?.querySelector(".vf-lead"))?.focus();
  return next !== undefined;
}

/** Boxes that the browser has kept checked over a reload. */
function showAll() {
  for (const form of document.querySelectorAll("form[data-bulk]")) show(/** @type {HTMLFormElement} */ (form));
}
addEventListener("pageshow", showAll);
document.addEventListener("htmx:afterSettle", showAll);
