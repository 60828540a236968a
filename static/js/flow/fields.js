// Inputs of the inspector, by the `input` of agents/flows/kinds.py.
// @ts-check
import { useEffect, useRef, useState } from "../../vendor/flow/flow.mjs";
import { data, html, Icon, say } from "./page.js";

/** @typedef {import("./page.js").FieldSpec} FieldSpec */
/** What any input is given. @typedef {{id: string, value: any, change: (value: any) => void, spec: FieldSpec,
 *   described?: string, invalid?: boolean}} Input */

const same = (/** @type {any} */ one, /** @type {any} */ other) => JSON.stringify(one) === JSON.stringify(other);

/** What is typed stays as it was typed while it means the value that is kept.
 * @param {any} value @param {(value: any) => any} show @param {(typed: any) => any} mean */
export function useTyped(value, show, mean) {
  const [typed, setTyped] = useState(() => show(value));
  const held = useRef(typed);
  held.current = typed;
  const matches = same(mean(typed) ?? null, value ?? null);
  useEffect(() => {
    if (!same(mean(held.current) ?? null, value ?? null)) setTyped(show(value));
  }, [JSON.stringify(value ?? null)]);
  return [matches ? typed : show(value), setTyped];
}

/** @param {Input & {mono?: boolean}} what */
function Line({ id, value, change, spec, mono, ...told }) {
  return html`<input className=${`vf-input${mono ? " vf-mono" : ""}`} id=${id} value=${value ?? ""} autoComplete="off" ...${aria(told)} onChange=${(/** @type {any} */ e) => change(e.target.value)} />`;
}

/** @param {Input} what */
function Text({ id, value, change, spec, ...told }) {
  const long = spec.input === "prompt";
  return html`<textarea className="vf-input" id=${id} rows=${long ? 8 : 3} value=${value ?? ""} ...${aria(told)} onChange=${(/** @type {any} */ e) => change(e.target.value)} />`;
}

/** @param {any} told */
const aria = ({ described, invalid, labelled }) => ({
  "aria-describedby": described,
  "aria-invalid": invalid || undefined,
  "aria-label": labelled,
});

/** @param {Input} what */
function Numeric({ id, value, change, spec, ...told }) {
  const [typed, setTyped] = useState(/** @type {string | null} */ (null)); // while it is being typed
  const [min, max, step] = spec.limits ?? [undefined, undefined, "any"];
  const take = (/** @type {any} */ { target }) => {
    setTyped(target.value);
    change(target.value.trim() === "" ? undefined : Number(target.value));
  };
  return html`<input className="vf-input vf-num" id=${id} type="number" min=${min} max=${max} step=${step} value=${typed ?? String(value ?? "")} ...${aria(told)} onChange=${take} onBlur=${() => setTyped(null)} />`;
}

/** @param {Input & {choices: [string, string][], empty?: string}} what */
export function Choice({ id, value, change, choices, empty, ...told }) {
  const known = value === undefined || value === null || value === "" || choices.some(([each]) => each === String(value));
  return html`<select className="vf-input" id=${id} value=${String(value ?? "")} ...${aria(told)} onChange=${(/** @type {any} */ e) => change(e.target.value)}>
    ${empty !== undefined && html`<option value="">${empty}</option>`}
    ${choices.map(([each, label]) => html`<option key=${each} value=${each}>${label}</option>`)}
    ${!known && html`<option value=${String(value)}>${say("not_there", { name: value })}</option>`}
  </select>`;
}

/** @param {Input} what */
function Chosen(what) {
  const { spec, value, change } = what;
  const flags = spec.choices.some(([each]) => each === "true");
  const take = (/** @type {string} */ text) => change(text === "" ? undefined : flags ? text === "true" : text);
  return html`<${Choice} ...${what} value=${value} change=${take} choices=${spec.choices} empty=${spec.optional ? say("as_agent") : undefined} />`;
}

/** @param {Input} what */
function Named(what) {
  const lists = { agent: data.agents, flow: data.flows, tool: data.tools, knowledge: data.knowledge };
  const choices = lists[/** @type {keyof typeof lists} */ (what.spec.input)];
  const empty = choices.length ? say(what.spec.optional ? "none" : "choose") : say("none_there");
  return html`<${Choice} ...${what} choices=${choices} empty=${empty} change=${(/** @type {string} */ text) => what.change(text || undefined)} />`;
}

