// Requests that the server refused or failed at, said in one place on every page.
// @ts-check
import { filled, setText } from "./format.js";

const bar = /** @type {HTMLElement} */ (document.querySelector("[data-failure]"));

/** @param {number} status of the answer; 0 if there was none */
export function showFailure(status) {
  const words = bar.dataset[`status-${status >= 500 ? 500 : status}`] ?? bar.dataset.other ?? "";
  setText(bar.querySelector("span"), filled(words, { status }));
  const link = /** @type {HTMLAnchorElement} */ (bar.querySelector("a"));
  link.hidden = status !== 401;
  link.search = `?next=${encodeURIComponent(location.pathname + location.search)}`;
  bar.hidden = false;
}

export function clearFailure() {
  bar.hidden = true;
}
