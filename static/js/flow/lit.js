// Light on steps and connections: where a call walks, what differs between two versions, how much goes where.
// Whoever draws a canvas gives it `Lights`; a part whose light changes is drawn anew, and nothing else is.
// @ts-check
import { createContext, useContext, useEffect, useState } from "../../vendor/flow/flow.mjs";
import { html, Icon, say } from "./page.js";

/** `badge` are words beside the part; without them it says what its state means. `weight` is the width of an edge, from
 * 0 to 1; a badge with the tone "out" tells of calls that dropped out.
 * @typedef {{state?: "walked" | "now" | "added" | "removed" | "changed", badge?: string, weight?: number, tone?: "out"}} Light */

/** @type {Light} */
const DARK = {};
const SIGNS = { walked: "walked", now: "now", added: "plus", removed: "close", changed: "changed" };

/** What is lit, by the ids of nodes and edges, which never are the same. */
export class Lights {
  /** @type {Map<string, Light>} */ #lit = new Map();
  /** @type {Map<string, Set<(light: Light) => void>>} */ #watchers = new Map();

  /** @param {string} id */
  of(id) {
    return this.#lit.get(id) ?? DARK;
  }

  /** These are lit, and no others. @param {Iterable<[string, Light]>} lit */
  show(lit) {
    const next = new Map(lit);
    const ids = new Set([...this.#lit.keys(), ...next.keys()]);
    for (const id of ids) this.set(id, next.get(id) ?? DARK);
  }

  /** @param {string} id @param {Light} light */
  set(id, light) {
    if (isSame(this.of(id), light)) return;
    if (isSame(light, DARK)) this.#lit.delete(id);
    else this.#lit.set(id, light);
    for (const act of this.#watchers.get(id) ?? []) act(this.of(id));
  }

  /** Tells the light of a part, now and whenever it changes. @param {string} id @param {(light: Light) => void} act
   * @returns {() => void} that ends it */
  watch(id, act) {
    const acts = this.#watchers.get(id) ?? new Set();
    this.#watchers.set(id, acts.add(act));
    act(this.of(id));
    return () => void acts.delete(act);
  }
}

/** @param {Light} one @param {Light} other */
const isSame = (one, other) => one.state === other.state && one.badge === other.badge && one.weight === other.weight && one.tone === other.tone;

export const LightsContext = createContext(new Lights());

/** @param {string} id @returns {Light} */
export function useLight(id) {
  const lights = useContext(LightsContext);
  const [light, setLight] = useState(() => lights.of(id));
  useEffect(() => lights.watch(id, setLight), [lights, id]);
  return light;
}

/** A sign and words, so that nothing is told by colour alone. @param {{light: Light}} what */
export function Badge({ light: { state, badge, tone } }) {
  if (!state && !badge) return null;
  const meaning = state ? say(`lit_${state}`) : "";
  return html`<span className="vf-flow-badge" data-lit=${state || null} data-tone=${tone} title=${meaning || null}>
    ${state && html`<${Icon} name=${SIGNS[state]} size=${11} />`}
    ${badge && meaning && html`<span className="vf-visually-hidden">${meaning}: </span>`}${badge || meaning}
  </span>`;
}
