// The board of live calls: the newest cards, drawn once a frame, in an order that stays put while in use.
// @ts-check
import { CardView, byUrgency, callerOf, needsPerson } from "./board/card.js";
import { filter, filtering, showChoices, watchFilters } from "./board/filters.js";
import { askBeforeHangingUp, useKeys } from "./board/keys.js";
import { fitWall, isWall, startWall, toggleWall } from "./board/wall.js";
import { filled, labels, median, milliseconds, number, setText } from "./format.js";
import { endCalls } from "./hangup.js";
import { showLiveCount } from "./livecount.js";
import { live } from "./socket.js";

const LINGER_MS = 4000; // a card shows that its call has ended
const IN_USE_MS = 8000; // since the pointer moved over the board, or a key was pressed in it
const FAR_PER_FRAME = 12; // cards out of view that are brought up to date in one frame
const SUMS_MS = 500;
const board = /** @type {HTMLElement} */ (document.getElementById("board"));
const template = /** @type {HTMLTemplateElement} */ (document.getElementById("card-template"));
const reorder = /** @type {HTMLElement} */ (document.querySelector("[data-reorder]"));
/** @type {Map<string, any>} */
const cards = new Map();
/** @type {Map<string, CardView>} */
const views = new Map();
/** @type {Map<Element, CardView>} */
const byArticle = new Map();
let current = ""; // id of the card that takes part in the tab order
let admits = filter();
let usedAt = -Infinity;
let drawing = false;
let orderWrong = false; // something that the order or the filter looks at has changed
let begun = false; // until the server has told all calls, what it has drawn stands
let summedAt = -Infinity;

const watcher = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      const view = byArticle.get(target);
      if (view) view.near = isIntersecting;
    }
    draw();
  },
  { rootMargin: "300px" },
);

/** @param {HTMLElement} article */
function adopt(article) {
  const view = new CardView(article);
  views.set(article.dataset.call ?? "", view);
  byArticle.set(article, view);
  watcher.observe(article);
  return view;
}

/** @param {string} id */
function viewOf(id) {
  const known = views.get(id);
  if (known) return known;
  const made = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
  made.dataset.call = id;
  return adopt(made);
}

const inUse = () => !isWall() && performance.now() - usedAt < IN_USE_MS;

// ---- drawing -------------------------------------------------------------------------------------

function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    if (orderWrong && begun) arrange();
    let far = 0;
    for (const [id, view] of views) {
      if (!view.dirty || !view.article.isConnected || (!view.near && far++ >= FAR_PER_FRAME)) continue;
      view.fill(cards.get(id));
    }
    if (far > FAR_PER_FRAME) draw();
    if (performance.now() - summedAt >= SUMS_MS) sum();
  });
}

/** Puts the cards in order and takes away those that do not belong; while the board is in use nothing moves,
 * new calls come last, and calls that are over stay as they are. */
function arrange() {
  const wanted = [...cards.values()].filter(admits).sort(byUrgency);
  const shown = new Set(wanted.map((card) => card.id));
  if (inUse()) {
    const moved = appendNew(wanted);
    reorder.hidden = !moved && [...board.children].every((article) => shown.has(idOf(article)));
    return;
  }
  orderWrong = false;
  reorder.hidden = true;
  for (const article of [...board.children]) if (!shown.has(idOf(article))) takeAway(article);
  wanted.forEach((card, index) => {
    const { article } = viewOf(card.id);
    if (board.children[index] !== article) place(article, board.children[index] ?? null);
  });
  for (const id of [...views.keys()]) if (!cards.has(id)) forget(id);
  if (!cards.has(current) || !views.get(current)?.article.isConnected) choose(idOf(board.children[0]));
}

/** @param {any[]} wanted @returns {boolean} whether they should stand otherwise */
function appendNew(wanted) {
  for (const card of wanted) {
    const view = viewOf(card.id);
    if (!view.article.isConnected) board.append(view.article);
  }
  const standing = [...board.children].map(idOf);
  const order = wanted.map((card) => card.id);
  const both = new Set(order);
  return standing.filter((id) => both.has(id)).some((id, index) => id !== order[index]);
}

/** Moves it without taking the focus away. @param {HTMLElement} article @param {Element | null} before */
function place(article, before) {
  if (article.isConnected && "moveBefore" in board) {
    /** @type {any} */ (board).moveBefore(article, before);
    return;
  }
  const focused = article.contains(document.activeElement) ? document.activeElement : null;
  board.insertBefore(article, before);
  /** @type {HTMLElement | null} */ (focused)?.focus({ preventScroll: true });
}

/** @param {Element} article */
function takeAway(article) {
  const next = article.nextElementSibling ?? article.previousElementSibling;
  const focused = article.contains(document.activeElement);
  article.remove();
  if (!focused || !next) return;
  choose(idOf(next));
  views.get(idOf(next))?.link.focus({ preventScroll: true });
}

