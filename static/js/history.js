// The list of calls: boxes that float above it.
// @ts-check

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
