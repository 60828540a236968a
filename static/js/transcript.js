// A conversation as it goes on: does to the page what telephony/transcript.py does to rows.
// @ts-check
import { clock, filled, labels, milliseconds, personName, setText } from "./format.js";

const NOTED = [
  "digits_pressed",
  "step_noted",
  "silence_prompted",
  "engine_failed",
  "transfer_started",
  "operator_took_over",
  "words_forgotten",
  "feedback_given",
];

export class Transcript {
  /** @type {HTMLElement} */ #box;
  /** Turn number -> what was measured of it, for turns measured before their words came. @type {Map<number, any>} */
  #measured = new Map();

  /** @param {HTMLElement} box */
  constructor(box) {
    this.#box = box;
  }

  clear() {
    this.#measured.clear();
    this.#box.replaceChildren();
  }

  /** @param {import("./socket.js").CallEvent[]} events */
  take(events) {
    const follows = this.#endIsInView();
    for (const event of events) this.#takeOne(event);
    const last = this.#last();
    const empty = /** @type {HTMLElement | null} */ (this.#box.querySelector("[data-no-lines]"));
    if (empty) empty.hidden = Boolean(last);
    if (follows && events.length) last?.scrollIntoView({ block: "end" });
  }

  #last() {
    const lines = this.#box.querySelectorAll(":scope > .vf-turn, :scope > .vf-note-line");
    return lines.length ? lines[lines.length - 1] : null;
  }

