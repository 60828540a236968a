// The recording of a call: two waveforms drawn from peaks that were computed beforehand, play, seek.
// @ts-check
import WaveSurfer from "../vendor/wavesurfer.esm.js";

import { clock, setText } from "./format.js";

/** @type {any} */ let wave = null;
/** @type {HTMLElement | null} */ let opened = null;

/** Opens the player on the page, once, if there is a recording. @param {HTMLElement} page */
export function openPlayer(page) {
  const box = /** @type {HTMLElement | null} */ (page.querySelector("[data-player]"));
  if (!box || box === opened) return;
  opened = box;
  const audio = new Audio(box.dataset.src);
  audio.preload = "metadata";
  const peaks = JSON.parse(box.querySelector("#peaks")?.textContent ?? "{}");
  wave = WaveSurfer.create({
    container: /** @type {HTMLElement} */ (box.querySelector("[data-wave]")),
    media: audio,
    peaks: [scaled(peaks.caller), scaled(peaks.agent)],
    duration: Number(box.dataset.duration),
    height: 32,
    barWidth: 2,
    barGap: 1,
    barRadius: 1,
    splitChannels: colours(),
  });
  addEventListener("themechange", () => wave.setOptions({ splitChannels: colours() }));
  control(box, audio);
  followTurns(page, audio);
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (page.querySelectorAll("[data-seek]"))) {
    button.disabled = false;
  }
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
}

/** Marks the turn that is being played. @param {HTMLElement} page @param {HTMLAudioElement} audio */
function followTurns(page, audio) {
  audio.addEventListener("timeupdate", () => {
    const lines = /** @type {HTMLElement[]} */ (Array.from(page.querySelectorAll(".vf-turn[data-at]")));
    const begun = lines.filter((line) => Number(line.dataset.at) <= audio.currentTime + 0.05);
    const now = audio.paused ? undefined : begun[begun.length - 1];
    for (const line of lines) line.toggleAttribute("data-now", line === now);
  });
}
