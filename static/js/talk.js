// The talk page: starts and ends the spoken conversation and shows it.
// @ts-check
import { Problem } from "./audio/microphone.js";
import { TalkSession } from "./audio/session.js";
import { filled, labels, milliseconds, phone, setText } from "./format.js";
import { askLiveCount } from "./livecount.js";
import { clearLevels, showLevels } from "./levels.js";
import { live } from "./socket.js";
import { Transcript } from "./transcript.js";

const page = /** @type {HTMLElement} */ (document.querySelector("[data-talk]"));
/** @param {string} name @returns {any} */
const part = (name) => page.querySelector(`[data-${name}]`);
const box = /** @type {HTMLElement} */ (part("transcript"));
const transcript = new Transcript(box);
const microphones = /** @type {HTMLSelectElement} */ (part("microphone"));
const csrf = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}")["X-CSRFToken"];
/** @type {TalkSession | null} */ let session = null;
/** @type {string} */ let callId = "";
let inUse = microphones.value;

function start() {
  if (session) return;
  part("problem").hidden = true;
  transcript.clear();
  session = new TalkSession();
  session.addEventListener("state", (event) => showState(/** @type {CustomEvent} */ (event).detail.state));
  session.addEventListener("call", (event) => watch(/** @type {CustomEvent} */ (event).detail));
  session.addEventListener("levels", (event) => showLevels(/** @type {CustomEvent} */ (event).detail));
  session.addEventListener("over", (event) => finish(/** @type {CustomEvent} */ (event).detail));
  const { start: address, capture = "", playback = "" } = page.dataset;
  session.start({ start: address ?? "", capture, playback, csrf }, microphones.value);
}

/** @param {string} state of the session */
function showState(state) {
  part("call-button").disabled = true;
  microphones.disabled = state !== "live"; // one question to the browser at a time
  show(state === "live" ? "live" : "idle");
  if (state !== "live") return showAgentState("", labels.talk[state]);
  showAgentState("listening", labels.states.listening);
  page.querySelector("[data-talk-clock]")?.setAttribute("data-start", String(Date.now() / 1000));
  for (const key of /** @type {NodeListOf<HTMLButtonElement>} */ (page.querySelectorAll("[data-digit]"))) key.disabled = false;
  listMicrophones();
}

/** @param {"idle" | "live" | "over"} name */
function show(name) {
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (page.querySelectorAll(".vf-conversation > [data-when]"))) {
    element.hidden = element.dataset.when !== name;
  }
  box.hidden = name === "idle";
  if (name === "live") part("hang-up").focus();
}

/** @param {string} state @param {string} words */
function showAgentState(state, words) {
  const element = /** @type {HTMLElement} */ (part("talk-state"));
  element.dataset.state = state;
  setText(element, words);
}

/** @param {{call: string, page: string}} call */
function watch({ call, page: address }) {
  callId = call;
  for (const link of page.querySelectorAll("[data-call-link]")) link.setAttribute("href", address);
  live.watchCall(call, {
    since: 0,
    card(card) {
      if (session && labels.states[card.state]) showAgentState(card.state, labels.states[card.state]);
    },
    events: take,
  });
}

/** @param {import("./socket.js").CallEvent[]} events */
function take(events) {
  transcript.take(events);
  for (const { kind, payload } of events) {
    if (kind === "turn_measured") setText(part("talk-latency"), milliseconds(payload.voice_to_voice_seconds * 1000));
    else if (kind === "call_answered" || kind === "call_ended") askLiveCount();
    else if (kind === "agent_state_changed" && session) showAgentState(payload.state, labels.states[payload.state]);
  }
}

/** @param {{reason: string, transferTo: string, problem?: import("./audio/microphone.js").Problem}} ending */
function finish({ reason, transferTo, problem }) {
  session = null;
  microphones.disabled = false;
  clearLevels();
  page.querySelector("[data-talk-clock]")?.removeAttribute("data-start");
  for (const key of /** @type {NodeListOf<HTMLButtonElement>} */ (page.querySelectorAll("[data-digit]"))) key.disabled = true;
  part("mute").setAttribute("aria-pressed", "false");
  showAgentState("ended", labels.talk.over);
  const why = labels.ends[reason] ?? "";
  const transfer = transferTo && filled(labels.talk.transfer, { number: phone(transferTo) });
  setText(part("ending"), transfer || why || labels.talk.over);
  if (problem) explain(problem);
  show(callId ? "over" : "idle");
  part("call-button").disabled = false;
  part("first").hidden = true;
  part("again").hidden = false;
  (callId ? part("again-button") : part("call-button")).focus();
}

/** @param {import("./audio/microphone.js").Problem} problem */
function explain({ code, detail }) {
  setText(part("problem-what"), labels.problems[code]);
  setText(part("problem-remedy"), detail || labels.remedies[code]);
  part("problem").hidden = false;
  if (!callId) showAgentState("ended", labels.talk.idle);
}

/** A refused or busy microphone leaves the call, and the choice, with the one it had. */
async function changeMicrophone() {
  const chosen = microphones.value;
  try {
    await session?.useMicrophone(chosen);
    if (microphones.value !== chosen) return;
    inUse = chosen;
    part("problem").hidden = true;
  } catch {
    if (microphones.value !== chosen) return;
    microphones.value = inUse;
    if (session) explain(new Problem("not_changed"));
  }
}

/** Names of devices are told only once one of them was allowed. */
async function listMicrophones() {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  const chosen = microphones.value;
  for (const option of [...microphones.options].slice(1)) option.remove();
  for (const device of devices) {
    if (device.kind !== "audioinput" || !device.label || device.deviceId === "default") continue;
    microphones.add(new Option(device.label, device.deviceId, false, device.deviceId === chosen));
  }
}

part("call-button").addEventListener("click", start);
part("again-button").addEventListener("click", () => {
  if (callId) live.unwatchCall(callId);
  callId = "";
  setText(part("talk-latency"), "");
  start();
});
part("hang-up").addEventListener("click", () => session?.hangUp());
part("mute").addEventListener("click", () => {
  const muted = part("mute").getAttribute("aria-pressed") !== "true";
  part("mute").setAttribute("aria-pressed", String(muted));
  session?.mute(muted);
});
microphones.addEventListener("change", changeMicrophone);
navigator.mediaDevices?.addEventListener("devicechange", listMicrophones);
listMicrophones();

/** @param {string} digit */
function press(digit) {
  const key = /** @type {HTMLElement | null} */ (page.querySelector(`[data-digit="${CSS.escape(digit)}"]`));
  if (session && key) session.press(digit);
}
page.addEventListener("click", (event) => {
  const key = /** @type {HTMLElement} */ (event.target).closest("[data-digit]");
  if (key) press(/** @type {HTMLElement} */ (key).dataset.digit ?? "");
});
document.addEventListener("keydown", (event) => {
  const typing = /** @type {HTMLElement} */ (event.target).closest("input, select, textarea, dialog");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "m" && session) part("mute").click();
  else press(event.key);
});
addEventListener("pagehide", () => session?.hangUp());
part("call-button").disabled = false; // not before a click would be heard
