// The dialler: a keypad, and what is known of the number while it is being written.
// @ts-check
import { filled, setText } from "./format.js";
import "./picker.js";

const form = /** @type {HTMLFormElement | null} */ (document.querySelector("[data-dial-form]"));
if (form) begin(form);

/** @param {HTMLFormElement} form */
function begin(form) {
  const number = /** @type {HTMLInputElement} */ (form.querySelector("[data-dial]"));
  const known = /** @type {HTMLElement} */ (form.querySelector("[data-known]"));
  const callerId = /** @type {HTMLSelectElement} */ (form.elements.namedItem("caller_id"));
  const country = /** @type {HTMLSelectElement} */ (form.querySelector("[data-dial-country]"));
  let calling = ""; // of the country that is chosen
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
  country.addEventListener("input", () => {
    const before = `+${calling}`;
    const rest = calling && number.value.startsWith(before) ? number.value.slice(before.length) : number.value;
    calling = country.selectedOptions[0]?.dataset.calling ?? "";
    number.value = `+${calling} ${rest.replace(/^\+\d*/, "").trim()}`;
    number.dispatchEvent(new Event("input", { bubbles: true }));
    number.focus();
  });
  if (number.value) ask();

  /** @param {string} code */
  function isOf(code) {
    if (!code || country.value === code) return;
    country.value = code;
    calling = country.selectedOptions[0]?.dataset.calling ?? "";
    country.dispatchEvent(new Event("change"));
  }

  async function ask() {
    const asked = number.value;
    const query = new URLSearchParams({ to: asked, caller_id: callerId.value, telephone: telephone.value });
    const answer = await fetch(`${form.dataset.about}?${query}`).catch(() => null);
    if (!answer?.ok || asked !== number.value) return;
    const { country: code = "", price = "", refusal = "" } = await answer.json();
    isOf(code);
    const place = code ? new Intl.DisplayNames(document.documentElement.lang, { type: "region" }).of(code) : "";
    const costs = price ? filled(form.dataset.minute ?? "", { price }) : "";
    setText(known, refusal || [place, costs].filter(Boolean).join(" · "));
    known.classList.toggle("vf-error", Boolean(refusal));
  }
}