/** @param {Input & {variables: string[]}} what */
function Variable({ id, value, change, variables, ...told }) {
  return html`<input className="vf-input vf-mono" id=${id} list=${`${id}-known`} value=${value ?? ""} autoComplete="off" spellCheck=${false} ...${aria(told)} onChange=${(/** @type {any} */ e) => change(e.target.value)} />
    <datalist id=${`${id}-known`}>${variables.map((name) => html`<option key=${name} value=${name} />`)}</datalist>`;
}

/** @param {Input} what */
function Tools({ value, change }) {
  const chosen = value ?? [];
  const all = [...data.tools, ...chosen.filter((/** @type {string} */ name) => !data.tools.some(([/** @type {string} */ each]) => each === name)).map((/** @type {string} */ name) => [name, say("not_there", { name })])];
  if (!all.length) return html`<p className="vf-help">${say("none_there")}</p>`;
  return html`<div className="vf-flow-checks">${all.map(
    ([name, label]) => html`<label key=${name}><input type="checkbox" checked=${chosen.includes(name)} onChange=${(/** @type {any} */ e) => change(e.target.checked ? [...chosen, name] : chosen.filter((/** @type {string} */ each) => each !== name))} /> ${label}</label>`,
  )}</div>`;
}

/** A list of texts, one a line. @param {Input & {rows?: number}} what */
export function Lines({ id, value, change, rows = 3, placeholder, ...told }) {
  const mean = (/** @type {string} */ text) => text.split("\n").map((line) => line.trim()).filter(Boolean);
  const [typed, setTyped] = useTyped(value ?? [], (lines) => lines.join("\n"), mean);
  const take = (/** @type {any} */ event) => {
    setTyped(event.target.value);
    change(mean(event.target.value));
  };
  return html`<textarea className="vf-input" id=${id} rows=${rows} value=${typed} placeholder=${placeholder} ...${aria(told)} onChange=${take} />`;
}

/** Rows of fields, with a way to add one and to take one away.
 * @param {{rows: any[], change: (rows: any[]) => void, blank: any, row: (row: any, set: (part: any) => void, place: number) => any,
 *   name: (row: any) => string}} what */
export function Rows({ rows, change, blank, row, name }) {
  const set = (/** @type {number} */ place, /** @type {any} */ part) => change(rows.map((each, at) => (at === place ? { ...each, ...part } : each)));
  return html`<div className="vf-flow-rows">
    ${rows.map(
      (each, place) => html`<div className="vf-flow-row" key=${place}>
        <div>${row(each, (part) => set(place, part), place)}</div>
        <button type="button" className="vf-btn vf-btn-ghost vf-btn-icon vf-btn-small" aria-label=${`${say("remove")} ${name(each)}`} title=${say("remove")} onClick=${() => change(rows.filter((_, at) => at !== place))}><${Icon} name="close" size=${14} /></button>
      </div>`,
    )}
    <button type="button" className="vf-btn vf-btn-small" onClick=${() => change([...rows, { ...blank }])}><${Icon} name="plus" size=${14} />${say("add_row")}</button>
  </div>`;
}

/** A small labelled input of a row. @param {{label: string, value: any, change: (text: string) => void, mono?: boolean, wide?: boolean}} what */
export const Cell = ({ label, value, change, mono, wide }) =>
  html`<input data-wide=${wide || null} className=${`vf-input${mono ? " vf-mono" : ""}`} aria-label=${label} placeholder=${label} title=${label} value=${value ?? ""} autoComplete="off" onChange=${(/** @type {any} */ e) => change(e.target.value)} />`;

/** A list of phrases in one line. @param {{label: string, value: string[], change: (phrases: string[]) => void}} what */
function Phrases({ label, value, change }) {
  const mean = (/** @type {string} */ text) => text.split(",").map((each) => each.trim()).filter(Boolean);
  const [typed, setTyped] = useTyped(value ?? [], (phrases) => phrases.join(", "), mean);
  const take = (/** @type {string} */ text) => {
    setTyped(text);
    change(mean(text));
  };
  return html`<${Cell} label=${label} value=${typed} change=${take} wide />`;
}

