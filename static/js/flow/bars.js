// What lies over the canvas: the palette of steps, undo, tidying, the search, the count of problems.
// @ts-check
import { useState } from "../../vendor/flow/flow.mjs";
import { contentOf, nameOf } from "./model.js";
import { data, html, Icon, mayChange, mayTry, say, sayMany } from "./page.js";

export const DRAGGED = "application/x-voiceforge-step"; // the type of step that is dragged from the palette
const MOST_FOUND = 8;

/** @param {{acts: any}} what */
export const Palette = ({ acts }) =>
  html`<div className="vf-flow-palette" role="toolbar" aria-label=${say("add")}>${data.kinds.map(
    (/** @type {import("./page.js").Kind} */ { type, label, does, tone }, /** @type {number} */ place) => html`<button
      key=${type} type="button" draggable data-tone=${tone} data-add=${type} title=${does} onClick=${() => acts.add(type)}
      onDragStart=${(/** @type {any} */ event) => {
        event.dataTransfer.setData(DRAGGED, type);
        event.dataTransfer.effectAllowed = "copy";
      }}><span className="vf-flow-icon"><${Icon} name=${type} size=${14} /></span><span>${label}</span>${place < 9 && html`<kbd aria-hidden="true">${place + 1}</kbd>`}</button>`,
  )}</div>`;

/** @param {{name: string, words: string, keys?: string, act: () => void, disabled?: boolean, text?: boolean, pressed?: boolean}} what */
const Tool = ({ name, words, keys, act, disabled, text, pressed }) =>
  html`<button type="button" className="vf-flow-tool" onClick=${act} disabled=${disabled} aria-pressed=${pressed} aria-label=${words} title=${keys ? `${words} (${keys})` : words}><${Icon} name=${name} />${text && html`<span className="vf-desk">${words}</span>`}</button>`;

/** @param {{acts: any, canUndo: boolean, canRedo: boolean, problems: any[], panel: string, graph: any}} what */
export function Toolbar({ acts, canUndo, canRedo, problems, panel, graph }) {
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const words = problems.length ? sayMany("problems", problems.length) : say("no_problems");
  return html`<div className="vf-flow-bar">
    ${mayChange &&
    html`<${Tool} name="undo" words=${say("undo")} keys="Ctrl Z" act=${acts.undo} disabled=${!canUndo} />
      <${Tool} name="redo" words=${say("redo")} keys="Ctrl Shift Z" act=${acts.redo} disabled=${!canRedo} />
      <${Tool} name="tidy" words=${say("tidy")} act=${acts.tidy} text /><i></i>`}
    <${Search} graph=${graph} acts=${acts} /><i></i>
    ${mayChange && data.mayWrite && html`<${Tool} name="write" words=${say("write")} act=${() => acts.show("write")} pressed=${panel === "write"} />`}
    ${mayTry && html`<${Tool} name="try" words=${say("try")} keys="T" act=${() => acts.show("try")} pressed=${panel === "try"} text />`}
    <${Tool} name="settings" words=${say("settings")} act=${() => acts.show("settings")} pressed=${panel === "settings"} />
    <button type="button" className="vf-flow-tool" data-problems data-severity=${errors ? "error" : problems.length ? "warning" : null} aria-label=${words} aria-pressed=${panel === "problems"} onClick=${() => acts.show("problems")}>
      <${Icon} name=${errors ? "error" : problems.length ? "warning" : "ok"} /><span className="vf-desk">${words}</span><span className="vf-phone" aria-hidden="true">${problems.length || ""}</span>
    </button>
  </div>`;
}

/** Words -> the steps that hold them; Enter goes from one to the next. @param {{graph: any, acts: any}} what */
function Search({ graph, acts }) {
  const [words, setWords] = useState("");
  const [turn, setTurn] = useState(0);
  const wanted = words.trim().toLowerCase();
  const found = wanted ? graph.nodes.filter((/** @type {any} */ { id, data: { step } }) => textOf(id, step).includes(wanted)) : [];
  const go = (/** @type {any} */ node) => acts.visit({ nodes: [node.id] });
  const press = (/** @type {any} */ event) => {
    if (event.key === "Escape") {
      setWords("");
      event.target.blur();
    } else if (event.key === "Enter" && found.length) {
      go(found[turn % found.length]);
      setTurn(turn + 1);
    }
  };
  const type = (/** @type {any} */ event) => {
    setWords(event.target.value);
    setTurn(0);
  };
  const close = (/** @type {any} */ event) => event.currentTarget.contains(event.relatedTarget) || setWords("");
  return html`<div className="vf-flow-find" role="search" onBlur=${close}>
    <${Icon} name="search" size=${14} /><input type="search" value=${words} placeholder=${say("find")} aria-label=${say("find")} data-search onChange=${type} onKeyDown=${press} />
    ${wanted &&
    html`<div className="vf-flow-found">${found.slice(0, MOST_FOUND).map(
      (/** @type {any} */ node) => html`<button key=${node.id} type="button" onClick=${() => go(node)}><b>${nameOf(node.data.step)}</b><small>${contentOf(node.data.step)}</small></button>`,
    )}${!found.length && html`<p role="status">${say("find_none")}</p>`}</div>`}
  </div>`;
}

/** @param {string} id @param {any} step */
const textOf = (id, step) => `${id} ${nameOf(step)} ${JSON.stringify(Object.values(step.data))}`.toLowerCase();
