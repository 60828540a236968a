// One card of the board: its elements are found once and only what differs is written.
// @ts-check
import { filled, labels, milliseconds, personName, phone, setText } from "../format.js";

const SLOW_MS = 1500;
// As telephony/cards.py has it: the most urgent first.
const URGENCY = ["emergency", "asked_for_person", "engine_failing", "misunderstood", "long_silence", "slow_turns"];

/** @param {string} number */
const digits = (number) => number.replace(/(?<=^\+.*)\D/g, "");

/** Whether somebody should look: not once somebody has. @param {any} card */
export const needsPerson = (card) => Boolean(card.alert) && !card.holder;

/** The most urgent first, then who has waited longest, then the oldest. @param {any} a @param {any} b */
export function byUrgency(a, b) {
  const rank = (/** @type {any} */ card) => (needsPerson(card) ? URGENCY.indexOf(card.alert) : URGENCY.length);
  const waiting = (/** @type {any} */ card) => (needsPerson(card) ? card.alert_since : 0);
  return rank(a) - rank(b) || waiting(a) - waiting(b) || a.started - b.started;
}

/** @param {any} card */
export const callerOf = (card) => phone(card.caller) || labels.board.unknown;

export class CardView {
  /** @param {HTMLElement} article */
  constructor(article) {
    this.article = article;
    /** @type {Record<string, HTMLElement>} */
    this.parts = {};
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (article.querySelectorAll("[data-f]"))) {
      this.parts[part.dataset.f ?? ""] = part;
    }
    this.form = article.querySelector("form");
    this.link = this.parts.agent;
    this.dirty = false; // a newer card has come than the one that is shown
    this.near = true; // in view, or nearly
    this.setReachable(false);
  }

  /** Of all cards one takes part in the tab order; the arrows of the board lead to the others.
   * @param {boolean} reachable */
  setReachable(reachable) {
    const stops = [this.link, this.parts.listen, this.parts.hang_up];
    for (const stop of stops) if (stop) stop.tabIndex = reachable ? 0 : -1;
  }

  /** @param {any} card */
  fill(card) {
    const { article, parts } = this;
    this.dirty = false;
    article.dataset.alert = needsPerson(card) ? card.alert : "";
    article.dataset.state = card.state;
    this.#fillWho(card);
    if (card.state === "ended") parts.time.removeAttribute("data-start");
    else parts.time.dataset.start = String(card.answered ?? card.started);
    parts.alert.hidden = !card.alert;
    setText(parts.why, labels.alerts[card.alert] ?? "");
    parts.since.dataset.start = String(card.alert_since ?? "");
    parts.held.hidden = !card.holder;
    setText(parts.holder, card.holder ? filled(labels.board.holder, { name: personName(card.holder) }) : "");
    setText(parts.who, labels.who[card.guess ? "caller" : card.who] ?? "");
    setText(parts.words, card.guess || card.words);
    parts.words.toggleAttribute("data-guess", Boolean(card.guess));
    parts.state.dataset.state = card.state;
    setText(parts.state, labels.states[card.state] ?? card.state);
    setText(parts.latency, card.latency_ms === null ? "" : milliseconds(card.latency_ms));
    parts.latency.classList.toggle("vf-slow", card.latency_ms >= SLOW_MS);
  }

  /** What stays the same for the whole call is written once. @param {any} card */
  #fillWho(card) {
    const { parts } = this;
    // The server knows how each country groups its numbers: what it has written stays.
    if (digits(parts.caller.textContent ?? "") !== digits(card.caller)) setText(parts.caller, phone(card.caller));
    if (this.form) this.form.hidden = card.state === "ended";
    if (parts.listen) parts.listen.hidden = card.state === "ended";
    if (this.link.getAttribute("href") === card.url && this.link.textContent === card.agent) return;
    setText(this.link, card.agent);
    this.link.setAttribute("href", card.url);
    setText(parts.direction, labels.directions[card.direction] ?? card.direction);
    if (this.form) this.form.action = `${card.url}hang-up/`;
    parts.listen?.setAttribute("href", `${card.url}#listen`);
    parts.listen?.setAttribute("aria-label", filled(labels.board.listen, { name: card.agent }));
    parts.hang_up?.setAttribute("aria-label", filled(labels.board.hang_up, { name: card.agent }));
  }
}
