// Hanging up: an HTTP request with the button waiting until the call has ended, or 5 s.
// @ts-check
import { clearFailure, showFailure } from "./failure.js";

const PATIENCE_MS = 5000;

/** What is done to calls can be done while the server answers, and not while it is being done already. */
export function enableActions() {
  const offline = document.body.classList.contains("vf-offline");
  for (const form of document.querySelectorAll("[data-live-action]")) {
    const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
    button.disabled = offline || form.hasAttribute("data-pending");
  }
}

export function endCalls() {
  document.addEventListener("submit", async (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (!form.matches("[data-live-action]")) return;
    event.preventDefault();
    const done = () => {
      form.removeAttribute("data-pending");
      enableActions();
    };
    form.setAttribute("data-pending", "");
    enableActions();
    setTimeout(done, PATIENCE_MS);
    const answer = await fetch(form.action, {
      method: "POST",
      body: new FormData(form),
      headers: { "X-Requested-With": "fetch" },
    }).catch(() => null);
    if (answer?.ok) return clearFailure();
    done();
    showFailure(answer?.status ?? 0);
  });
}
