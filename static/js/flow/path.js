// The path of a call through its flows, folded from its events.
// @ts-check

/** `note` is its number among the call's notes, from 0; `edge` is what led to it. `agent` and `flow` are "" for the call's
 * own. @typedef {{seq: number, note: number, agent: string, flow: string, node: string, edge: string}} Step */

const MOST_TOLD = 3; // of the times that a call came to a step

export class Path {
  /** @type {Step[]} */ steps = [];
  agent = "";
  operator = false; // an operator has the call
  lost = false;
  ended = false;
  #notes = 0;
  #edge = "";
  #seq = 0;
  /** The step at which each note was made. @type {number[]} */ #stepOfNote = [];

  /** Whether it matters here. @param {import("../socket.js").CallEvent} event */
  take({ seq, kind, payload }) {
    if (seq <= this.#seq) return false;
    this.#seq = seq;
    if (kind === "operator_took_over") this.operator = true;
    else if (kind === "operator_gave_back") this.operator = false;
    else if (kind === "call_ended") this.ended = true;
    else if (kind === "step_noted") this.#noted(seq, payload);
    else return false;
    return true;
  }

  /** @param {number} seq @param {{note: string, name: string, data: any}} payload */
  #noted(seq, { note, name, data }) {
    if (note === "agent") this.agent = name;
    else if (note === "edge") this.#edge = data.id ?? "";
    else if (note === "node" && data.id) {
      this.steps.push({ seq, note: this.#notes, agent: this.agent, flow: data.flow ?? "", node: data.id, edge: this.#edge });
      this.#edge = "";
    } else if (note === "node") this.lost = true;
    // A connection belongs to the step that it leads to; anything else to the step at which it was noted.
    this.#stepOfNote.push(note === "edge" ? this.steps.length : this.steps.length - 1);
    this.#notes += 1;
  }

  /** @param {number} note its number among the notes */
  ofNote(note) {
    return this.steps[Math.min(this.#stepOfNote[note] ?? -1, this.steps.length - 1)];
  }

  /** Where the call was at an event. @param {number} seq */
  at(seq) {
    return this.steps.findLast((step) => step.seq <= seq);
  }

  /** What is lit of a flow. @param {{agent: string, flow: string}} stage @returns {Map<string, import("./lit.js").Light>} */
  lights({ agent, flow }) {
    /** @type {Map<string, number[]>} */
    const places = new Map();
    const edges = new Set();
    this.steps.forEach((step, place) => {
      if (step.agent !== agent || step.flow !== flow) return;
      places.set(step.node, [...(places.get(step.node) ?? []), place + 1]);
      if (step.edge) edges.add(step.edge);
    });
    const lit = new Map([...edges].map((id) => [id, /** @type {import("./lit.js").Light} */ ({ state: "walked" })]));
    for (const [id, numbers] of places) lit.set(id, { state: "walked", badge: told(numbers) });
    const here = this.steps.at(-1);
    const isHere = here && here.agent === agent && here.flow === flow && this.agent === agent && !this.operator;
    if (isHere && !this.ended) lit.set(here.node, { state: "now" });
    return lit;
  }
}

/** "2, 5, 9" of the places on the path. @param {number[]} numbers */
const told = (numbers) => `${numbers.length > MOST_TOLD ? "… " : ""}${numbers.slice(-MOST_TOLD).join(", ")}`;
