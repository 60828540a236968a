// The exchange format and what the canvas draws of it: each from the other, with nothing lost between.
// @ts-check
import { data, kindOf, say } from "./page.js";

export const WIDTH = 240;
export const HEIGHT = 78;
const NOTE_WIDTH = 200;
const ARROW = { type: "arrowclosed", width: 22, height: 22, markerUnits: "userSpaceOnUse" }; // however wide its line is

/** A node or an edge in the exchange format. @typedef {Record<string, any>} Part */
/** `meta` is the flow without its nodes and edges; `strange` are entries that are no nodes or edges.
 * @typedef {{meta: Part, nodes: any[], edges: any[], strange: {nodes: any[], edges: any[]}}} Graph */

/** What can be drawn. A tool's `onSuccess` and `onFailure` become the edges that they stand for; what has no id, or
 * one that is taken, gets one. @param {Part} raw @returns {{graph: Graph, mended: boolean}} */
export function read(raw) {
  const { nodes: rawNodes = [], edges: rawEdges = [], ...meta } = raw;
  const strange = { nodes: rawNodes.filter(isNoObject), edges: rawEdges.filter(isNoObject) };
  const ids = new Set();
  let mended = false;
  const named = (/** @type {any} */ part, /** @type {string} */ base) => {
    const whole = typeof part.id === "string" && part.id && !ids.has(part.id);
    const id = whole ? part.id : freeId(base, ids);
    mended ||= !whole;
    ids.add(id);
    return { ...part, id };
  };
  const steps = rawNodes.filter((/** @type {any} */ part) => !isNoObject(part)).map((/** @type {any} */ part) => named(part, String(part.type)));
  const ways = [...rawEdges.filter((/** @type {any} */ part) => !isNoObject(part)), ...steps.flatMap(outcomeEdges)];
  const nodes = steps.map(drawnNode);
  const edges = ways.map((part) => drawnEdge(named(part, `${part.source}-${part.target}`)));
  return { graph: { meta, nodes, edges, strange }, mended };
}

/** @param {any} part */
const isNoObject = (part) => typeof part !== "object" || part === null || Array.isArray(part);

/** @param {Part} step */
function outcomeEdges(step) {
  if (step.type !== "tool") return [];
  const named = [["success", step.data?.onSuccess], ["failure", step.data?.onFailure]];
  return named
    .filter(([, target]) => target)
    .map(([outcome, target]) => ({ id: `${step.id}:${outcome}`, source: step.id, target, condition: { outcome } }));
}

/** @param {Part} step */
export function drawnNode(step) {
  const { id, position = {}, ...rest } = step;
  const place = { x: Number(position.x) || 0, y: Number(position.y) || 0 };
  const { onSuccess, onFailure, ...fields } = rest.data ?? {};
  const kept = rest.type === "tool" ? { ...rest, data: fields } : { ...rest, data: rest.data ?? {} };
  const own = { step: kept, problems: [] };
  if (rest.type === "note") return { id, type: "note", position: place, width: NOTE_WIDTH, data: own };
  return { id, type: "step", position: place, width: WIDTH, height: HEIGHT, handles: handlesOf(rest.type), data: own };
}

/** Where edges begin and end, so that they can be drawn before their nodes are. @param {string} type */
function handlesOf(type) {
  const dot = { width: 10, height: 10, y: HEIGHT / 2 - 5 };
  const into = { ...dot, type: "target", position: "left", x: -5 };
  return leaves(type) ? [into, { ...dot, type: "source", position: "right", x: WIDTH - 5 }] : [into];
}

/** Whether anything can follow. @param {string} type */
export const leaves = (type) => !data.ends.includes(type) && type !== "note";

/** @param {Part} part */
export function drawnEdge(part) {
  const { id, source, target, ...rest } = part;
  const edge = { ...rest, condition: rest.condition ?? {} };
  return { id, source: String(source), target: String(target), type: "way", markerEnd: ARROW, data: { edge, problems: [] } };
}

/** @param {Graph} graph @returns {Part} */
export function write({ meta, nodes, edges, strange }) {
  return {
    ...meta,
    nodes: [...nodes.map(writtenNode), ...strange.nodes],
    edges: [...edges.map(writtenEdge), ...strange.edges],
  };
}

/** @param {any} node */
export function writtenNode({ id, position, data: { step } }) {
  return { id, ...step, position: { x: Math.round(position.x), y: Math.round(position.y) } };
}

/** @param {any} drawn */
export function writtenEdge({ id, source, target, data: { edge } }) {
  const { condition, ...rest } = edge;
  return { id, source, target, ...rest, ...(Object.keys(condition).length ? { condition } : {}) };
}

/** @param {string} base @param {Set<string>} taken */
export function freeId(base, taken) {
  const stem = base.slice(0, 60) || "part";
  let number = 1;
  while (taken.has(`${stem}-${number}`)) number += 1;
  return `${stem}-${number}`;
}

