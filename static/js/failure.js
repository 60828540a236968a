// Requests that the server refused or failed at, said in one place on every page.
// @ts-check
import { filled, setText } from "./format.js";

const bar = /** @type {HTMLElement} */ (document.querySelector("[data-failure]"));
const link = /** @type {HTMLAnchorElement} */ (bar.querySelector("a"));

/** @param {number} status of the answer; 0 if there was none */
export function failureWords(status) {
  return filled(bar.dataset[`status-${status >= 500 ? 500 : status}`] ?? bar.dataset.other ?? "", { status });
}

/** @param {number} status of the answer; 0 if there was none
 * @param {boolean} [kept] whether the page holds what was typed, and must not be left */
export async function showFailure(status, kept = false) {
  const signedOut = status === 401;
  const keptWords = kept && bar.dataset[`status-${status}Kept`];
  setText(bar.querySelector("span"), keptWords || failureWords(status));
  link.hidden = !signedOut;
  link.target = kept ? "_blank" : "";
  link.search = kept ? "" : comeBack("signed-out");
  bar.hidden = false;
  if (!signedOut || (await askSession()).why !== "ended") return;
  setText(bar.querySelector("span"), (kept ? bar.dataset.endedKept : bar.dataset.ended) ?? "");
  link.search = kept ? "" : comeBack("ended");
}

/** @param {string} why somebody has to sign in again, for the page that asks them to */
const comeBack = (why) => `?${new URLSearchParams({ next: location.pathname + location.search, why })}`;

/** The server lets this person follow calls here no more. A page that holds what was typed stays, and says so;
 * another gives way to one that says why. @param {boolean} kept */
export async function shownOut(kept) {
  const { status, why } = await askSession(location.pathname);
  if (status !== 401 && status !== 403) return; // they may again, or nobody answers
  if (kept) showFailure(status, true);
  else if (status === 403) location.reload();
  else location.replace(link.pathname + comeBack(why || "signed-out"));
}

/** @param {string} words of the server's; "" for none */
export function sayFailure(words) {
  setText(bar.querySelector("span"), words);
  link.hidden = true;
  bar.hidden = !words;
}

export function clearFailure() {
  bar.hidden = true;
}

/** Whether the person is still signed in, and may still do this there: the status of the answer, 0 if there was
 * none, and why they are not ("ended" by an administrator). The page gets the newest token for its forms, since
 * signing in again has made the old one worthless. @param {string} [path] @param {string} [method] */
export async function askSession(path = "", method = "get") {
  const headers = { "X-Requested-With": "fetch" };
  const query = path ? `?${new URLSearchParams({ path, method })}` : "";
  const answer = await fetch((bar.dataset.session ?? "") + query, { headers }).catch(() => null);
  const told = (await answer?.json().catch(() => null)) ?? {};
  if (answer?.ok) renew(told.token);
  return { status: answer?.status ?? 0, why: told.why ?? "" };
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
  if (!bar.hidden && !link.hidden && (await askSession()).status === 200) clearFailure();
});
