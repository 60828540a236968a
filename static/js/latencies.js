// Where the time of each turn went: a stacked bar and a table row for each measured turn.
// @ts-check
import { filled, labels, milliseconds, setText } from "./format.js";

const QUEUES = { words: "stt_queue_seconds", text: "llm_queue_seconds", audio: "tts_queue_seconds" };
const list = /** @type {HTMLElement} */ (document.querySelector("[data-latencies]"));

/** @param {any} turn the payload of `turn_measured` */
export function addLatency(turn) {
  const total = turn.voice_to_voice_seconds * 1000;
  const bar = copy("latency-template");
  bar.dataset.turn = turn.turn;
  setText(bar.firstElementChild, String(turn.turn));
  setText(bar.querySelector("[data-total]"), milliseconds(total));
  for (const stage of /** @type {NodeListOf<HTMLElement>} */ (bar.querySelectorAll("[data-stage]"))) {
    const name = stage.dataset.stage ?? "";
    const seconds = turn[`${name}_seconds`];
    const waited = turn[QUEUES[name]] ?? 0;
    const figures = { ms: Math.round(seconds * 1000), queued: Math.round(waited * 1000) };
    const words = { label: labels.stages[name], what: labels.stage_work[name] };
    stage.title = filled(labels.stage_titles[waited ? "waited" : "plain"], { ...figures, ...words });
    const queue = (seconds ? Math.min(1, waited / seconds) : 0).toFixed(3);
    stage.dataset.css = `--ms: ${figures.ms}; --queue: ${queue};`;
  }
  list.append(bar);
  rescale(total);
  document.querySelector("[data-latency-rows]")?.append(row(turn, total));
  /** @type {HTMLElement} */ (document.querySelector("[data-no-latency]")).hidden = true;
}

/** @param {number} total */
function rescale(total) {
  const scale = Math.max(Number(list.dataset.scale), Math.round(total));
  list.dataset.scale = String(scale);
  list.dataset.css = `--scale: ${scale}`;
}

/** @param {any} turn @param {number} total */
function row(turn, total) {
  const queued = Object.values(QUEUES).reduce((sum, field) => sum + turn[field], 0);
  const stages = ["endpointing", "words", "text", "audio"].map((name) => turn[`${name}_seconds`] * 1000);
  const made = copy("latency-row-template");
  [turn.turn, ...stages, queued * 1000, total].forEach((value, index) => {
    setText(made.children[index], String(Math.round(value)));
  });
  return made;
}

/** @param {string} id @returns {HTMLElement} */
function copy(id) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(id));
  return /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
}
