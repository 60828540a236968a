// All that is wrong with the flow, as a list that leads to each place.
// @ts-check
import { Head } from "./inspector.js";
import { labelOf, nameOf } from "./model.js";
import { html, Icon, say } from "./page.js";

/** @param {{problems: import("./page.js").Problem[], graph: any, acts: any}} what */
export function ProblemList({ problems, graph, acts }) {
  const grave = [...problems].sort((one, other) => Number(other.severity === "error") - Number(one.severity === "error"));
  return html`
    <${Head} icon=${problems.length ? "error" : "ok"} tone="note" title=${problems.length ? say("problems") : say("no_problems")} does=${problems.length ? "" : say("no_problems_text")} acts=${acts} />
    <ul className="vf-flow-problems">${grave.map(
      (problem, place) => html`<li key=${place}><button type="button" data-severity=${problem.severity} onClick=${() => acts.visitProblem(problem)}>
        <${Icon} name=${problem.severity} size=${15} /><span><b>${placeOf(problem, graph)}</b>${problem.text}</span>
      </button></li>`,
    )}</ul>`;
}

/** @param {import("./page.js").Problem} problem @param {any} graph */
function placeOf({ node, edge }, graph) {
  const step = graph.nodes.find((/** @type {any} */ { id }) => id === node);
  const way = graph.edges.find((/** @type {any} */ { id }) => id === edge);
  if (way) return labelOf(way.data.edge) || say("connection");
  return step ? nameOf(step.data.step) : say("settings");
}
