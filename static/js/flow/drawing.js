// The parts of a graph as React Flow is given them: the same objects while nothing in them differs.
// @ts-check
import { lanes } from "./layout.js";
import { kindOf } from "./page.js";

const TONES = { talk: "var(--c1)", ask: "var(--c2)", decide: "var(--c3)", act: "var(--info)", leave: "var(--c4)", note: "var(--text-3)" };

/** @param {any} node */
export const toneOf = (node) => TONES[/** @type {keyof typeof TONES} */ (kindOf(node.data.step.type).tone)];

/** The nodes, with the one that calls begin at marked. @param {any} graph */
export function marked(graph) {
  const reached = new Set(graph.edges.map((/** @type {any} */ { target }) => target));
  for (const intent of graph.meta.intents ?? []) reached.add(intent.target);
  const begins = (/** @type {any} */ { id, type }) => (graph.meta.start ? id === graph.meta.start : type !== "note" && !reached.has(id));
  return graph.nodes.map((/** @type {any} */ node) => (begins(node) ? withMore(node, { begins: true }) : node));
}

/** The edges, with the ways that they take. @param {any} graph @param {(id: string) => void} choose */
export function drawnEdges(graph, choose) {
  const free = lanes(graph.nodes, graph.edges);
  return graph.edges.map((/** @type {any} */ edge) => withMore(edge, { choose, lane: free.get(edge.id) }));
}

/** @type {WeakMap<object, any>} */
const known = new WeakMap();
/** The part with more in its data: the same object while nothing in it differs, so that it is not drawn anew.
 * @param {any} part @param {Record<string, any>} more */
function withMore(part, more) {
  const before = known.get(part);
  if (before && Object.entries(more).every(([name, value]) => before.data[name] === value)) return before;
  const made = { ...part, data: { ...part.data, ...more } };
  known.set(part, made);
  return made;
}
