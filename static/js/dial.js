// The dialler: a keypad, and what is known of the number while it is being written.
// @ts-check
import { filled, setText } from "./format.js";

const form = /** @type {HTMLFormElement | null} */ (document.querySelector("[data-dial-form]"));
if (form) begin(form);

/** @param {HTMLFormElement} form */
function begin(form) {
  const number = /** @type {HTMLInputElement} */ (form.querySelector("[data-dial]"));
  const known = /** @type {HTMLElement} */ (form.querySelector("[data-known]"));
  const callerId = /** @type {HTMLSelectElement} */ (form.elements.namedItem("caller_id"));
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let asking;

  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (form.querySelectorAll("[data-key]"))) {
    button.addEventListener("click", () => {
      number.value = button.dataset.key ? number.value + button.dataset.key : number.value.slice(0, -1);
      number.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }
  const telephone = /** @type {HTMLInputElement} */ (form.elements.namedItem("telephone"));
  for (const field of [number, callerId, telephone]) {
    field.addEventListener("input", () => {
      clearTimeout(asking);
      asking = setTimeout(ask, 300);
    });
  }
  if (number.value) ask();

  async function ask() {
    const asked = number.value;
    const query = new URLSearchParams({ to: asked, caller_id: callerId.value, telephone: telephone.value });
    const answer = await fetch(`${form.dataset.about}?${query}`).catch(() => null);
    if (!answer?.ok || asked !== number.value) return;
    const { country = "", price = "", refusal = "" } = await answer.json();
    const place = country ? new Intl.DisplayNames(document.documentElement.lang, { type: "region" }).of(country) : "";
    const costs = price ? filled(form.dataset.minute ?? "", { price }) : "";
    setText(known, refusal || [place, costs].filter(Boolean).join(" · "));
    known.classList.toggle("vf-error", Boolean(refusal));
  }
}
