// The list of agents: choosing several rows, by mouse and by keyboard.
// @ts-check
import { filled, setText } from "./format.js";
import "./archive.js";

/** @returns {HTMLInputElement[]} */
const boxes = () => Array.from(document.querySelectorAll("#results input[name=agent]"));
/** @type {HTMLInputElement | null} */ let last = null; // where a range begins

function showCount() {
  const all = boxes();
  const chosen = all.filter((box) => box.checked).length;
  const count = /** @type {HTMLElement | null} */ (document.querySelector(".vf-bulk-count"));
  if (count) setText(count, filled(count.dataset.selected ?? "", { count: chosen }));
  const every = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-select-all]"));
  if (!every) return;
  every.checked = chosen > 0 && chosen === all.length;
  every.indeterminate = chosen > 0 && chosen < all.length;
}

document.addEventListener("click", (event) => {
  const box = event.target;
  if (!(box instanceof HTMLInputElement)) return;
  if (box.matches("[data-select-all]")) {
    for (const each of boxes()) each.checked = box.checked;
  } else if (box.name !== "agent") return;
  else {
    if (event.shiftKey && last?.isConnected) choose(last, box);
    last = box;
  }
  showCount();
});

/** All between two boxes become as the second. @param {HTMLInputElement} from @param {HTMLInputElement} to */
function choose(from, to) {
  const all = boxes();
  const [first, end] = [all.indexOf(from), all.indexOf(to)].sort((a, b) => a - b);
  for (const box of all.slice(first, end + 1)) box.checked = to.checked;
}

document.addEventListener("keydown", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest("dialog, textarea, select, [type=search]")) return;
  if (event.key === "Escape") for (const box of boxes()) box.checked = false;
  else if (event.key === "x") target.closest("tr")?.querySelector("input")?.click();
  else return;
  showCount();
});
document.addEventListener("htmx:afterSettle", showCount);
addEventListener("pageshow", showCount);
