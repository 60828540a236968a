// What is selected, as a form: a step, a connection, or several steps.
// @ts-check
import { Choice, Field, Lines, specOf } from "./fields.js";
import { withEdge, withStep } from "./history.js";
import { conditionOf, leaves, nameOf, variablesOf } from "./model.js";
import { data, html, Icon, kindOf, mayChange, say } from "./page.js";

/** @typedef {import("./model.js").Graph} Graph */
/** What the editor lets panels do. @typedef {any} Acts */

/** "system_prompt" as "systemPrompt". @param {string} path */
const camel = (path) => path.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());

/** The problems of one field. @param {any[]} problems @param {string} name */
const at = (problems, name) => problems.filter(({ path }) => camel(path) === name || camel(path).startsWith(`${name}.`));

/** Those that no field of the form shows. @param {any[]} problems @param {string[]} names */
const elsewhere = (problems, names) => problems.filter((problem) => !names.some((name) => at([problem], name).length));

/** @param {{problems: any[]}} what */
export const Problems = ({ problems }) =>
  problems.map(
    ({ text, severity }, place) => html`<p className=${`vf-notice ${severity === "error" ? "vf-bad" : "vf-warn"}`} key=${place}><${Icon} name=${severity} /><span>${text}</span></p>`,
  );

/** @param {{icon: string, tone?: string, title: string, does?: string, acts: Acts, keys?: string[]}} what */
export function Head({ icon, tone, title, does, acts, keys = [] }) {
  const buttons = { copy: ["duplicate", acts.duplicate], delete: ["delete", acts.remove] };
  return html`<header className="vf-flow-panel-head" data-tone=${tone}>
    <span className="vf-flow-icon"><${Icon} name=${icon} size=${15} /></span>
    <div className="vf-grow"><h2>${title}</h2>${does && html`<p className="vf-help">${does}</p>`}</div>
    ${acts.mayChange &&
    keys.map((name) => {
      const [words, act] = buttons[/** @type {keyof typeof buttons} */ (name)];
      return html`<button key=${name} type="button" className="vf-btn vf-btn-ghost vf-btn-icon vf-btn-small" aria-label=${say(words)} title=${say(words)} onClick=${act}><${Icon} name=${name} size=${15} /></button>`;
    })}
    <button type="button" className="vf-btn vf-btn-ghost vf-btn-icon vf-btn-small" aria-label=${say("close")} title=${say("close")} onClick=${acts.close}><${Icon} name="close" size=${15} /></button>
  </header>`;
}

/** @param {{graph: Graph, node: any, acts: Acts}} what */
export function StepForm({ graph, node, acts }) {
  const { step, problems } = node.data;
  const kind = kindOf(step.type);
  const values = { ...data.defaults[step.type], ...step.data };
  const fields = kind.fields.filter(({ needs }) => !needs || needs[1].includes(String(values[needs[0]])));
  const manner = step.type === "note" ? [] : data.manner;
  const variables = variablesOf(graph);
  const field = (/** @type {any} */ spec) =>
    html`<${Field} key=${`${node.id} ${spec.name}`} id=${`field-${spec.name}`} spec=${spec} value=${values[spec.name]} problems=${at(problems, spec.name)} variables=${variables}
      change=${(/** @type {any} */ value) => acts.change((/** @type {Graph} */ now) => withStep(now, node.id, (old) => ({ ...old, data: put(old, spec, value) })), `${node.id} ${spec.name}`)} />`;
  const shown = [...fields, ...manner, data.label].map(({ name }) => name);
  const own = manner.some((/** @type {any} */ { name }) => ![undefined, null, data.defaults[step.type]?.[name]].includes(step.data[name]));
  return html`
    <${Head} icon=${kind.type} tone=${kind.tone} title=${kind.label} does=${kind.does} acts=${acts} keys=${["copy", "delete"]} />
    <fieldset className="vf-flow-fields" disabled=${!mayChange}>
      <${Problems} problems=${elsewhere(problems, shown)} />
      ${[...fields, data.label].map(field)}
      ${manner.length > 0 &&
      html`<details className="vf-details" open=${own || at(problems, "manner").length > 0}><summary>${say("more")}</summary><div className="vf-flow-fields">
        <${Begins} graph=${graph} node=${node} acts=${acts} />${manner.map(field)}
      </div></details>`}
    </fieldset>
    ${leaves(step.type) && html`<${Leaving} graph=${graph} node=${node} acts=${acts} />`}`;
}

/** The data of a step with a field's new value. What stands for "nothing" is left out, or null where leaving it
 * out would mean something. @param {any} step @param {any} spec @param {any} value */
function put(step, spec, value) {
  const { [spec.name]: _, ...rest } = step.data;
  const nothing = value === undefined || value === "";
  if (!nothing) return { ...rest, [spec.name]: value };
  const standard = data.defaults[step.type]?.[spec.name];
  return spec.optional && typeof standard === "number" ? { ...rest, [spec.name]: null } : rest;
}

/** @param {{graph: Graph, node: any, acts: Acts}} what */
function Begins({ graph, node, acts }) {
  const begin = (/** @type {boolean} */ on) =>
    acts.change((/** @type {Graph} */ now) => ({ ...now, meta: { ...now.meta, start: on ? node.id : "" } }));
  return html`<${Field} id="field-begins" spec=${specOf("begins", say("start_here"), { input: "switch" })} value=${graph.meta.start === node.id} change=${begin} />`;
}

