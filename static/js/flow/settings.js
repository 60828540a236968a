// The flow as a whole: its name, where calls begin, variables, and what callers can say anywhere.
// @ts-check
import { Cell, Choice, Field, Lines, Rows, specOf } from "./fields.js";
import { Head, Problems } from "./inspector.js";
import { freeId, nameOf } from "./model.js";
import { data, html, mayChange, say } from "./page.js";

/** @param {{graph: import("./model.js").Graph, problems: any[], acts: any}} what */
export function SettingsForm({ graph, problems, acts }) {
  const { meta } = graph;
  const put = (/** @type {string} */ name, /** @type {any} */ value) =>
    acts.change((/** @type {any} */ now) => ({ ...now, meta: { ...now.meta, [name]: value } }), `flow ${name}`);
  const steps = graph.nodes.filter(({ type }) => type !== "note").map(({ id, data: { step } }) => [id, nameOf(step)]);
  return html`
    <${Head} icon="settings" tone="note" title=${say("settings")} acts=${acts} />
    <fieldset className="vf-flow-fields" disabled=${!mayChange}>
      <${Problems} problems=${problems.filter(({ node, edge }) => !node && !edge)} />
      <${Field} id="flow-name" spec=${specOf("name", say("name"))} value=${meta.name} change=${(/** @type {string} */ text) => put("name", text)} />
      <${Field} id="flow-description" spec=${specOf("description", say("description"), { input: "text" })} value=${meta.description} change=${(/** @type {string} */ text) => put("description", text)} />
      <div className="vf-field"><label htmlFor="flow-start">${say("begin")}</label><${Choice} id="flow-start" value=${meta.start} choices=${steps} empty=${say("begin_auto")} change=${(/** @type {string} */ id) => put("start", id)} /></div>
      <section className="vf-flow-fields" aria-labelledby="flow-variables"><h3 id="flow-variables">${say("variables")}</h3><p className="vf-help">${say("variables_help")}</p>
        <${Rows} rows=${meta.variables ?? []} change=${(/** @type {any} */ rows) => put("variables", rows)} blank=${{ name: "", kind: "text" }} row=${variable} name=${(/** @type {any} */ each) => each.name} /></section>
      <section className="vf-flow-fields" aria-labelledby="flow-intents"><h3 id="flow-intents">${say("intents")}</h3>
        <${Rows} rows=${meta.intents ?? []} change=${(/** @type {any} */ rows) => put("intents", named(rows))} blank=${{ name: "", examples: [], action: "go_to" }} row=${intent(steps)} name=${(/** @type {any} */ each) => each.name} /></section>
    </fieldset>`;
}

/** @param {any} each @param {(part: any) => void} set @param {number} place */
function variable(each, set, place) {
  return html`
    <${Cell} label=${say("name")} value=${each.name} change=${(/** @type {string} */ name) => set({ name })} mono />
    <${Choice} id=${`variable-kind-${place}`} labelled=${say("kind")} value=${each.kind ?? "text"} choices=${data.variableKinds} change=${(/** @type {string} */ kind) => set({ kind })} />
    <${Cell} label=${say("initial")} wide value=${each.initial} change=${(/** @type {string} */ initial) => set({ initial })} />
    <${Cell} label=${say("description")} wide value=${each.description} change=${(/** @type {string} */ description) => set({ description })} />
    <div data-wide><${Field} id=${`variable-passing-${place}`} spec=${specOf("filledInPassing", say("filled_in_passing"), { input: "switch" })} value=${each.filledInPassing ?? true} change=${(/** @type {boolean} */ filledInPassing) => set({ filledInPassing })} /></div>`;
}

/** @param {any[]} steps */
const intent = (steps) => (/** @type {any} */ each, /** @type {(part: any) => void} */ set, /** @type {number} */ place) => html`
  <${Cell} label=${say("name")} wide value=${each.name} change=${(/** @type {string} */ name) => set({ name })} />
  <label className="vf-visually-hidden" htmlFor=${`intent-examples-${place}`}>${say("examples")}</label>
  <${Lines} id=${`intent-examples-${place}`} value=${each.examples} rows=${2} placeholder=${say("examples")} change=${(/** @type {string[]} */ examples) => set({ examples })} />
  <${Cell} label=${say("keys")} value=${each.keys} change=${(/** @type {string} */ keys) => set({ keys })} mono />
  <${Choice} id=${`intent-action-${place}`} labelled=${say("action")} value=${each.action ?? "go_to"} choices=${data.intentActions} change=${(/** @type {string} */ action) => set({ action })} />
  ${(each.action ?? "go_to") === "go_to" && html`<${Choice} id=${`intent-target-${place}`} labelled=${say("target")} value=${each.target} choices=${steps} empty=${say("choose")} change=${(/** @type {string} */ target) => set({ target })} />`}`;

/** Each with an id of its own. @param {any[]} rows */
function named(rows) {
  const taken = new Set(rows.map(({ id }) => id).filter(Boolean));
  return rows.map((row) => (row.id ? row : { ...row, id: freeId("intent", taken) }));
}
