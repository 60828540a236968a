// The recording of a call: two waveforms drawn from peaks that were computed beforehand; play, seek, follow the words.
// @ts-check
import WaveSurfer from "../vendor/wavesurfer.esm.js";

import { clock, setText } from "./format.js";
import { cutIntoWords, moveByKeys } from "./words.js";

const STEP_SECONDS = 5; // of an arrow key

/** @type {any} */ let wave = null;
/** @type {HTMLElement | null} */ let opened = null;

/** Opens the player on the page, once, if there is a recording. @param {HTMLElement} page */
export function openPlayer(page) {
  const box = /** @type {HTMLElement | null} */ (page.querySelector("[data-player]"));
  if (!box || box === opened) return;
  opened = box;
  const audio = new Audio(box.dataset.src);
  audio.preload = "none"; // who only looks at the page has not listened
  const peaks = JSON.parse(box.querySelector("#peaks")?.textContent ?? "{}");
  wave = WaveSurfer.create({
    container: /** @type {HTMLElement} */ (box.querySelector("[data-wave]")),
    media: audio,
    peaks: [scaled(peaks.caller), scaled(peaks.agent)],
    duration: Number(box.dataset.duration),
    cspNonce: page.dataset.nonce,
    height: 32,
    barWidth: 2,
    barGap: 1,
    barRadius: 1,
    splitChannels: colours(),
  });
  addEventListener("themechange", () => wave.setOptions({ splitChannels: colours() }));
  control(box, audio);
  followWords(page, audio, cutIntoWords(page, peaks));
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (page.querySelectorAll("[data-seek]"))) {
    button.disabled = false;
  }
  showPlaceOfAddress(page, audio);
}

/** Plays from a place in the call. @param {number} seconds */
export function seek(seconds) {
  wave?.setTime(seconds);
  wave?.play();
}

/** Peaks are stored as 0..100. @param {number[] | undefined} peaks */
const scaled = (peaks) => (peaks?.length ? peaks : [0]).map((peak) => peak / 100);

function colours() {
  const style = getComputedStyle(document.documentElement);
  /** @param {string} name */
  const token = (name) => style.getPropertyValue(name).trim();
  return ["--c1", "--accent"].map((name) => ({
    waveColor: `color-mix(in srgb, ${token(name)} 45%, ${token("--surface")})`,
    progressColor: token(name),
    cursorColor: token("--text"),
  }));
}

/** @param {HTMLElement} box @param {HTMLAudioElement} audio */
function control(box, audio) {
  const button = /** @type {HTMLElement} */ (box.querySelector("[data-play]"));
  button.addEventListener("click", () => wave.playPause());
  const show = () => {
    for (const face of /** @type {NodeListOf<HTMLElement>} */ (button.querySelectorAll("[data-when]"))) {
      face.hidden = (face.dataset.when === "playing") === audio.paused;
    }
  };
  audio.addEventListener("play", show);
  audio.addEventListener("pause", show);
  audio.addEventListener("timeupdate", () => setText(box.querySelector("[data-position]"), clock(audio.currentTime)));
  const speed = /** @type {HTMLSelectElement | null} */ (box.querySelector("[data-speed]"));
  speed?.addEventListener("change", () => {
    audio.playbackRate = Number(speed.value);
  });
  onPlayKeys({
    toggle: () => wave.playPause(),
    step: (direction) => wave.setTime(Math.max(0, audio.currentTime + direction * STEP_SECONDS)),
  });
}

/** Space, except in a field or on a button, and the arrow keys, unless they mean something to what has the focus.
 * @param {{toggle: () => void, step: (direction: number) => void}} what */
export function onPlayKeys({ toggle, step }) {
  document.addEventListener("keydown", (event) => {
    if (event.metaKey || event.ctrlKey || event.altKey || event.defaultPrevented) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.closest("input:not([type=range]), textarea, select, dialog, [contenteditable]")) return;
    if (event.key === " ") {
      if (target.closest("button, summary, [tabindex='0']:not(.vf-word)")) return;
      toggle();
    } else if (target.closest("[type=range], [tabindex='0']")) return;
    else if (event.key === "ArrowLeft") step(-1);
    else if (event.key === "ArrowRight") step(1);
    else return;
    event.preventDefault();
  });
}

/** Marks the word that is being heard, and its turn; a click on a word, or Enter, plays from it.
 * @param {HTMLElement} page @param {HTMLAudioElement} audio @param {import("./words.js").Word[]} words */
function followWords(page, audio, words) {
  const known = new Map(words.map((word) => [word.element, word]));
  page.addEventListener("click", (click) => {
    const word = known.get(/** @type {HTMLElement} */ (click.target));
    if (word && !getSelection()?.toString()) seek(word.from);
  });
  moveByKeys(words, (word) => seek(word.from));
  /** @type {import("./words.js").Word | undefined} */ let marked;
  const mark = () => {
    const now = audio.currentTime + 0.02;
    const word = words.findLast(({ from }) => from <= now);
    if (word !== marked) {
      marked?.element.removeAttribute("data-now");
      word?.element.toggleAttribute("data-now", true);
      if (word?.turn !== marked?.turn) {
        marked?.turn.removeAttribute("data-now");
        word?.turn.toggleAttribute("data-now", true);
        if (!audio.paused) word?.turn.scrollIntoView({ block: "nearest" });
      }
      marked = word;
    }
    if (!audio.paused) requestAnimationFrame(mark);
  };
  audio.addEventListener("play", mark);
  audio.addEventListener("seeked", mark);
}

/** `#at=12.5`, as lists link what they found: that turn is shown, and played from on demand.
 * @param {HTMLElement} page @param {HTMLAudioElement} audio */
function showPlaceOfAddress(page, audio) {
  const at = /^#at=([\d.]+)$/.exec(location.hash);
  if (!at) return;
  const turn = page.querySelector(`.vf-turn[data-at="${at[1]}"]`);
  turn?.scrollIntoView({ block: "center" });
  audio.addEventListener("loadedmetadata", () => wave.setTime(Number(at[1])), { once: true });
}