  /** Who has scrolled back, or on to what stands below, is left where they are. */
  #endIsInView() {
    const last = this.#last();
    if (!last) return true;
    const { top, bottom } = last.getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  }

  /** @param {import("./socket.js").CallEvent} event */
  #takeOne({ kind, payload, at_seconds }) {
    if (kind === "caller_words_guessed") this.#guessed(payload, at_seconds);
    else if (kind === "caller_said") this.#callerSaid(payload);
    else if (kind === "caller_said_nothing") this.#nothing(payload);
    else if (kind === "agent_said") this.#agentSaid(payload, at_seconds);
    else if (kind === "agent_heard") this.#agentHeard(payload);
    else if (kind === "operator_said") this.#operatorSaid(payload);
    else if (kind === "operator_gave_back") this.#note(payload.lost ? "operator_lost" : kind, payload);
    else if (kind === "operator_whispered") {
      this.#note(payload.followed ? "operator_whispered" : "whisper_not_followed", payload);
    } else if (kind === "transfer_ended") this.#transferEnded(payload);
    else if (kind === "turn_measured") this.#turnMeasured(payload);
    else if (kind === "message_taken") this.#messageTaken(payload);
    else if (NOTED.includes(kind)) this.#note(kind, payload);
  }

  #transferEnded(payload) {
    const answered = payload.seconds ? "transfer_lasted" : "transfer_answered";
    this.#note(["completed", "answered"].includes(payload.status) ? answered : "transfer_failed", payload);
  }

  #guessed({ turn, text }, at) {
    const line = this.#guess() ?? this.#add("caller", at);
    line.toggleAttribute("data-guess", true);
    this.#write(line, turn, text);
  }

  #callerSaid({ turn, text, start_seconds, engine, degraded }) {
    const line = this.#guess() ?? this.#add("caller", start_seconds);
    line.removeAttribute("data-guess");
    this.#place(line, start_seconds);
    this.#write(line, turn, text);
    if (degraded) stoodIn(line, "stt", engine);
  }

  #nothing(payload) {
    this.#guess()?.remove();
    if (payload.text) this.#note("caller_said_nothing", payload);
  }

  #operatorSaid({ text, by, start_seconds }) {
    const line = this.#add("operator", start_seconds, by);
    setText(line.querySelector("[data-said]"), text);
    line.querySelector("[data-not-kept]").hidden = Boolean(text);
  }

  #agentSaid({ turn, text, by, engine, degraded }, at) {
    let line = this.#speaking(turn);
    if (!line) {
      const first = !this.#box.querySelector(`[data-who=agent][data-turn="${turn}"]`);
      line = this.#add("agent", at, by);
      if (first && this.#measured.has(turn)) this.#measure(line, this.#measured.get(turn));
    }
    if (degraded) stoodIn(line, "tts", engine);
    this.#write(line, turn, `${line.querySelector("[data-said]")?.textContent ?? ""} ${text}`.trim());
  }

  #agentHeard({ turn, text, interrupted }) {
    const line = this.#speaking(turn);
    if (!line) return;
    line.toggleAttribute("data-closed", true);
    if (!interrupted) return;
    const said = /** @type {HTMLElement} */ (line.querySelector("[data-said]"));
    const words = (said.textContent ?? "").split(/\s+/).filter(Boolean);
    const heard = text.split(/\s+/).filter(Boolean).length;
    setText(said, words.slice(0, heard).join(" "));
    if (heard < words.length) {
      const unheard = copy("unheard-template");
      unheard.textContent = words.slice(heard).join(" ");
      said.after(" ", unheard);
    }
    /** @type {HTMLElement} */ (line.querySelector("[data-cut]")).hidden = false;
  }

  #turnMeasured(payload) {
    this.#measured.set(payload.turn, payload);
    const spoken = this.#box.querySelectorAll(`[data-who=agent][data-turn="${payload.turn}"]`);
    if (spoken.length) this.#measure(spoken[spoken.length - 1], payload);
  }

  #messageTaken(payload) {
    const told = this.#box.querySelectorAll("[data-note=message_taken]").length;
    if (payload.ordinal > told) this.#note("message_taken", payload);
  }

  #note(kind, payload) {
    const line = copy(`note-${kind}`);
    const span = /** @type {HTMLElement} */ (line.querySelector("span"));
    span.textContent = filled(span.textContent ?? "", named(payload));
    this.#box.append(line);
  }

  /** @param {string} who @param {number} at @param {string} [by] the operator who says it, or has it said */
  #add(who, at, by = "") {
    const line = copy("turn-template");
    line.dataset.who = who;
    setText(line.querySelector("[data-name]"), by ? filled(labels.by[who], { by: personName(by) }) : labels.who[who]);
    this.#place(line, at);
    this.#box.append(line);
    return line;
  }

  #place(line, at) {
    line.dataset.at = String(at);
    setText(line.querySelector("time"), clock(at));
  }

  #write(line, turn, text) {
    line.dataset.turn = String(turn);
    setText(line.querySelector("[data-said]"), text);
    line.querySelector("[data-not-kept]").hidden = Boolean(text);
  }

  #measure(line, { voice_to_voice_seconds, llm_engine, degraded }) {
    const place = line.querySelector("[data-latency]");
    place.hidden = false;
    setText(place, milliseconds(voice_to_voice_seconds * 1000));
    if (degraded?.includes("llm")) stoodIn(line, "llm", llm_engine);
  }

  /** What the caller may be saying just now. @returns {HTMLElement | null} */
  #guess() {
    return this.#box.querySelector("[data-guess]");
  }

  /** The agent's turn that is not over. @returns {HTMLElement | null} */
  #speaking(turn) {
    const lines = this.#box.querySelectorAll(`[data-who=agent][data-turn="${turn}"]:not([data-closed])`);
    return /** @type {HTMLElement | null} */ (lines[lines.length - 1] ?? null);
  }
}

/** @param {string} id @returns {HTMLElement} */
function copy(id) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(id));
  return /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
}

/** Tell that another engine than the first choice answered. @param {any} line @param {string} kind @param {string} engine */
function stoodIn(line, kind, engine) {
  const note = line.querySelector(`[data-stood-in=${kind}]`);
  note.hidden = false;
  note.title = engine;
}

/** An event's values, its codes with their names. @param {Record<string, any>} payload */
function named({ engine, remedy, category, status, ...rest }) {
  return {
    ...rest,
    by: personName(rest.by),
    engine: labels.engine[engine] ?? engine,
    remedy: labels.remedy[remedy] ?? remedy,
    category: labels.feedback[category] ?? category,
    status: labels.transfers[status] ?? status,
  };
}
