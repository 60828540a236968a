// Steps on the clipboard, as JSON: they can be pasted into any flow, also in another window.
// @ts-check
import { writtenEdge, writtenNode } from "./model.js";

/** What is selected, "" if nothing is. @param {import("./model.js").Graph} graph */
export function copied({ nodes, edges }) {
  const chosen = nodes.filter(({ selected }) => selected);
  const ids = new Set(chosen.map(({ id }) => id));
  const inside = edges.filter(({ source, target }) => ids.has(source) && ids.has(target));
  if (!chosen.length) return "";
  return JSON.stringify({ nodes: chosen.map(writtenNode), edges: inside.map(writtenEdge) }, null, 2);
}

/** @param {string} text @returns {{nodes: any[], edges: any[]} | null} null where these are no steps */
export function stepsIn(text) {
  try {
    const { nodes, edges = [] } = JSON.parse(text);
    const whole = Array.isArray(nodes) && Array.isArray(edges) && nodes.length && nodes.every((each) => each?.id && each?.type);
    return whole ? { nodes, edges } : null;
  } catch {
    return null;
  }
}
