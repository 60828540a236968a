// Requests that the server refused or failed at, said in one place on every page.
// @ts-check
import { filled, setText } from "./format.js";

const bar = /** @type {HTMLElement} */ (document.querySelector("[data-failure]"));

/** @param {number} status of the answer; 0 if there was none */
export function failureWords(status) {
  return filled(bar.dataset[`status-${status >= 500 ? 500 : status}`] ?? bar.dataset.other ?? "", { status });
}

/** @param {number} status of the answer; 0 if there was none
 * @param {boolean} [kept] whether the page holds what was typed, and must not be left */
export function showFailure(status, kept = false) {
  const signedOut = status === 401;
  setText(bar.querySelector("span"), signedOut && kept ? (bar.dataset["status-401Kept"] ?? "") : failureWords(status));
  const link = /** @type {HTMLAnchorElement} */ (bar.querySelector("a"));
  link.hidden = !signedOut;
  link.target = kept ? "_blank" : "";
  link.search = kept ? "" : `?next=${encodeURIComponent(location.pathname + location.search)}`;
  bar.hidden = false;
}

/** @param {string} words of the server's; "" for none */
export function sayFailure(words) {
  setText(bar.querySelector("span"), words);
  /** @type {HTMLElement} */ (bar.querySelector("a")).hidden = true;
  bar.hidden = !words;
}

export function clearFailure() {
  bar.hidden = true;
}

/** Whether the person is still signed in: the status of the answer, 0 if there was none. The page gets the
 * newest token for its forms, since signing in again has made the old one worthless. */
export async function askSession() {
  const headers = { "X-Requested-With": "fetch" };
  const answer = await fetch(bar.dataset.session ?? "", { headers }).catch(() => null);
  if (answer?.ok) renew((await answer.json()).token);
  return answer?.status ?? 0;
}

/** @param {string} token */
function renew(token) {
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
  for (const field of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("[name=csrfmiddlewaretoken]"))) {
    field.value = token;
  }
}

/** Back from signing in elsewhere: what was said of that is no longer so. */
addEventListener("focus", async () => {
  const link = /** @type {HTMLAnchorElement} */ (bar.querySelector("a"));
  if (!bar.hidden && !link.hidden && (await askSession()) === 200) clearFailure();
});
