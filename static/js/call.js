// A call's page: the server's state of it, then every later event.
// @ts-check
import { addStep, forgetSteps } from "./collected.js";
import { filled, labels, personName, setText } from "./format.js";
import { endCalls } from "./hangup.js";
import { addLatency } from "./latencies.js";
import { askLiveCount } from "./livecount.js";
import { addMessage } from "./messages.js";
import { openPlayer, seek } from "./player.js";
import { live } from "./socket.js";
import { Transcript } from "./transcript.js";

const page = /** @type {HTMLElement} */ (document.querySelector("[data-call-page]"));
const events = /** @type {HTMLElement} */ (page.querySelector("[data-events]"));
const filter = /** @type {HTMLInputElement} */ (page.querySelector("[data-event-filter]"));
const clockElement = /** @type {HTMLElement} */ (document.querySelector("[data-call-clock]"));
const transcript = new Transcript(/** @type {HTMLElement} */ (page.querySelector("[data-transcript]")));

/** @param {import("./socket.js").CallEvent} event */
function log(event) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("event-template"));
  const line = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
  setText(line.children[0], event.at_seconds.toFixed(2));
  setText(line.children[1], `${event.seq} ${event.kind}`);
  setText(line.children[2], Object.keys(event.payload).length ? JSON.stringify(event.payload) : "");
  line.hidden = !matches(line);
  events.append(line);
}

/** @param {HTMLElement} line */
const matches = (line) => line.textContent?.toLowerCase().includes(filter.value.trim().toLowerCase()) ?? false;

filter.addEventListener("input", () => {
  for (const line of /** @type {HTMLCollectionOf<HTMLElement>} */ (events.children)) line.hidden = !matches(line);
});

/** @param {any} card */
function showCard(card) {
  const state = /** @type {HTMLElement} */ (document.querySelector("[data-call-state]"));
  state.dataset.state = card.state;
  const held = card.holder && filled(labels.operate.other, { name: personName(card.holder) });
  setText(state, held || (labels.states[card.state] ?? card.state));
  setText(page.querySelector("[data-call-status]"), labels.statuses[card.status] ?? card.status);
  dispatchEvent(new CustomEvent("call-card", { detail: card }));
  if (card.state !== "ended") clockElement.dataset.start = String(card.answered ?? card.started);
}

/** @param {import("./socket.js").CallEvent} event */
function ended({ payload }) {
  delete clockElement.dataset.start;
  setText(page.querySelector("[data-end-reason]"), labels.ends[payload.reason] ?? payload.reason);
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (page.querySelectorAll("[data-ended]"))) part.hidden = false;
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (page.querySelectorAll("[data-live-bar], [data-while-live]"))) {
    part.hidden = true;
  }
  const state = /** @type {HTMLElement} */ (document.querySelector("[data-call-state]"));
  state.dataset.state = "ended";
  setText(state, labels.states.ended);
  moveToHistory();
  askLiveCount();
}

/** A call that is over stands in the history, in the menu and above its page. */
function moveToHistory() {
  for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("[data-part]"))) {
    const inMenu = document.querySelector(`.vf-side [href="${link.getAttribute("href")}"]`);
    const here = link.dataset.part === "history";
    link.hidden = !here;
    if (here) inMenu?.setAttribute("aria-current", "page");
    else inMenu?.removeAttribute("aria-current");
  }
}

/** @param {import("./socket.js").CallEvent[]} fresh */
function take(fresh) {
  transcript.take(fresh);
  for (const event of fresh) {
    log(event);
    dispatchEvent(new CustomEvent("call-event", { detail: event }));
    if (event.kind === "turn_measured") addLatency(event.payload);
    else if (event.kind === "message_taken") addMessage(event.payload);
    else if (event.kind === "step_noted") addStep(event.payload);
    else if (event.kind === "call_ended") ended(event);
    else if (event.kind === "recording_saved" && !page.querySelector("[data-player]")) {
      // else what is being heard would be cut off
      page.querySelector("[data-recording]")?.dispatchEvent(new Event("recording-saved"));
    }
  }
  setText(page.querySelector("[data-event-count]"), String(events.children.length));
}

page.addEventListener("click", (click) => {
  const button = /** @type {HTMLElement} */ (click.target).closest("[data-seek]");
  const line = /** @type {HTMLElement | null} */ (button?.closest("[data-at]"));
  if (line) seek(Number(line.dataset.at));
});
page.addEventListener("htmx:afterSettle", () => openPlayer(page));

/** For a replay, which tells the page of events as the live socket does. */
export const feed = take;

/** Back to before the first event. */
export function rewind() {
  transcript.clear();
  for (const list of page.querySelectorAll("[data-events], [data-latencies], [data-latency-rows], [data-messages] ul")) {
    list.replaceChildren();
  }
  forgetSteps();
  dispatchEvent(new Event("call-rewound"));
  /** @type {HTMLElement} */ (page.querySelector("[data-messages]")).hidden = true;
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (page.querySelectorAll("[data-ended]"))) part.hidden = true;
}

if (!page.hasAttribute("data-replay")) {
  live.watchCall(page.dataset.call ?? "", { since: Number(page.dataset.seq), card: showCard, events: take });
}
openPlayer(page);
endCalls();
