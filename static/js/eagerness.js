// Try an eagerness: silence fills a line for each kind of pause, at whose end the agent would answer.
// @ts-check
import { filled, setText } from "./format.js";

const SPEECH = 0.02; // loudness (0..1) above which somebody speaks, in a quiet room
const OVER_NOISE = 3; // times louder than the room
const ONSET_MS = 96; // shorter sounds are clicks
const box = /** @type {HTMLDetailsElement} */ (document.querySelector("[data-eagerness]"));
/** @param {string} name @returns {any} */
const part = (name) => box.querySelector(`[data-${name}]`);
const listen = /** @type {HTMLButtonElement} */ (part("listen"));
const hold = /** @type {HTMLButtonElement} */ (part("hold"));

/** @type {MediaStream | null} */ let stream = null;
/** @type {AudioContext | null} */ let context = null;
/** @type {AnalyserNode | null} */ let analyser = null;
const samples = new Float32Array(1024);
let noise = SPEECH / OVER_NOISE;
let held = false;
let loudSince = 0; // ms; 0 while it is quiet
let quietSince = 0; // ms of the end of the last speech; 0 before there was any
let speaking = false;
let drawing = false;

async function start() {
  part("hear-problem").hidden = true;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true } });
  } catch {
    setText(part("hear-problem"), box.dataset.blocked ?? "");
    part("hear-problem").hidden = false;
    return;
  }
  context = new AudioContext();
  analyser = context.createAnalyser();
  analyser.fftSize = samples.length;
  context.createMediaStreamSource(stream).connect(analyser);
  showListening(true);
  draw();
}

function stop() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  context?.close();
  stream = context = analyser = null;
  showListening(false);
}

/** @param {boolean} on */
function showListening(on) {
  listen.setAttribute("aria-pressed", String(on));
  part("when-on").hidden = !on;
  part("when-off").hidden = on;
}

function level() {
  if (held) return 0.3;
  if (!analyser) return 0;
  analyser.getFloatTimeDomainData(samples);
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}

function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(step);
}

/** @param {number} now */
function step(now) {
  drawing = false;
  const loudness = level();
  const loud = held || loudness > Math.max(SPEECH, noise * OVER_NOISE);
  if (!loud && analyser) noise += (loudness - noise) * 0.02;
  follow(loud, now);
  part("hear-level").style.transform = `scaleX(${Math.min(1, loudness * 4).toFixed(3)})`;
  const paused = !speaking && quietSince > 0;
  const filling = showPause(paused ? Math.max(0, now - quietSince) / 1000 : 0) && paused;
  if (analyser || held || filling) draw();
}

/** @param {boolean} loud @param {number} now */
function follow(loud, now) {
  if (!loud) {
    loudSince = 0;
    if (speaking) {
      speaking = false;
      quietSince = now;
    }
    return;
  }
  loudSince ||= now;
  if (speaking || (!held && now - loudSince < ONSET_MS)) return;
  speaking = true;
  if (quietSince) setText(part("hear-last"), filled(box.dataset.last ?? "", { seconds: ((loudSince - quietSince) / 1000).toFixed(2) }));
}

/** @param {number} pause in seconds @returns {boolean} whether a line is not full yet */
function showPause(pause) {
  const seconds = /** @type {HTMLElement} */ (document.getElementById("pauses")).dataset;
  let filling = false;
  for (const row of /** @type {NodeListOf<HTMLElement>} */ (box.querySelectorAll("[data-pause]"))) {
    const needed = Number(seconds[row.dataset.pause ?? ""]) || Infinity;
    const share = Math.min(1, pause / needed);
    /** @type {HTMLElement} */ (row.querySelector("i > i")).style.transform = `scaleX(${share.toFixed(3)})`;
    row.classList.toggle("vf-hear-answers", share === 1);
    filling ||= share < 1;
  }
  return filling;
}

/** @param {boolean} on */
function press(on) {
  if (on === held) return;
  held = on;
  follow(on, performance.now()); // a key may be let go before the next frame
  hold.classList.toggle("vf-held", on);
  draw();
}

listen.addEventListener("click", () => (stream ? stop() : start()));
hold.addEventListener("pointerdown", (event) => {
  hold.setPointerCapture(event.pointerId);
  press(true);
});
for (const name of ["pointerup", "pointercancel", "blur"]) hold.addEventListener(name, () => press(false));
hold.addEventListener("keydown", (event) => {
  if (event.key !== " " && event.key !== "Enter") return;
  event.preventDefault();
  if (!event.repeat) press(true);
});
hold.addEventListener("keyup", (event) => {
  if (event.key === " " || event.key === "Enter") press(false);
});
box.addEventListener("toggle", () => !box.open && stream && stop());
addEventListener("pagehide", () => stream && stop());
