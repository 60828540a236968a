// Trying the draft by text: a conversation beside the canvas, on which its path is lit. Every request plays all of it,
// so any turn can be changed and what follows is played again.
// @ts-check
import { useEffect, useRef, useState } from "../../vendor/flow/flow.mjs";
import { Choice } from "./fields.js";
import { Head } from "./inspector.js";
import { nameOf } from "./model.js";
import { data, html, Icon, mayChange, say, told } from "./page.js";
import { Path } from "./path.js";

/** As agents/flows/rehearsal.py tells it. @typedef {{say: string, keys: string, silence: boolean, said: string[],
 *   events: {kind: string, name: string, data: any}[], flow: string, node: string, variables: Record<string, any>,
 *   ended: boolean, transferredTo: string, answers: string[], tools: string[]}} Turn */
/** What a caller does in a turn, with what is known of it. @typedef {Partial<Turn>} Move */

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];
const LATE_MS = 1500;

/** A trial outlives its panel. */
export class Trial {
  /** @type {Turn[]} */ turns = [];
  /** What was played before the last change, to come back to. @type {Turn[][]} */ earlier = [];
  agent = "";
  earnest = false; // tools are called
  /** What tools have answered since it began: none is called a second time unasked. @type {string[]} */ called = [];
  typed = "";
  failure = /** @type {{error: string, node?: string, edge?: string} | null} */ (null);
  late = false;
  /** The graph that was played, as JSON. */ played = "";
  /** @type {AbortController | null} */ asking = null;
  /** Ends with what is asked. @type {Promise<boolean>} */ answered = Promise.resolve(true);
  saying = false; // what is typed is said as soon as the agent is done
  /** @type {() => void} */ onChange = () => {};

  /** @param {string} address @param {() => any} graph the draft as it is now @param {import("./lit.js").Lights} lights
   * @param {string} [agent] as whom it is tried at first */
  constructor(address, graph, lights, agent = "") {
    this.agent = agent;
    this.address = address;
    this.graph = graph;
    this.lights = lights;
  }

  get isOver() {
    const last = this.turns.at(-1);
    return Boolean(last?.ended || last?.transferredTo);
  }

  /** Whether the draft was changed since. */
  get isOld() {
    return this.turns.length > 0 && this.played !== JSON.stringify(this.graph());
  }

  /** What is typed, once what was asked before is answered: a quick caller waits for the agent. */
  async say() {
    if (this.saying) return;
    this.saying = true;
    while (this.asking) await this.answered;
    this.saying = false;
    const words = this.typed.trim();
    if (words && !this.isOver) await this.go({ say: words });
  }

  /** Do something as the caller. @param {Move} move */
  async go(move) {
    if (await this.play([...this.turns, move])) this.typed = "";
    this.onChange();
  }

  /** Put another move at a place, or none, and play what follows again. @param {number} place @param {Move | null} move */
  edit(place, move) {
    const after = this.turns.slice(place + 1).map(bare);
    return this.play([...this.turns.slice(0, place), ...(move ? [move] : []), ...after], true);
  }

  /** All of it again, with nothing that is known but what tools have answered. */
  again() {
    return this.play(this.turns.map(bare), true);
  }

  restart() {
    this.called = [];
    return this.play([{}]);
  }

  undo() {
    this.turns = this.earlier.pop() ?? this.turns;
    this.failure = null;
    this.light();
    this.onChange();
  }

  /** @param {Move[]} moves @param {boolean} [again] whether the caller does nothing new in them
   * @returns {Promise<boolean>} whether they were played */
  play(moves, again = false) {
    return (this.answered = this.playNow(moves, again));
  }

  /** @param {Move[]} moves @param {boolean} again */
  async playNow(moves, again) {
    this.asking?.abort();
    const asking = (this.asking = new AbortController());
    const timer = setTimeout(() => ((this.late = true), this.onChange()), LATE_MS);
    const graph = this.graph();
    this.failure = null;
    this.onChange();
    const { agent, earnest: tools, called } = this;
    const answer = await this.ask({ graph, turns: moves, agent, tools, called, again }, asking.signal);
    clearTimeout(timer);
    called.push(...(answer?.called ?? []));
    if (this.asking !== asking) return false; // another one was asked for meanwhile
    this.asking = null;
    this.late = false;
    if (answer?.turns) {
      if (this.turns.length) this.earlier.push(this.turns);
      this.turns = answer.turns;
      this.played = JSON.stringify(graph);
      this.light();
    } else if (answer) this.failure = answer;
    this.onChange();
    return Boolean(answer?.turns);
  }

