// A conversation by text: clears the line once it was answered, keeps it when it was not.
// @ts-check

const form = /** @type {HTMLFormElement} */ (document.querySelector("[data-try]"));
const input = /** @type {HTMLInputElement} */ (form.querySelector("[name=words]"));
const turns = /** @type {HTMLElement} */ (document.getElementById("turns"));

function settle() {
  const last = turns.lastElementChild;
  if (!last?.hasAttribute("data-failed")) input.value = "";
  if (turns.querySelector("[data-ended]")) {
    for (const control of form.querySelectorAll("input, button")) control.setAttribute("disabled", "");
  } else input.focus();
  scrollTo({ top: document.documentElement.scrollHeight });
}

form.addEventListener("htmx:afterRequest", (event) => {
  if (/** @type {CustomEvent} */ (event).detail.successful) settle();
});

// Words sent before htmx has taken the form over would leave the page.
addEventListener("load", () => form.querySelector("button")?.removeAttribute("disabled"));
