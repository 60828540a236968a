// /api/docs/realtime: the example, tried on the page.
// @ts-check
import { setText } from "../format.js";
import { RealtimeSession } from "./session.js";

const page = /** @type {HTMLElement} */ (document.querySelector("[data-realtime]"));
/** @param {string} name @returns {any} */
const part = (name) => page.querySelector(`[data-${name}]`);
const button = /** @type {HTMLButtonElement} */ (part("talk"));
const log = /** @type {HTMLElement} */ (part("log"));
/** @type {RealtimeSession | null} */ let session = null;

// Shown as they come; sound comes too often to be read.
const LOGGED = {
  ready: ({ sessionId }) => sessionId,
  stt_partial: ({ text }) => text,
  stt_final: ({ text, latency }) => `${text} (${latency.total} ms)`,
  agent_thinking: () => "",
  agent_reply: ({ text }) => text,
  tts_complete: ({ duration, heard }) => `${heard} (${duration} ms)`,
  error: ({ code, message }) => `${code}: ${message}`,
  ended: ({ reason, stats }) => `${reason} (${stats.turns})`,
};

async function start() {
  log.replaceChildren();
  session = new RealtimeSession();
  for (const type of Object.keys(LOGGED)) session.addEventListener(type, show);
  session.addEventListener("ready", () => turn(true));
  session.addEventListener("closed", finish);
  button.disabled = true;
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  try {
    await session.start({
      address: `${scheme}//${location.host}/ws/realtime`,
      apiKey: "",
      config: { agentMode: part("mode").value },
      worklets: { capture: page.dataset.capture ?? "", playback: page.dataset.playback ?? "" },
    });
  } catch (error) {
    line("microphone", String(error));
    finish();
  }
}

/** @param {boolean} talking */
function turn(talking) {
  button.disabled = false;
  part("start").hidden = talking;
  part("stop").hidden = !talking;
  part("mode").disabled = talking;
}

function finish() {
  session = null;
  turn(false);
}

/** @param {Event} event */
function show(event) {
  const { type, detail } = /** @type {CustomEvent} */ (event);
  const last = /** @type {HTMLElement | null} */ (log.lastElementChild);
  if (last?.dataset.type === "stt_partial" && type.startsWith("stt_")) last.remove();
  line(type, LOGGED[type](detail));
}

/** @param {string} type @param {string} text */
function line(type, text) {
  const template = /** @type {HTMLTemplateElement} */ (part("line"));
  const row = /** @type {HTMLElement} */ (/** @type {Element} */ (template.content.firstElementChild).cloneNode(true));
  row.dataset.type = type;
  setText(row.querySelector("code"), type);
  setText(row.querySelector("span"), text);
  log.append(row);
  log.hidden = false;
  log.scrollTop = log.scrollHeight;
}

button.addEventListener("click", () => (session ? session.send("end") : start()));
button.disabled = false;
