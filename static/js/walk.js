// The canvas on a call's page: loaded, with what draws it, only once it is opened.
// @ts-check
const walk = /** @type {HTMLDetailsElement} */ (document.querySelector("[data-walk]"));
const box = /** @type {HTMLElement} */ (walk.querySelector("[data-walk-box]"));
const replay = document.querySelector("[data-call-page]")?.hasAttribute("data-replay");

/** What happens from now on, until somebody draws it. @type {any[]} */
let heard = [];
/** @param {any} event */
let take = (event) => void heard.push(event);
let rewind = () => void (heard = []);
addEventListener("call-event", (event) => take(/** @type {CustomEvent} */ (event).detail));
addEventListener("call-rewound", () => rewind());

walk.addEventListener("toggle", () => box.dispatchEvent(new Event("walk-opened")), { once: true });
box.addEventListener("htmx:afterSettle", async () => {
  const { openWalk } = await import("./flow/walk.js");
  ({ take, rewind } = openWalk(walk, { heard, replay: Boolean(replay) }));
  box.removeAttribute("aria-busy");
}, { once: true });
