// The page of models: rows open to show everything about a model, and stay open when they are fetched anew.
// @ts-check

/** Ids of the details that are open. @type {Set<string>} */
const open = new Set();

/** @param {Element} button */
function show(button) {
  const id = button.getAttribute("aria-controls") ?? "";
  const details = document.getElementById(id);
  if (details) details.hidden = !open.has(id);
  button.setAttribute("aria-expanded", String(open.has(id)));
}

document.addEventListener("click", (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest("[data-more]");
  if (!button) return;
  const id = button.getAttribute("aria-controls") ?? "";
  if (!open.delete(id)) open.add(id);
  show(button);
});

/** To the model that the address names, as the palette and the picture of the memory do. */
function goToModel() {
  const button = document.getElementById(location.hash.slice(1))?.querySelector("[data-more]");
  if (!button) return;
  open.add(button.getAttribute("aria-controls") ?? "");
  show(button);
  button.scrollIntoView({ block: "center" });
  /** @type {HTMLElement} */ (button).focus({ preventScroll: true });
}
addEventListener("hashchange", goToModel);
goToModel();

document.addEventListener("htmx:load", (event) => {
  const part = /** @type {CustomEvent} */ (event).detail.elt;
  for (const button of part.querySelectorAll("[data-more]")) show(button);
});
