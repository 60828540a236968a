// Asking before what cannot be undone, and before unsaved changes are left. No page calls window.confirm.
//
//   <form method="post" action="..." data-confirm="Delete Front desk?" data-confirm-text="Its 12 calls and their
//     recordings are deleted with it. This cannot be undone." data-confirm-action="Delete">
//   <button name="do" value="delete" data-confirm="..." data-confirm-type="Front desk">  the word must be typed
//   <button type="button" hx-post="..." data-confirm="...">                               htmx: the same
//
// The attributes stand on the form, or on the one button of it that needs them. What can be undone is not asked
// about: do it, and offer Undo in the toast (mlservices/pages/toasts.py).
// @ts-check
import { filled, setText } from "./format.js";

const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("ask"));
const box = /** @type {HTMLElement} */ (dialog.querySelector("[data-ask-typed]"));
const word = /** @type {HTMLInputElement} */ (box.querySelector("input"));
const go = /** @type {HTMLButtonElement} */ (dialog.querySelector("[data-ask-go]"));
const cancel = /** @type {HTMLButtonElement} */ (dialog.querySelector("[data-ask-cancel]"));
let wanted = "";

/** @param {{title: string, text?: string, action?: string, cancel?: string, type?: string}} what
 * @returns {Promise<boolean>} */
export function ask(what) {
  if (dialog.open) return Promise.resolve(false);
  setText(dialog.querySelector("h2"), what.title);
  setText(dialog.querySelector("p"), what.text ?? "");
  setText(go, what.action || (dialog.dataset.go ?? ""));
  setText(cancel, what.cancel || (dialog.dataset.cancel ?? ""));
  wanted = what.type ?? "";
  word.value = "";
  box.hidden = !wanted;
  go.disabled = Boolean(wanted);
  const label = /** @type {HTMLElement} */ (box.querySelector("label"));
  setText(label, filled(label.dataset.text ?? "", { word: wanted }));
  dialog.returnValue = "";
  dialog.showModal();
  (wanted ? word : cancel).focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "go"), { once: true });
  });
}

/** Whether to leave what was typed and not saved. */
export function askToLeave() {
  const { leaveTitle = "", leaveText, leaveGo, leaveCancel } = dialog.dataset;
  return ask({ title: leaveTitle, text: leaveText, action: leaveGo, cancel: leaveCancel });
}

word.addEventListener("input", () => (go.disabled = word.value.trim() !== wanted));
word.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault(); // it would press the first button, which is Cancel
  if (!go.disabled) go.click();
});
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});

/** @param {HTMLElement} element */
function askFor({ dataset }) {
  const { confirm: title = "", confirmText: text, confirmAction: action, confirmType: type } = dataset;
  return ask({ title, text, action, type });
}

/** Forms that were answered with yes, until they are sent. @type {WeakSet<HTMLFormElement>} */
const agreed = new WeakSet();

/** A form that is sent once more was asked about already. @param {HTMLFormElement} form @param {HTMLElement | null} submitter */
export function sendAgreed(form, submitter) {
  if (form.dataset.confirm || submitter?.dataset.confirm) agreed.add(form);
  form.requestSubmit(submitter);
}

document.addEventListener(
  "submit",
  async (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    const submitter = /** @type {HTMLElement | null} */ (event.submitter);
    const asking = submitter?.dataset.confirm ? submitter : form;
    if (!asking.dataset.confirm || agreed.delete(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!(await askFor(asking))) return;
    sendAgreed(form, submitter);
  },
  { capture: true },
);

document.addEventListener("htmx:confirm", async (event) => {
  const { elt, issueRequest } = /** @type {CustomEvent} */ (event).detail;
  if (!elt.dataset.confirm || elt instanceof HTMLFormElement) return; // a form's submit has asked already
  event.preventDefault();
  if (await askFor(elt)) issueRequest(true);
});
