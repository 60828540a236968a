// The graph that is being edited, with undo and redo.
// @ts-check
import { applyEdgeChanges, applyNodeChanges, useMemo, useRef, useState } from "../../vendor/flow/flow.mjs";

const MOST = 100;
const MOVE = "move"; // the key of all moves

/** @typedef {import("./model.js").Graph} Graph */

/** @param {Graph} first */
export function useGraph(first) {
  const [graph, setGraph] = useState(first);
  const now = useRef(first); // the newest, also between two paints
  const book = useRef({ past: /** @type {Graph[]} */ ([]), future: /** @type {Graph[]} */ ([]), key: "" });
  const acts = useMemo(() => actsOn(now, book.current, setGraph), []);
  return { graph, now, ...acts, canUndo: book.current.past.length > 0, canRedo: book.current.future.length > 0 };
}

/** @param {{current: Graph}} now @param {{past: Graph[], future: Graph[], key: string}} book
 * @param {(graph: Graph) => void} show */
function actsOn(now, book, show) {
  /** Without a step of undo: selections, problems. @param {(graph: Graph) => Graph} make */
  const update = (make) => {
    now.current = make(now.current);
    show(now.current);
  };
  /** Changes of one key, as each letter that is typed into one field, are one step of undo. @param {string} [key] */
  const remember = (key = "") => {
    if (!key || key !== book.key) book.past = [...book.past.slice(1 - MOST), now.current];
    book.future = [];
    book.key = key;
  };
  /** @param {(graph: Graph) => Graph} make @param {string} [key] */
  const change = (make, key) => {
    remember(key);
    update(make);
  };
  /** @param {Graph[]} from @param {Graph[]} to */
  const go = (from, to) => {
    const graph = from.pop();
    if (!graph) return;
    to.push(now.current);
    book.key = "";
    update(() => graph);
  };
  /** The next change is a step of its own. */
  const settle = () => void (book.key = "");
  return {
    update,
    remember,
    change,
    settle,
    /** A drag, whose last move comes after its end. */
    beginMove: () => {
      settle();
      remember(MOVE);
    },
    undo: () => go(book.past, book.future),
    redo: () => go(book.future, book.past),
    /** @param {any[]} changes */
    onNodesChange: (changes) => {
      if (changes.some(({ type, dragging }) => type === "position" && !dragging)) remember(MOVE);
      update((graph) => ({ ...graph, nodes: applyNodeChanges(changes, graph.nodes) }));
    },
    /** @param {any[]} changes */
    onEdgesChange: (changes) => update((graph) => ({ ...graph, edges: applyEdgeChanges(changes, graph.edges) })),
  };
}

// Changes of a graph

/** @param {Graph} graph @param {string} id @param {(step: any) => any} make */
export const withStep = (graph, id, make) => ({
  ...graph,
  nodes: graph.nodes.map((node) => (node.id === id ? { ...node, data: { ...node.data, step: make(node.data.step) } } : node)),
});

/** @param {Graph} graph @param {string} id @param {(edge: any) => any} make */
export const withEdge = (graph, id, make) => ({
  ...graph,
  edges: graph.edges.map((edge) => (edge.id === id ? { ...edge, data: { ...edge.data, edge: make(edge.data.edge) } } : edge)),
});

/** @param {Graph} graph @param {{nodes?: Iterable<string>, edges?: Iterable<string>}} ids and nothing else */
export function selecting(graph, { nodes = [], edges = [] }) {
  const pick = (/** @type {any[]} */ parts, /** @type {Set<string>} */ ids) =>
    parts.map((part) => (Boolean(part.selected) === ids.has(part.id) ? part : { ...part, selected: ids.has(part.id) }));
  return { ...graph, nodes: pick(graph.nodes, new Set(nodes)), edges: pick(graph.edges, new Set(edges)) };
}

/** Without what is selected, and without the edges of steps that go. @param {Graph} graph */
export function withoutSelected(graph) {
  const gone = new Set(graph.nodes.filter(({ selected }) => selected).map(({ id }) => id));
  const stays = (/** @type {any} */ edge) => !edge.selected && !gone.has(edge.source) && !gone.has(edge.target);
  return { ...graph, nodes: graph.nodes.filter(({ id }) => !gone.has(id)), edges: graph.edges.filter(stays) };
}

/** @param {Graph} graph @param {import("./page.js").Problem[]} problems */
export function withProblems(graph, problems) {
  const give = (/** @type {any[]} */ parts, /** @type {"node" | "edge"} */ place) =>
    parts.map((part) => {
      const own = problems.filter((problem) => problem[place] === part.id);
      return same(own, part.data.problems) ? part : { ...part, data: { ...part.data, problems: own } };
    });
  return { ...graph, nodes: give(graph.nodes, "node"), edges: give(graph.edges, "edge") };
}

/** @param {any} one @param {any} other */
const same = (one, other) => one.length === other.length && JSON.stringify(one) === JSON.stringify(other);