/** The ways on from a step, in their order, and one to make another by keyboard. @param {{graph: Graph, node: any, acts: Acts}} what */
function Leaving({ graph, node, acts }) {
  const leaving = graph.edges.filter(({ source }) => source === node.id);
  const steps = new Map(graph.nodes.map((each) => [each.id, nameOf(each.data.step)]));
  const others = graph.nodes.filter(({ id, type }) => id !== node.id && type !== "note").map(({ id }) => [id, steps.get(id)]);
  return html`<section className="vf-flow-leaving" aria-labelledby="leads-to">
    <h3 id="leads-to">${say("leads_to")}</h3>
    ${!leaving.length && html`<p className="vf-help">${say("leads_nowhere")}</p>`}
    <ol>${leaving.map(
      (edge, place) => html`<li key=${edge.id}>
        <button type="button" className="vf-btn vf-btn-ghost" onClick=${() => acts.select({ edges: [edge.id] })}>
          <span>${edge.data.edge.label || conditionOf(edge.data.edge) || say("always")}</span><small>${steps.get(edge.target) ?? say("not_there", { name: edge.target })}</small>
        </button>
        ${acts.mayChange && place > 0 && html`<button type="button" className="vf-btn vf-btn-ghost vf-btn-small" onClick=${() => acts.change((/** @type {Graph} */ now) => swapped(now, leaving[place - 1].id, edge.id))}>${say("up")}</button>`}
      </li>`,
    )}</ol>
    ${acts.mayChange && html`<${Choice} id="connect-to" value="" choices=${others} empty=${say("connect_to")} change=${(/** @type {string} */ target) => target && acts.connect(node.id, target)} labelled=${say("connect_to")} />`}
  </section>`;
}

/** @param {Graph} graph @param {string} one @param {string} other */
function swapped(graph, one, other) {
  const [first, second] = [one, other].map((id) => graph.edges.find((edge) => edge.id === id));
  const edges = graph.edges.map((edge) => (edge === first ? second : edge === second ? first : edge));
  return { ...graph, edges };
}

/** @param {{graph: Graph, edge: any, acts: Acts}} what */
export function EdgeForm({ graph, edge, acts }) {
  const { edge: way, problems } = edge.data;
  const source = graph.nodes.find(({ id }) => id === edge.source)?.data.step;
  const outcomes = data.outcomes[source?.type] ?? [];
  const steps = graph.nodes.filter(({ type }) => type !== "note").map(({ id, data: { step } }) => [id, nameOf(step)]);
  const change = (/** @type {string} */ name, /** @type {(way: any) => any} */ make) => acts.change((/** @type {Graph} */ now) => withEdge(now, edge.id, make), `${edge.id} ${name}`);
  const ask = (/** @type {string} */ name) => (/** @type {any} */ value) => change(name, (old) => ({ ...old, condition: asked(old.condition, name, value) }));
  const end = (/** @type {"source" | "target"} */ name) => (/** @type {string} */ id) =>
    id && acts.change((/** @type {Graph} */ now) => ({ ...now, edges: now.edges.map((each) => (each.id === edge.id ? { ...each, [name]: id } : each)) }));
  const wrong = (/** @type {string} */ name) => at(problems, name === "label" ? name : `condition.${name}`);
  const { condition } = way;
  const shown = ["label", "condition.keys", "condition.when", "condition.examples", "condition.outcome"];
  const field = (/** @type {string} */ name, /** @type {any} */ more = {}) =>
    html`<${Field} key=${`${edge.id} ${name}`} id=${`field-${name}`} spec=${specOf(name, say(name), more)} value=${condition[name]} change=${ask(name)} problems=${wrong(name)} />`;
  return html`
    <${Head} icon="branch" tone="decide" title=${say("connection")} does=${say("taken_when")} acts=${acts} keys=${["delete"]} />
    <fieldset className="vf-flow-fields" disabled=${!mayChange}>
      <${Problems} problems=${elsewhere(problems, shown)} />
      ${outcomes.length > 0 && html`<div className="vf-field"><label htmlFor="field-outcome">${say("outcome")}</label><${Choice} id="field-outcome" value=${condition.outcome} choices=${outcomes} empty=${say("none")} change=${ask("outcome")} /></div>`}
      ${field("otherwise", { input: "switch" })}
      ${!condition.otherwise &&
      html`${field("keys")}
        <div className="vf-field" key=${`${edge.id} examples`}><label htmlFor="field-examples">${say("examples")}</label><${Lines} id="field-examples" value=${condition.examples} change=${ask("examples")} rows=${4} described="examples-help" /><span className="vf-help" id="examples-help">${say("examples_help")}</span></div>
        ${field("when", { input: "line", help: say("when_help") })}`}
      <${Field} key=${`${edge.id} label`} id="field-label" spec=${specOf("label", say("label"), { help: say("label_help") })} value=${way.label} problems=${wrong("label")} change=${(/** @type {string} */ label) => change("label", ({ label: _, ...old }) => (label ? { ...old, label } : old))} />
      <div className="vf-field"><label htmlFor="field-source">${say("from")}</label><${Choice} id="field-source" value=${edge.source} choices=${steps} change=${end("source")} /></div>
      <div className="vf-field"><label htmlFor="field-target">${say("to")}</label><${Choice} id="field-target" value=${edge.target} choices=${steps} change=${end("target")} /></div>
    </fieldset>`;
}

/** @param {any} condition @param {string} name @param {any} value */
function asked(condition, name, value) {
  const { [name]: _, ...rest } = condition;
  const nothing = !value || (Array.isArray(value) && !value.length);
  return nothing ? rest : { ...rest, [name]: value };
}

/** @param {{count: number, acts: Acts}} what */
export const SeveralForm = ({ count, acts }) =>
  html`<${Head} icon="copy" tone="note" title=${say("several", { count })} does=${say("several_help")} acts=${acts} keys=${["copy", "delete"]} />`;