  cancel() {
    this.asking?.abort();
    this.asking = null;
    this.late = false;
    this.onChange();
  }

  /** @param {any} what @param {AbortSignal} signal @returns {Promise<any>} null: given up */
  async ask(what, signal) {
    const headers = { ...JSON.parse(document.body.getAttribute("hx-headers") ?? "{}"), "X-Requested-With": "fetch" };
    try {
      const answer = await fetch(this.address, { method: "POST", headers, body: JSON.stringify(what), signal });
      const content = await answer.json().catch(() => ({}));
      return answer.ok || content.error ? content : { error: say("try_failed") };
    } catch {
      return signal.aborted ? null : { error: say("try_offline") };
    }
  }

  light() {
    const path = new Path();
    let seq = 0;
    for (const { events } of this.turns) {
      for (const { kind, name, data } of events) path.take({ seq: (seq += 1), kind: "step_noted", at: 0, at_seconds: 0, payload: { note: kind, name, data } });
    }
    path.ended = this.isOver;
    this.lights.show(path.lights({ agent: "", flow: "" }));
  }

  dark() {
    this.lights.show([]);
  }
}

/** @param {Turn} turn @returns {Move} */
const bare = ({ say, keys, silence }) => ({ say, keys, silence });

/** @param {Move} move */
const isGreeting = ({ say, keys, silence }) => !say && !keys && !silence;

/** @param {{trial: Trial, graph: any, acts: any}} what */
export function TryPanel({ trial, graph, acts }) {
  const [, redraw] = useState(0);
  const end = useRef(null);
  useEffect(() => {
    trial.onChange = () => redraw((count) => count + 1);
    if (!trial.turns.length && !trial.asking) trial.restart();
    else trial.light();
    return () => {
      trial.onChange = () => {};
      trial.dark();
    };
  }, []);
  useEffect(() => {
    end.current?.scrollIntoView({ block: "nearest" });
    const last = trial.turns.at(-1);
    if (last && !last.flow) acts.lookAt(last.node);
  }, [trial.turns]);
  const asksTools = graph.nodes.some((/** @type {any} */ { data: { step } }) => step.type === "tool" || step.data.tools?.length);
  return html`
    <${Head} icon="try" tone="talk" title=${say("try")} does=${say("try_does")} acts=${acts} />
    <div className="vf-flow-fields">
      <div className="vf-field"><label htmlFor="try-agent">${say("try_agent")}</label><${Choice} id="try-agent" value=${trial.agent} choices=${data.agents} empty=${say("try_no_agent")} change=${(/** @type {string} */ agent) => ((trial.agent = agent), trial.again())} /></div>
      ${asksTools && told.mayCallTools && html`<label className="vf-flow-check"><input type="checkbox" checked=${trial.earnest} onChange=${() => ((trial.earnest = !trial.earnest), trial.again())} /> ${say("try_tools")}</label>`}
      <ol className="vf-try" aria-live="polite">${trial.turns.map((turn, place) => html`<${OneTurn} key=${place} turn=${turn} place=${place} trial=${trial} graph=${graph} acts=${acts} />`)}</ol>
      <div ref=${end}></div>
      <${Standing} trial=${trial} acts=${acts} />
      ${!trial.isOver && html`<${Composer} trial=${trial} />`}
      <div className="vf-row">
        <button type="button" className="vf-btn vf-btn-small" onClick=${() => trial.restart()}><${Icon} name="again" size=${14} />${say("try_restart")}</button>
        <button type="button" className="vf-btn vf-btn-small" disabled=${!trial.earlier.length} onClick=${() => trial.undo()}><${Icon} name="undo" size=${14} />${say("undo")}</button>
        ${!told.version && html`<button type="button" className="vf-btn vf-btn-small" disabled=${!trial.agent} title=${trial.agent ? null : say("try_voice_help")} onClick=${() => acts.talk(trial.agent)}><${Icon} name="now" size=${14} />${say("try_voice")}</button>`}
        ${mayChange && html`<button type="button" className="vf-btn vf-btn-small" disabled=${trial.turns.length < 2} onClick=${() => acts.keepTest(testOf(trial))}><${Icon} name="ok" size=${14} />${say("try_keep")}</button>`}
      </div>
      ${!told.version && !trial.agent && html`<p className="vf-help">${say("try_voice_help")}</p>`}
      <${Variables} turn=${trial.turns.at(-1)} before=${trial.turns.at(-2)} />
    </div>`;
}

