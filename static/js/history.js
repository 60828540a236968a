// The list of calls: boxes that float above it.
// @ts-check

/** A box that floats above the list closes with Escape, and when something else is clicked. */
const open = () => /** @type {HTMLDetailsElement[]} */ (Array.from(document.querySelectorAll("[data-pop][open]")));

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
