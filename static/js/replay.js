// A call played back: its stored events are given to the page as the live socket would give them, on a clock that can
// be slowed, hurried, stopped and moved. At a speed at which words are understood the recording is heard, and leads.
// It starts by itself; where the browser gives no sound before a gesture, a button over the page asks for one.
// @ts-check
import { feed, rewind } from "./call.js";
import { showFailure } from "./failure.js";
import { clock, labels, setText } from "./format.js";
import { onPlayKeys } from "./player.js";

const FASTEST_SOUND = 2;
const STEP_SECONDS = 5;

const bar = /** @type {HTMLElement} */ (document.querySelector("[data-replay-bar]"));
const button = /** @type {HTMLButtonElement} */ (bar.querySelector("[data-play]"));
const scrub = /** @type {HTMLInputElement} */ (bar.querySelector("[data-scrub]"));
const speed = /** @type {HTMLSelectElement} */ (bar.querySelector("[data-speed]"));
const start = /** @type {HTMLElement} */ (document.querySelector("[data-replay-start]"));
const note = /** @type {HTMLElement} */ (bar.querySelector("[data-sound-note]"));
const state = /** @type {HTMLElement} */ (document.querySelector("[data-call-state]"));
let sound = bar.dataset.soundUrl ? new Audio(bar.dataset.soundUrl) : null;

/** @typedef {import("./socket.js").CallEvent & {when: number}} Timed */

/** @type {Timed[]} */ let events = [];
let next = 0; // number of the first event that has not happened yet
let place = 0; // seconds
let length = 0;
let playing = false;
let drawnAt = 0; // of the last frame, in milliseconds

/** On the clock of the recording. What a provider tells has no time on it, and stands where it was told.
 * @param {import("./socket.js").CallEvent[]} stored @returns {Timed[]} */
function timed(stored) {
  let when = 0;
  return stored.map((event) => ({ ...event, when: (when = Math.max(when, event.at_seconds)) }));
}

/** The agent's state after an event, or null where that says nothing of it. @param {Timed} event */
function stateAfter({ kind, payload }) {
  if (kind === "agent_state_changed") return payload.state;
  return { call_ringing: "ringing", call_answered: "listening", call_ended: "ended" }[kind] ?? null;
}

/** All that has happened up to `place` and was not told yet. */
function tell() {
  const before = next;
  while (next < events.length && events[next].when <= place) next += 1;
  const fresh = events.slice(before, next);
  if (!fresh.length) return;
  feed(fresh);
  const name = fresh.map(stateAfter).findLast(Boolean);
  if (name) showState(name);
  for (const { kind } of fresh) {
    if (kind === "call_answered") showStatus("in-progress");
    else if (kind === "call_ended") showStatus(bar.dataset.status ?? "");
  }
}

/** @param {string} name */
const showStatus = (name) => setText(document.querySelector("[data-call-status]"), labels.statuses[name]);

/** @param {string} name */
function showState(name) {
  state.dataset.state = name;
  setText(state, labels.states[name]);
}

/** @param {number} seconds */
function moveTo(seconds) {
  const target = Math.min(Math.max(0, seconds), length);
  if (target < place) {
    rewind();
    next = 0;
    showState("ringing");
    showStatus("ringing");
  }
  place = target;
  if (sound) sound.currentTime = Math.min(place, sound.duration || place);
  if (place > 0) tell();
  draw();
}

function draw() {
  scrub.value = String(place);
  scrub.ariaValueText = clock(place);
  setText(bar.querySelector("[data-position]"), clock(place));
}

const heard = () => sound !== null && Number(speed.value) <= FASTEST_SOUND && place < (sound.duration || 0);

/** @param {number} now */
function frame(now) {
  if (!playing) return;
  const passed = ((now - drawnAt) / 1000) * Number(speed.value);
  drawnAt = now;
  if (sound && heard() && !sound.paused) place = Math.max(place, sound.currentTime);
  else place += passed;
  if (place >= length) {
    place = length;
    play(false);
  }
  tell();
  draw();
  if (playing) requestAnimationFrame(frame);
}

/** @param {boolean} on */
function play(on) {
  start.hidden = true;
  if (on && place >= length) moveTo(0);
  playing = on;
  for (const face of /** @type {NodeListOf<HTMLElement>} */ (button.querySelectorAll("[data-when]"))) {
    face.hidden = (face.dataset.when === "playing") !== on;
  }
  if (on) {
    drawnAt = performance.now();
    requestAnimationFrame(frame);
  }
  keepSoundInStep();
}

function keepSoundInStep() {
  if (!sound) return;
  setText(note, Number(speed.value) > FASTEST_SOUND ? (note.dataset.tooFast ?? "") : "");
  if (!playing || !heard()) return sound.pause();
  sound.playbackRate = Number(speed.value);
  sound.currentTime = place;
  sound.play().catch((error) => {
    if (error.name === "NotAllowedError") askForGesture();
  });
}

/** Nothing of the call goes by unheard meanwhile. */
function askForGesture() {
  play(false);
  moveTo(0);
  start.hidden = false;
}

/** Once it is known how long it is; a recording that cannot be read is done without, and said.
 * @param {HTMLAudioElement} audio */
function opened(audio) {
  return new Promise((resolve) => {
    audio.addEventListener("loadedmetadata", resolve, { once: true });
    audio.addEventListener("error", () => {
      sound = null;
      setText(note, note.dataset.lost ?? "");
      resolve(null);
    });
  });
}

async function open() {
  const ready = sound && opened(sound);
  const answer = await fetch(bar.dataset.eventsUrl ?? "").catch(() => null);
  await ready;
  if (!answer?.ok) return showFailure(answer?.status ?? 0);
  events = timed((await answer.json()).events);
  length = Math.max(0.1, ...events.slice(-1).map(({ when }) => when));
  scrub.max = String(length);
  scrub.disabled = button.disabled = false;
  setText(bar.querySelector("[data-length]"), clock(length));
  button.addEventListener("click", () => play(!playing));
  start.querySelector("[data-start]")?.addEventListener("click", () => play(true));
  scrub.addEventListener("input", () => {
    moveTo(Number(scrub.value));
    keepSoundInStep();
  });
  speed.addEventListener("change", keepSoundInStep);
  onPlayKeys({
    toggle: () => play(!playing),
    step(direction) {
      moveTo(place + direction * STEP_SECONDS);
      keepSoundInStep();
    },
  });
  play(true);
}

open();