/** What goes on, or went wrong. @param {{trial: Trial, acts: any}} what */
function Standing({ trial, acts }) {
  const { failure, isOver } = trial;
  const last = trial.turns.at(-1);
  return html`<div role="status">
    ${trial.asking && html`<p className="vf-help">${say(trial.late ? "try_slow" : "try_waiting")} ${trial.late && html`<button type="button" className="vf-btn vf-btn-small" onClick=${() => trial.cancel()}>${say("try_cancel")}</button>`}</p>`}
    ${failure && html`<div className="vf-notice vf-bad"><${Icon} name="error" /><span>${failure.error}</span>${(failure.node || failure.edge) && html`<button type="button" className="vf-btn vf-btn-small" onClick=${() => acts.visitProblem(failure)}>${say("try_show")}</button>`}</div>`}
    ${isOver && html`<p className="vf-help">${last?.transferredTo ? say("try_transferred", { number: last.transferredTo }) : say("try_ended")}</p>`}
    ${!trial.asking && trial.isOld && html`<div className="vf-notice"><span>${say("try_old")}</span><button type="button" className="vf-btn vf-btn-small" onClick=${() => trial.again()}>${say("try_again")}</button></div>`}
  </div>`;
}

/** @param {{turn: Turn, place: number, trial: Trial, graph: any, acts: any}} what */
function OneTurn({ turn, place, trial, graph, acts }) {
  const [editing, setEditing] = useState("");
  const done = turn.silence ? say("try_silent") : turn.keys ? say("key", { keys: turn.keys }) : turn.say;
  const send = (/** @type {any} */ event) => {
    event.preventDefault();
    const words = editing.trim();
    setEditing("");
    if (words && words !== turn.say) trial.edit(place, { say: words });
  };
  return html`<li>
    ${!isGreeting(turn) &&
    (editing
      ? html`<form className="vf-try-edit" onSubmit=${send}><input className="vf-input" autoFocus value=${editing} aria-label=${say("try_edit")} onChange=${(/** @type {any} */ event) => setEditing(event.target.value)} onKeyDown=${(/** @type {any} */ event) => event.key === "Escape" && (event.stopPropagation(), setEditing(""))} /><button className="vf-btn vf-btn-small vf-btn-primary">${say("try_replay")}</button></form>`
      : html`<p className="vf-try-caller"><span>${done}</span>
          <button type="button" className="vf-btn vf-btn-ghost vf-btn-icon vf-btn-small" aria-label=${say("try_edit")} title=${say("try_edit")} onClick=${() => setEditing(turn.say || " ")}><${Icon} name="changed" size=${13} /></button>
          <button type="button" className="vf-btn vf-btn-ghost vf-btn-icon vf-btn-small" aria-label=${say("try_remove")} title=${say("try_remove")} onClick=${() => trial.edit(place, null)}><${Icon} name="close" size=${13} /></button></p>`)}
    ${decisionsOf(turn).map((event, index) => html`<${Decided} key=${index} event=${event} graph=${graph} acts=${acts} />`)}
    ${turn.said.map((text, index) => html`<p className="vf-try-agent" key=${`said ${index}`}>${text}</p>`)}
  </li>`;
}

/** What decided, and what was done. @param {Turn} turn */
const decisionsOf = ({ events }) => events.filter(({ kind, data: told }) => (kind === "edge" && told.by !== "next") || ["intent", "tool", "source"].includes(kind));

/** @param {{event: any, graph: any, acts: any}} what */
function Decided({ event: { kind, name, data: told }, graph, acts }) {
  if (kind === "source") return html`<p className="vf-try-decided">${say("try_source", { name })} (${told.score?.toFixed(2)})</p>`;
  if (kind === "tool") return html`<p className="vf-try-decided">${say("try_tool", { name })} · ${told.ok === false ? told.reason || say("try_tool_failed") : say("try_tool_done")}</p>`;
  const edge = graph.edges.find((/** @type {any} */ { id }) => id === told.id);
  const target = graph.nodes.find((/** @type {any} */ { id }) => id === told.to);
  const led = edge?.data.edge.label || (target && nameOf(target.data.step)) || name;
  const margin = told.margin ?? (told.runner_up_score === undefined ? 1 : told.score - told.runner_up_score);
  const score = told.score === undefined ? "" : ` (${told.score.toFixed(2)}, ${say("try_ahead", { margin: margin.toFixed(2) })})`;
  const words = `${data.deciders[told.by] ?? say("try_understood")}${score} → ${led}`;
  if (!edge) return html`<p className="vf-try-decided">${words}</p>`;
  return html`<button type="button" className="vf-try-decided" onClick=${() => acts.lookAt(edge.source, edge.target)}>${words}</button>`;
}

