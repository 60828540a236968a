// The number of live calls in the menu: asked for now and then, told at once by who knows.
// @ts-check
import { showFailure } from "./failure.js";
import { typed } from "./forms.js";
import { number, setText } from "./format.js";

const EVERY_MS = 15_000;
/** Not there for who may not see calls. */
const badge = /** @type {HTMLElement | null} */ (document.querySelector("[data-live-count]"));

/** @param {number} count */
export function showLiveCount(count) {
  if (!badge) return;
  badge.hidden = count === 0;
  setText(badge.querySelector("span"), number(count));
}

/** Where this fails the page's own requests fail too, and say so; but who fills in a form should know at once that
 * they are signed out. */
export async function askLiveCount() {
  if (!badge || document.hidden) return;
  const headers = { "X-Requested-With": "fetch" };
  const answer = await fetch(badge.dataset.liveCount ?? "", { headers }).catch(() => null);
  if (answer?.status === 401) showFailure(401, typed());
  if (answer?.ok) showLiveCount((await answer.json()).live);
}

setInterval(askLiveCount, EVERY_MS);
document.addEventListener("visibilitychange", askLiveCount);
