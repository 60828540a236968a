// The board by keyboard: j and k move, Enter opens, l listens, x hangs up (after asking), w is the wall.
// @ts-check
import { ask } from "../ask.js";
import { filled, labels } from "../format.js";
import { showShortcuts } from "../shortcuts.js";
import { callerOf } from "./card.js";

const GO_WITHIN_MS = 900; // after g a letter names a page, see app.js
let wentAt = -Infinity;
/** Forms that may be sent. @type {Set<HTMLFormElement>} */
const confirmed = new Set();

/**
 * @typedef {{
 *   list: () => import("./card.js").CardView[],
 *   current: () => import("./card.js").CardView | undefined,
 *   choose: (view: import("./card.js").CardView) => void,
 *   cardOf: (article: HTMLElement) => any,
 * }} Board
 */

/** @param {Board} board @param {() => void} toggleWall */
export function useKeys(board, toggleWall) {
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const typing = target.closest("input:not([type=radio]), textarea, select, dialog[open]");
    if (typing || event.metaKey || event.ctrlKey || event.altKey) return;
    const going = performance.now() - wentAt < GO_WITHIN_MS;
    wentAt = event.key === "g" ? performance.now() : -Infinity;
    if (!going) press(event.key, board, toggleWall);
  });
  document.querySelector("[data-board-keys]")?.addEventListener("click", showShortcuts);
}

/** @param {string} key @param {Board} board @param {() => void} toggleWall */
function press(key, board, toggleWall) {
  const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.closest("[data-call]");
  const view = focused ? board.current() : undefined;
  if (key === "j") move(board, 1);
  else if (key === "k") move(board, -1);
  else if (key === "w") toggleWall();
  else if (key === "l") view?.parts.listen?.click();
  else if (key === "x" && view?.form && !view.form.hidden) view.form.requestSubmit();
}

/** To the card after or before the one that has the focus; without one, to where one was last.
 * @param {Board} board @param {number} step */
function move(board, step) {
  const list = board.list();
  const current = board.current();
  const index = current ? list.indexOf(current) : -1;
  const inside = current?.article.contains(document.activeElement);
  const next = inside ? list[Math.min(Math.max(index + step, 0), list.length - 1)] : (current ?? list[0]);
  if (!next) return;
  board.choose(next);
  next.link.focus();
  next.article.scrollIntoView({ block: "nearest" });
}

/** No call is hung up before its name was read and confirmed. @param {HTMLElement} element @param {Board} board */
export function askBeforeHangingUp(element, board) {
  element.addEventListener("submit", async (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (confirmed.delete(form)) return;
    event.preventDefault();
    event.stopPropagation(); // or hangup.js would do it
    const card = board.cardOf(/** @type {HTMLElement} */ (form.closest("[data-call]")));
    const { board: words } = labels;
    const title = filled(words.hang_up_on, { caller: callerOf(card), agent: card.agent });
    if (!(await ask({ title, text: words.cut_off, action: words.hang_up_now, cancel: words.keep }))) return;
    confirmed.add(form);
    form.requestSubmit();
  });
}