/** @param {Input} what */
function Options({ value, change }) {
  const row = (/** @type {any} */ option, /** @type {any} */ set) => html`
    <${Cell} label=${say("option_value")} value=${option.value} change=${(/** @type {string} */ text) => set({ value: text })} />
    <${Cell} label=${say("option_key")} value=${option.key} change=${(/** @type {string} */ text) => set({ key: text })} mono />
    <${Cell} label=${say("option_label")} wide value=${option.label} change=${(/** @type {string} */ text) => set({ label: text })} />
    <${Phrases} label=${say("option_phrases")} value=${option.phrases} change=${(/** @type {string[]} */ phrases) => set({ phrases })} />`;
  return html`<${Rows} rows=${value ?? []} change=${change} blank=${{ value: "", phrases: [] }} row=${row} name=${(/** @type {any} */ option) => option.value} />`;
}

/** An object of texts; what is no text is shown and kept as JSON. @param {Input} what */
function Values({ value, change }) {
  const show = (/** @type {any} */ pairs) => Object.entries(pairs ?? {}).map(([name, text]) => (typeof text === "string" ? { name, text } : { name, text: JSON.stringify(text), json: true }));
  const mean = (/** @type {any[]} */ rows) => Object.fromEntries(rows.filter(({ name }) => name).map(({ name, text, json }) => [name, json ? parsed(text) : text]));
  const [rows, setRows] = useTyped(value ?? {}, show, mean);
  const take = (/** @type {any[]} */ next) => {
    setRows(next);
    change(mean(next));
  };
  const row = (/** @type {any} */ each, /** @type {any} */ set) => html`
    <${Cell} label=${say("name")} value=${each.name} change=${(/** @type {string} */ text) => set({ name: text })} mono />
    <${Cell} label=${say("value")} value=${each.text} change=${(/** @type {string} */ text) => set({ text })} />`;
  return html`<${Rows} rows=${rows} change=${take} blank=${{ name: "", text: "" }} row=${row} name=${(/** @type {any} */ each) => each.name} />`;
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const INPUTS = {
  line: Line,
  text: Text,
  prompt: Text,
  number: Numeric,
  choice: Chosen,
  variable: Variable,
  agent: Named,
  flow: Named,
  tool: Named,
  knowledge: Named,
  tools: Tools,
  options: Options,
  values: Values,
};

/** A labelled input with its help and what is wrong with it.
 * @param {{id: string, spec: FieldSpec, value: any, change: (value: any) => void, problems?: any[], variables?: string[]}} what */
export function Field({ id, spec, value, change, problems = [], variables = [] }) {
  const help = spec.help ? `${id}-help` : "";
  const wrong = problems.length ? `${id}-wrong` : "";
  const described = [wrong, help].filter(Boolean).join(" ") || undefined;
  const group = ["options", "values", "tools"].includes(spec.input);
  const fault = problems.map(({ text }, place) => html`<span key=${place}>${text}</span>`);
  const notes = html`${wrong && html`<span className="vf-error" id=${wrong}>${fault}</span>`}${help && html`<span className="vf-help" id=${help}>${spec.help}</span>`}`;
  if (spec.input === "switch") {
    return html`<div className="vf-field vf-field-switch"><label htmlFor=${id}>${spec.label}</label><input className="vf-switch" type="checkbox" role="switch" id=${id} checked=${Boolean(value)} aria-describedby=${described} onChange=${(/** @type {any} */ e) => change(e.target.checked)} />${notes}</div>`;
  }
  const Control = INPUTS[/** @type {keyof typeof INPUTS} */ (spec.input)] ?? Line;
  const control = html`<${Control} id=${id} spec=${spec} value=${value} change=${change} variables=${variables} described=${described} invalid=${Boolean(wrong)} />`;
  if (group) return html`<div className="vf-field" role="group" aria-labelledby=${`${id}-name`} aria-describedby=${described}><span className="vf-field-name" id=${`${id}-name`}>${spec.label}</span>${control}${notes}</div>`;
  return html`<div className="vf-field"><label htmlFor=${id}>${spec.label}</label>${control}${notes}</div>`;
}

/** A field of the editor's own, without a form of the server's. @param {string} name @param {string} label @param {Partial<FieldSpec>} [more] */
export const specOf = (name, label, more = {}) => ({ name, label, input: "line", help: "", choices: [], limits: null, needs: null, optional: true, ...more });
