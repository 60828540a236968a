// A field that is shown once, with a button that copies it: data-copy-field names it, data-copied says so.
// @ts-check
import { setText } from "./format.js";

document.addEventListener("click", async ({ target }) => {
  const button = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (target).closest("[data-copy-field]"));
  if (!button) return;
  const field = /** @type {HTMLInputElement} */ (document.getElementById(button.dataset.copyField ?? ""));
  field.select(); // where the browser gives no clipboard (plain http), a key press copies it
  const done = await navigator.clipboard?.writeText(field.value).then(
    () => true,
    () => false,
  );
  if (done) setText(button.querySelector("span"), button.dataset.copied ?? "");
});
