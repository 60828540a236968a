// Having a flow written: what the server tells of it, line by line, and words for that.
// @ts-check
import { say } from "./page.js";

/** agents/flows/write_views.py: flow_write. @typedef {{stage: string, attempt: number, tokens: number, characters: number,
 *   seconds: number, graph?: any, problems?: import("./page.js").Problem[], changes?: string[], error?: string}} Told */

/** The last of what is told has the flow, or an error. @param {string} address @param {any} what
 * @param {(told: Told) => void} onTold @param {AbortSignal} signal @returns {Promise<Told | null>} null: stopped */
export async function write(address, what, onTold, signal) {
  const headers = { ...JSON.parse(document.body.getAttribute("hx-headers") ?? "{}"), "X-Requested-With": "fetch" };
  let last = /** @type {any} */ (null);
  try {
    const answer = await fetch(address, { method: "POST", headers, body: JSON.stringify(what), signal });
    if (!answer.ok || !answer.body) return await answer.json();
    let rest = "";
    const decoder = new TextDecoder();
    const reader = answer.body.getReader();
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      const lines = (rest + decoder.decode(piece.value, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) onTold((last = JSON.parse(line)));
    }
  } catch {
    if (signal.aborted) return null;
    return /** @type {any} */ ({ error: say("write_broken") });
  }
  return last?.graph || last?.error ? last : { error: say("write_broken") };
}

/** @param {Told} told */
export const standing = (told) => say(`write_${told.stage}`, told);