/** @param {Graph} graph @returns {Set<string>} */
export const idsOf = ({ nodes, edges }) => new Set([...nodes, ...edges].map(({ id }) => id));

/** @param {string} type @param {{x: number, y: number}} position @param {Graph} graph */
export function newNode(type, position, graph) {
  return { ...drawnNode({ id: freeId(type, idsOf(graph)), type, position, data: {} }), selected: true };
}

/** Asks for the outcome that no other edge of its source asks for. @param {string} source @param {string} target
 * @param {Graph} graph */
export function newEdge(source, target, graph) {
  const type = graph.nodes.find(({ id }) => id === source)?.data.step.type;
  const taken = new Set(graph.edges.filter((edge) => edge.source === source).map(({ data: { edge } }) => edge.condition.outcome));
  const free = (data.outcomes[type] ?? []).find(([/** @type {string} */ outcome]) => !taken.has(outcome));
  const condition = free ? { outcome: free[0] } : {};
  return drawnEdge({ id: freeId(`${source}-${target}`, idsOf(graph)), source, target, condition });
}

/** Steps and the edges between them, under new ids, beside where they were. @param {Graph} graph
 * @param {{nodes: Part[], edges: Part[]}} copied in the exchange format @param {number} shift in pixels */
export function pasted(graph, copied, shift) {
  const taken = idsOf(graph);
  /** @type {Map<string, string>} */
  const names = new Map();
  for (const step of copied.nodes) {
    const id = freeId(String(step.type), taken);
    taken.add(id);
    names.set(step.id, id);
  }
  const nodes = copied.nodes.map((step) => {
    const { x = 0, y = 0 } = step.position ?? {};
    return { ...drawnNode({ ...step, id: names.get(step.id), position: { x: x + shift, y: y + shift } }), selected: true };
  });
  const inside = copied.edges.filter((edge) => names.has(edge.source) && names.has(edge.target));
  const edges = inside.map((edge) => {
    const [source, target] = [names.get(edge.source), names.get(edge.target)];
    const id = freeId(`${source}-${target}`, taken);
    taken.add(id);
    return drawnEdge({ ...edge, id, source, target });
  });
  return { nodes, edges };
}

// What cards and edges say of themselves

/** @param {Part} step */
export const nameOf = (step) => step.data.label || kindOf(step.type).label;

/** One line of what is in it. @param {Part} step */
export function contentOf(step) {
  const kind = kindOf(step.type);
  if (kind.type === "unknown") return say("unknown_kind_text");
  for (const name of kind.shows) {
    const value = step.data[name];
    if (name === "values") {
      const pairs = Object.entries(value ?? {});
      if (pairs.length) return pairs.map(([key, text]) => `${key} = ${String(text).replace(/^=\s*/, "")}`).join(", ");
    } else if (value) return named(name, String(value));
  }
  if (step.type === "wait") return String(step.data.seconds ?? data.defaults.wait.seconds);
  return kind.shows.length ? say("empty_step") : kind.does;
}

/** @param {string} field @param {string} value */
function named(field, value) {
  const lists = { targetAgentId: data.agents, flowId: data.flows };
  const known = lists[/** @type {keyof typeof lists} */ (field)]?.find(([/** @type {string} */ slug]) => slug === value);
  return known ? known[1] : value;
}

/** @param {Part} edge @returns {string} when it is taken; "" where nothing is asked for */
export function conditionOf(edge) {
  const { outcome, keys, when, examples, otherwise } = edge.condition;
  const said = (examples ?? []).filter(Boolean);
  const parts = [
    outcome && outcomeWords(outcome),
    keys && say("key", { keys }),
    when,
    said.length && `“${said[0]}”${said.length > 1 ? ` +${said.length - 1}` : ""}`,
    otherwise && say("else"),
  ];
  return parts.filter(Boolean).join(" · ");
}

/** @param {Part} edge */
export const labelOf = (edge) => edge.label || conditionOf(edge);

/** @param {string} outcome */
function outcomeWords(outcome) {
  const all = Object.values(data.outcomes).flat();
  return all.find(([name]) => name === outcome)?.[1] ?? outcome;
}

/** Names that texts may put in and expressions ask for. @param {Graph} graph @returns {string[]} */
export function variablesOf({ meta, nodes }) {
  const steps = nodes.map((node) => node.data.step);
  const found = [
    ...(meta.variables ?? []).map((/** @type {Part} */ variable) => variable.name),
    ...steps.map((step) => (step.type === "gather" ? step.data.variable : "")),
    ...steps.flatMap((step) => (step.type === "set" ? Object.keys(step.data.values ?? {}) : [])),
  ];
  return [...new Set(found)].filter(Boolean).sort();
}
