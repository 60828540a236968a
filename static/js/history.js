// The list of calls: choosing all of a page, how many are chosen, boxes that close again.
// @ts-check
import { filled, setText } from "./format.js";

/** @param {Element} list @returns {HTMLInputElement[]} */
const boxes = (list) => Array.from(list.querySelectorAll('tbody [name="call"]'));

document.addEventListener("change", (event) => {
  const box = /** @type {HTMLInputElement} */ (event.target);
  const list = box.closest("[data-choosable]");
  if (!list) return;
  if (box.matches("[data-choose-all]")) for (const each of boxes(list)) each.checked = box.checked;
  const chosen = boxes(list).filter((each) => each.checked).length;
  const all = /** @type {HTMLInputElement} */ (list.querySelector("[data-choose-all]"));
  all.checked = chosen === boxes(list).length;
  all.indeterminate = chosen > 0 && !all.checked;
  const count = /** @type {HTMLElement | null} */ (list.querySelector("[data-chosen-count]"));
  if (count) setText(count, filled(count.dataset.text ?? "", { n: chosen }));
});

/** A box that floats above the list closes with Escape, and when something else is clicked. */
const open = () => /** @type {HTMLDetailsElement[]} */ (Array.from(document.querySelectorAll("[data-pop][open]")));

/** One that would hang over the edge of the window opens towards the other side. */
document.addEventListener("toggle", showWhole, true); // this event does not bubble

/** @param {Event} event */
function showWhole(event) {
  const box = /** @type {HTMLDetailsElement} */ (event.target);
  if (box.dataset.pop !== "either") return;
  box.classList.remove("vf-pop-end");
  const edge = box.lastElementChild?.getBoundingClientRect().right ?? 0;
  box.classList.toggle("vf-pop-end", box.open && edge > document.documentElement.clientWidth);
}

document.addEventListener("click", (event) => {
  for (const box of open()) if (!box.contains(/** @type {Node} */ (event.target))) box.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const box of open()) {
    box.open = false;
    box.querySelector("summary")?.focus();
  }
});
