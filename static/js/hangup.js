// Hanging up: an HTTP request with the button waiting until the call has ended, or 5 s.
// @ts-check
import { clearFailure, showFailure } from "./failure.js";

const PATIENCE_MS = 5000;

export function endCalls() {
  document.addEventListener("submit", async (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (!form.matches("[data-live-action]")) return;
    event.preventDefault();
    const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
    button.disabled = true;
    setTimeout(() => (button.disabled = false), PATIENCE_MS);
    const answer = await fetch(form.action, {
      method: "POST",
      body: new FormData(form),
      headers: { "X-Requested-With": "fetch" },
    }).catch(() => null);
    if (answer?.ok) return clearFailure();
    button.disabled = false;
    showFailure(answer?.status ?? 0);
  });
}
