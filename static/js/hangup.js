// Hanging up: an HTTP request with the button waiting until the call has ended, or 5 s.
// @ts-check
import { sendForm } from "./send.js";

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
    if (!(await sendForm(form))) done();
  });
}
