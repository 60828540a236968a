// What the server has put into the editor's page, and the one dialect of HTML that its parts are written in.
// @ts-check
import { filled, plural } from "../format.js";
import { createElement, htm } from "../../vendor/flow/flow.mjs";

/** @param {string} id */
const read = (id) => JSON.parse(document.getElementById(id)?.textContent ?? "null");

/** @typedef {{name: string, label: string, input: string, help: string, choices: [string, string][],
 *   limits: [number, number, number] | null, needs: [string, string[]] | null, optional: boolean}} FieldSpec */
/** @typedef {{type: string, label: string, does: string, tone: string, fields: FieldSpec[], shows: string[]}} Kind */
/** @typedef {{node: string, edge: string, path: string, severity: string, text: string}} Problem */

/** agents/flows/editing.py: page_data */
export const data = read("flow-data");
/** What is drawn, {graph, problems, mayChange}: a draft with its `revision`, or a version with its number, `version`. */
export const told = read("flow-told");
export const { mayChange, mayTry } = told;

export const html = htm.bind(createElement);

/** @param {string} name of a text @param {Record<string, any>} [values] */
export const say = (name, values = {}) => filled(data.words[name] ?? name, values);

/** @param {string} name of a text in forms for numbers @param {number} count */
export const sayMany = (name, count) => plural({ one: data.words[`${name}_one`], other: data.words[`${name}_other`] }, count);

/** @type {Map<string, Kind>} */
const kinds = new Map(data.kinds.map((/** @type {Kind} */ kind) => [kind.type, kind]));

/** @param {string} type @returns {Kind} */
export function kindOf(type) {
  const unknown = { type: "unknown", label: `${say("unknown_kind")}: ${type}`, does: "", tone: "note", fields: [], shows: [] };
  return kinds.get(type) ?? unknown;
}

/** An icon of the page's sprite. @param {{name: string, size?: number}} what */
export const Icon = ({ name, size = 16 }) =>
  html`<svg width=${size} height=${size} aria-hidden="true"><use href=${`#vf-icon-${name}`} /></svg>`;
