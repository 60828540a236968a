// A call on the canvas: its path is lit as it walks; a step leads to what happened there, and the other way round.
// @ts-check
import { filled, setText } from "../format.js";
import { told } from "./page.js";
import { Path } from "./path.js";
import { openView } from "./view.js";

/** @typedef {import("../socket.js").CallEvent} CallEvent */
/** @typedef {import("./path.js").Step} Step */

const LINES = '[data-note="step_noted"]'; // of the transcript: one for each note, in their order

/** @param {HTMLElement} panel @param {{heard: CallEvent[], replay: boolean}} what @returns {{take: (event: CallEvent) => void,
 *   rewind: () => void}} */
export function openWalk(panel, { heard, replay }) {
  const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (panel.querySelector(`[data-walk-${name}]`));
  const follow = /** @type {HTMLInputElement} */ (part("follow"));
  const stages = /** @type {HTMLSelectElement} */ (part("stages"));
  let path = new Path();
  let stage = told.stages[0];
  const view = openView(part("canvas"), stage.graph, { onNode: goToNode });
  let visit = 0; // how often a node was chosen

  /** @param {CallEvent} event */
  function take(event) {
    if (!path.take(event)) return;
    draw();
  }

  /** @param {Step | undefined} [at] the step to look at; else the newest, or all of a call that is over */
  function draw(at) {
    part("following").hidden = path.ended;
    const newest = follow.checked && !path.ended ? path.steps.at(-1) : undefined;
    const here = at ?? newest;
    if (here) showStage(here.agent, here.flow);
    part("stage").classList.toggle("vf-visually-hidden", !stages.hidden); // where it can be chosen it is read there
    setText(part("stage"), stage.title);
    setText(part("note"), noteOf(path));
    view.lights.show(path.lights(stage));
    if (here && isOn(here, stage)) view.look([here.node]);
    makeLinesButtons();
  }

  /** @param {string} agent @param {string} flow */
  function showStage(agent, flow) {
    const next = told.stages.find((/** @type {any} */ each) => each.agent === agent && each.flow === flow);
    if (!next?.graph || next === stage) return;
    stage = next;
    stages.value = String(told.stages.indexOf(stage));
    view.show(stage.graph);
  }

  function offerStages() {
    const drawn = told.stages.filter((/** @type {any} */ each) => each.graph);
    stages.hidden = drawn.length < 2;
    stages.replaceChildren(...drawn.map((/** @type {any} */ each) => new Option(each.title, String(told.stages.indexOf(each)))));
    stages.addEventListener("change", () => {
      const { agent, flow } = told.stages[Number(stages.value)];
      follow.checked = false;
      showStage(agent, flow);
      draw();
      view.look();
    });
  }

  /** @param {Path} walked */
  function noteOf(walked) {
    const { free = "", operator = "", lost = "", unwalked = "" } = part("note").dataset;
    const other = told.stages.find((/** @type {any} */ each) => each.agent === walked.agent && !each.flow);
    if (walked.operator) return operator;
    if (walked.agent && !other?.graph) return filled(free, { agent: other?.title ?? walked.agent });
    if (walked.lost) return lost;
    return walked.steps.length ? "" : unwalked;
  }

  /** From a step to where the call came to it; again, to the next time. @param {string} id */
  function goToNode(id) {
    const steps = path.steps.filter((step) => step.node === id && isOn(step, stage));
    if (!steps.length) return;
    const step = steps[visit % steps.length];
    visit += 1;
    const line = lines()[step.note];
    point(line);
    point(eventLine(step.seq));
    line?.scrollIntoView({ block: "center", behavior: "smooth" });
  }

  /** From a note, or an event, to its step. @param {HTMLElement} line @param {Step | undefined} step */
  function goToStep(line, step) {
    if (!step) return;
    follow.checked = false;
    point(line);
    draw(step);
  }

  /** Notes lead to their steps, also by keyboard. */
  function makeLinesButtons() {
    for (const line of lines()) {
      if (line.tabIndex === 0) continue;
      line.tabIndex = 0;
      line.setAttribute("role", "button");
    }
  }

  /** @param {Event} event */
  function chosen({ target }) {
    const line = /** @type {HTMLElement} */ (target).closest(LINES);
    const row = /** @type {HTMLElement} */ (target).closest(".vf-event");
    if (line) goToStep(/** @type {HTMLElement} */ (line), path.ofNote(lines().indexOf(/** @type {HTMLElement} */ (line))));
    else if (row) goToStep(/** @type {HTMLElement} */ (row), path.at(seqOf(row)));
  }

  document.querySelector("[data-call-page]")?.addEventListener("click", chosen);
  document.querySelector("[data-transcript]")?.addEventListener("keydown", (event) => {
    if (/** @type {KeyboardEvent} */ (event).key === "Enter") chosen(event);
  });
  follow.addEventListener("change", () => draw());
  const begun = replay ? heard : [...told.events, ...heard];
  for (const event of begun) path.take(event);
  offerStages();
  draw();
  return {
    take,
    rewind: () => {
      path = new Path();
      draw();
    },
  };
}

/** @param {Step} step @param {any} stage */
const isOn = (step, stage) => step.agent === stage.agent && step.flow === stage.flow;

const lines = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll(`[data-transcript] ${LINES}`)]);

/** The number of an event's row, which begins with it. @param {Element} row */
const seqOf = (row) => Number.parseInt(row.children[1].textContent ?? "", 10);

/** @param {number} seq */
const eventLine = (seq) => [...document.querySelectorAll("[data-events] > .vf-event")].find((row) => seqOf(row) === seq);

/** @param {Element | undefined} line */
function point(line) {
  if (!line) return;
  const list = line.parentElement;
  for (const each of list?.querySelectorAll("[data-shown]") ?? []) each.removeAttribute("data-shown");
  line.setAttribute("data-shown", "");
}