/** @param {string} id */
function forget(id) {
  const view = views.get(id);
  if (!view) return;
  watcher.unobserve(view.article);
  byArticle.delete(view.article);
  view.article.remove();
  views.delete(id);
}

/** @param {Element | undefined} article */
const idOf = (article) => /** @type {HTMLElement | undefined} */ (article)?.dataset.call ?? "";

/** @param {string} id */
function choose(id) {
  views.get(current)?.setReachable(false);
  current = id;
  views.get(id)?.setReachable(true);
}

/** "3 of 12", or "12" where those are all. @param {number} part @param {number} all */
const ofAll = (part, all) =>
  part === all ? number(all) : filled(labels.board.of, { part: number(part), all: number(all) });

/** The figures above the board. */
function sum() {
  if (!begun) return;
  summedAt = performance.now();
  const going = [...cards.values()].filter((card) => card.state !== "ended");
  const shown = filtering() ? going.filter(admits).length : going.length;
  const found = going.filter(filter(true));
  const needing = found.filter(needsPerson).length;
  const counts = {
    live: ofAll(found.length, going.length),
    attention: ofAll(needing, going.filter(needsPerson).length),
    shown: ofAll(shown, going.length),
    median: milliseconds(median(going.flatMap((card) => card.latencies))),
  };
  for (const [name, text] of Object.entries(counts)) {
    for (const place of document.querySelectorAll(`[data-count="${name}"]`)) setText(place, text);
  }
  document.querySelector(".vf-wall-attention")?.toggleAttribute("data-any", needing > 0);
  const told = /** @type {HTMLElement} */ (document.querySelector("[data-shown]"));
  told.hidden = shown === going.length;
  setText(told, filled(labels.board.shown, { shown, all: going.length }));
  /** @type {HTMLElement} */ (document.querySelector("[data-board-empty]")).hidden = cards.size > 0;
  const unmatched = cards.size > 0 && ![...cards.values()].some(admits);
  /** @type {HTMLElement} */ (document.querySelector("[data-board-unmatched]")).hidden = !unmatched;
  showChoices(going);
  showLiveCount(going.length);
  fitWall(shown);
}

// ---- what comes ----------------------------------------------------------------------------------

/** @param {any} card */
function take(card) {
  const known = cards.get(card.id);
  if (known ? known.seq > card.seq : card.state === "ended") return;
  if (!known || byUrgency(known, card) || filtering() || card.state === "ended") orderWrong = true;
  cards.set(card.id, card);
  viewOf(card.id).dirty = true;
  if (known && needsPerson(card) && known.alert !== card.alert) tell(card);
  if (card.state === "ended" && known?.state !== "ended") setTimeout(() => drop(card.id), LINGER_MS);
}

/** For those who hear the page: who needs a person now. @param {any} card */
function tell(card) {
  const news = { agent: card.agent, caller: callerOf(card), why: labels.alerts[card.alert] };
  setText(document.querySelector("[data-told]"), filled(labels.board.needs, news));
}

/** @param {string} id */
function drop(id) {
  cards.delete(id);
  orderWrong = true;
  draw();
}

live.watchBoard({
  cards(all) {
    const ids = new Set(all.map((card) => card.id));
    for (const id of [...cards.keys()]) if (!ids.has(id)) cards.delete(id);
    all.forEach(take);
    begun = orderWrong = true;
    draw();
  },
  card(card) {
    take(card);
    draw();
  },
});

// ---- what people do ------------------------------------------------------------------------------

const actions = {
  list: () => [...board.children].map((article) => /** @type {CardView} */ (byArticle.get(article))),
  current: () => views.get(current),
  /** @param {CardView} view */
  choose: (view) => choose(idOf(view.article)),
  /** @param {HTMLElement} article */
  cardOf: (article) => cards.get(idOf(article)),
};

for (const article of /** @type {HTMLCollectionOf<HTMLElement>} */ (board.children)) adopt(article);
choose(idOf(board.children[0]));
for (const used of ["pointermove", "pointerdown", "keydown"]) {
  board.addEventListener(used, () => (usedAt = performance.now()), { passive: true });
}
board.addEventListener("pointerleave", release);
board.addEventListener("focusin", ({ target }) => {
  usedAt = performance.now();
  const article = /** @type {HTMLElement} */ (target).closest("[data-call]");
  if (article) choose(idOf(article));
});
reorder.addEventListener("click", release);

function release() {
  usedAt = -Infinity;
  draw();
}

setInterval(() => {
  if (orderWrong && !inUse()) draw();
  if (performance.now() - summedAt >= SUMS_MS) sum();
}, 1000);
watchFilters(() => {
  admits = filter();
  orderWrong = true;
  usedAt = -Infinity;
  summedAt = -Infinity;
  draw();
});
askBeforeHangingUp(board, actions);
useKeys(actions, toggleWall);
startWall();
fitWall(board.children.length);
endCalls();