/** @param {{trial: Trial}} what */
function Composer({ trial }) {
  const [keypad, setKeypad] = useState(false);
  const send = (/** @type {any} */ event) => {
    event.preventDefault();
    trial.say();
  };
  const type = (/** @type {any} */ event) => {
    trial.typed = event.target.value;
    trial.onChange();
  };
  return html`<form className="vf-try-composer" onSubmit=${send}>
    <input className="vf-input" id="try-words" value=${trial.typed} maxLength=${1000} autoComplete="off" placeholder=${say("try_words")} aria-label=${say("try_words")} onChange=${type} />
    <button className="vf-btn vf-btn-primary">${say("try_send")}</button>
    <button type="button" className="vf-btn vf-btn-small" aria-expanded=${keypad} onClick=${() => setKeypad(!keypad)}>${say("try_keypad")}</button>
    <button type="button" className="vf-btn vf-btn-small" disabled=${Boolean(trial.asking)} onClick=${() => trial.go({ silence: true })}>${say("try_silent")}</button>
    ${keypad && html`<div className="vf-try-keypad" role="group" aria-label=${say("try_keypad")}>${KEYS.map((keys) => html`<button key=${keys} type="button" className="vf-btn" disabled=${Boolean(trial.asking)} onClick=${() => trial.go({ keys })}>${keys}</button>`)}</div>`}
  </form>`;
}

/** What the flow knows now; what this turn has changed is marked. @param {{turn?: Turn, before?: Turn}} what */
function Variables({ turn, before }) {
  const known = Object.entries(turn?.variables ?? {});
  if (!known.length) return null;
  const isNew = (/** @type {string} */ name, /** @type {any} */ value) => before && JSON.stringify(before.variables[name]) !== JSON.stringify(value);
  return html`<section aria-labelledby="try-variables"><h3 id="try-variables">${say("variables")}</h3>
    <dl className="vf-try-variables">${known.map(([name, value]) => html`<div key=${name} data-new=${isNew(name, value) || null}><dt className="vf-mono">${name}</dt><dd>${String(value)}${isNew(name, value) && html` <span className="vf-tag">${say("try_new")}</span>`}</dd></div>`)}</dl></section>`;
}

/** The conversation as a test of the flow: at each turn the step, the connection, and what has become known.
 * @param {Trial} trial */
function testOf({ turns }) {
  let known = /** @type {Record<string, any>} */ ({});
  const written = turns.map((turn) => {
    const edge = turn.events.findLast(({ kind, data: told }) => kind === "edge" && told.by !== "next" && told.id);
    const fresh = Object.entries(turn.variables).filter(([name, value]) => JSON.stringify(known[name]) !== JSON.stringify(value));
    known = turn.variables;
    const expect = {
      ...(turn.node && { node: turn.node }),
      ...(edge && { edge: edge.data.id }),
      ...(fresh.length && { variables: Object.fromEntries(fresh) }),
      ...(turn.ended && { ended: true }),
      ...(turn.transferredTo && { transferredTo: turn.transferredTo }),
    };
    return { ...(turn.say && { say: turn.say }), ...(turn.keys && { keys: turn.keys }), ...(turn.silence && { silence: true }), expect };
  });
  const tools = answersOf(turns);
  const words = turns.find(({ say }) => say)?.say ?? "";
  return { name: words.slice(0, 80) || say("try"), turns: written, ...(Object.keys(tools).length && { tools }) };
}

/** What each tool answered, by its name: an answer, or a list where they differ. @param {Turn[]} turns */
function answersOf(turns) {
  const tools = /** @type {Record<string, any>} */ ({});
  for (const { name, arguments: _, ...answer } of turns.flatMap((turn) => turn.tools.map((told) => JSON.parse(told)))) {
    (tools[name] ??= []).push(answer);
  }
  const isAgain = (/** @type {any[]} */ all, /** @type {number} */ place) => JSON.stringify(all[place]) === JSON.stringify(all[place - 1]);
  for (const [name, answers] of Object.entries(tools)) {
    while (answers.length > 1 && isAgain(answers, answers.length - 1)) answers.pop();
    tools[name] = answers.length > 1 ? answers : answers[0];
  }
  return tools;
}
