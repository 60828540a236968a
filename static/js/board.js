// The board of live calls: the server's cards, kept up to date and in order.
// @ts-check
import { labels, median, milliseconds, phone, setText } from "./format.js";
import { endCalls } from "./hangup.js";
import { showLiveCount } from "./livecount.js";
import { live } from "./socket.js";

const SLOW_MS = 1500;
const LINGER_MS = 4000;
const board = /** @type {HTMLElement} */ (document.getElementById("board"));
const template = /** @type {HTMLTemplateElement} */ (document.getElementById("card-template"));
/** @type {Map<string, any>} */
const cards = new Map();

/** @param {string} id */
function element(id) {
  const known = /** @type {HTMLElement | null} */ (board.querySelector(`[data-call="${id}"]`));
  if (known) return known;
  const made = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
  made.dataset.call = id;
  board.append(made);
  return made;
}

/** @param {string} number */
const digits = (number) => number.replace(/(?<=^\+.*)\D/g, "");

/** @param {any} card */
function fill(card) {
  const article = element(card.id);
  /** @param {string} name */
  const part = (name) => /** @type {HTMLElement} */ (article.querySelector(`[data-f="${name}"]`));
  article.dataset.alert = card.alert;
  setText(part("agent"), card.agent);
  part("agent").setAttribute("href", card.url);
  // The server knows how each country groups its numbers: what it has written stays.
  if (digits(part("caller").textContent ?? "") !== digits(card.caller)) setText(part("caller"), phone(card.caller));
  setText(part("direction"), labels.directions[card.direction] ?? card.direction);
  if (card.state === "ended") part("time").removeAttribute("data-start");
  else part("time").dataset.start = String(card.answered ?? card.started);
  setText(part("alert"), labels.alerts[card.alert] ?? "");
  /** @type {HTMLElement} */ (article.querySelector(".vf-call-alert")).hidden = !card.alert;
  setText(part("who"), labels.who[card.guess ? "caller" : card.who] ?? "");
  setText(part("words"), card.guess || card.words);
  part("words").toggleAttribute("data-guess", Boolean(card.guess));
  part("state").dataset.state = card.state;
  setText(part("state"), labels.states[card.state] ?? card.state);
  setText(part("latency"), card.latency_ms === null ? "" : milliseconds(card.latency_ms));
  part("latency").classList.toggle("vf-slow", card.latency_ms >= SLOW_MS);
  const form = /** @type {HTMLFormElement} */ (article.querySelector("form"));
  form.action = `${card.url}hang-up/`;
  form.hidden = card.state === "ended";
}

/** Those that need attention first, then by age; moves only what stands wrong, so that focus stays. */
function arrange() {
  const order = [...cards.values()].sort((a, b) => Number(!a.alert) - Number(!b.alert) || a.started - b.started);
  order.forEach((card, index) => {
    const wanted = element(card.id);
    if (board.children[index] !== wanted) board.insertBefore(wanted, board.children[index] ?? null);
  });
  const going = order.filter((card) => card.state !== "ended");
  const latencies = going.flatMap((card) => card.latencies);
  setText(document.querySelector('[data-count="live"]'), String(going.length));
  setText(document.querySelector('[data-count="attention"]'), String(going.filter((card) => card.alert).length));
  setText(document.querySelector('[data-count="median"]'), milliseconds(median(latencies)));
  showLiveCount(going.length);
  /** @type {HTMLElement} */ (document.querySelector("[data-board-empty]")).hidden = order.length > 0;
}

/** @param {string} id */
function drop(id) {
  cards.delete(id);
  board.querySelector(`[data-call="${id}"]`)?.remove();
}

live.watchBoard({
  cards(all) {
    const ids = new Set(all.map((card) => card.id));
    for (const shown of [...board.children]) {
      const id = /** @type {HTMLElement} */ (shown).dataset.call ?? "";
      if (!ids.has(id)) drop(id);
    }
    for (const card of all) {
      cards.set(card.id, card);
      fill(card);
    }
    arrange();
  },
  card(card) {
    const known = cards.get(card.id);
    if (!known && card.state === "ended") return;
    if (known && known.seq > card.seq) return;
    cards.set(card.id, card);
    fill(card);
    arrange();
    if (card.state === "ended" && known?.state !== "ended") {
      setTimeout(() => {
        drop(card.id);
        arrange();
      }, LINGER_MS);
    }
  },
});
endCalls();
