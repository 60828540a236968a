// Archiving and pausing ask first where callers would notice: when an agent answers numbers.
// @ts-check
import { showFailure } from "./failure.js";
import { setText } from "./format.js";

const dialog = /** @type {HTMLDialogElement | null} */ (document.getElementById("archive"));
const numbers = dialog?.querySelector("[data-archive-numbers]");
/** @type {HTMLButtonElement | null} */ let asked = null; // the button whose archiving waits for an answer

document.addEventListener("click", async (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest("button[name=do]:is([value=archived], [value=paused]:not([data-brings-back]))");
  if (!(button instanceof HTMLButtonElement) || !button.form || !dialog || !numbers) return;
  event.preventDefault();
  const slugs = new FormData(button.form).getAll("agent").map((slug) => ["agent", String(slug)]);
  if (!slugs.length) return;
  const answer = await fetch(`${dialog.dataset.numbers}?${new URLSearchParams(slugs)}`, { headers: { "X-Requested-With": "fetch" } });
  if (!answer.ok) return showFailure(answer.status);
  const told = new DOMParser().parseFromString(await answer.text(), "text/html");
  asked = button;
  if (!told.querySelector("[data-told-numbers]")) return archive();
  numbers.replaceChildren(...told.body.childNodes);
  setText(dialog.querySelector("h2"), dialog.dataset[button.value] ?? "");
  setText(dialog.querySelector("[data-archive-yes]"), button.textContent?.trim() ?? "");
  dialog.showModal();
});

function archive() {
  const [button, form] = [asked, asked?.form];
  if (!button || !form) return;
  const status = document.createElement("input");
  Object.assign(status, { type: "hidden", name: "do", value: button.value });
  form.append(status);
  form.requestSubmit();
}

dialog?.querySelector("[data-archive-yes]")?.addEventListener("click", archive);
dialog?.querySelector("[data-archive-no]")?.addEventListener("click", () => dialog.close());
dialog?.addEventListener("click", (event) => event.target === dialog && dialog.close());
