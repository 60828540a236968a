// The panel in which a flow is changed by words: what would differ is shown before it is changed.
// @ts-check
import { useState } from "../../vendor/flow/flow.mjs";
import { Head, Problems } from "./inspector.js";
import { freePlace } from "./layout.js";
import { read, write as written } from "./model.js";
import { html, say, sayMany } from "./page.js";
import { standing, write } from "./writing.js";

/** Steps that are new stand where there is room. @param {any} next @param {any} before */
function withRoom(next, before) {
  const known = new Set(before.nodes.map((/** @type {any} */ { id }) => id));
  const nodes = next.nodes.filter((/** @type {any} */ { id }) => known.has(id));
  for (const node of next.nodes.filter((/** @type {any} */ { id }) => !known.has(id))) nodes.push({ ...node, position: freePlace(nodes, node.position) });
  return { ...next, nodes };
}

let kept = ""; // what was asked for outlives the panel

/** @param {{graph: any, acts: any, address: string, slug: string}} what */
export function RewritePanel({ graph, acts, address, slug }) {
  const [words, setWords] = useState(kept);
  const [told, setTold] = useState(/** @type {import("./writing.js").Told | null} */ (null));
  const [asking, setAsking] = useState(/** @type {AbortController | null} */ (null));
  const [note, setNote] = useState("");
  const go = async (/** @type {any} */ event) => {
    event.preventDefault();
    if (!words.trim() || asking) return;
    const begun = new AbortController();
    setAsking(begun);
    setNote("");
    setTold(null);
    const last = await write(address, { description: words, graph: written(graph), slug }, setTold, begun.signal);
    setAsking(null);
    setTold(last);
    if (!last) setNote(say("write_stopped"));
  };
  const accept = () => {
    acts.change((/** @type {any} */ now) => withRoom(read(told?.graph).graph, now));
    setTold(null);
    kept = "";
    setWords("");
  };
  const changes = told?.changes ?? [];
  return html`
    <${Head} icon="write" tone="talk" title=${say("write")} does=${say("write_does")} acts=${acts} />
    <form className="vf-flow-fields" onSubmit=${go}>
      <div className="vf-field"><label htmlFor="write-what">${say("write_what")}</label><textarea className="vf-input" id="write-what" rows="4" maxLength=${4000} value=${words} onChange=${(/** @type {any} */ event) => setWords((kept = event.target.value))}></textarea></div>
      <div className="vf-row">${asking
        ? html`<button type="button" className="vf-btn" onClick=${() => asking.abort()}>${say("write_stop")}</button>`
        : html`<button className="vf-btn vf-btn-primary" disabled=${!words.trim()}>${say("write_go")}</button>`}</div>
      <p className="vf-help" role="status">${told?.stage ? standing(told) : note}</p>
      ${told?.error && html`<${Problems} problems=${[{ text: told.error, severity: "error" }]} />`}
      ${told?.graph && html`<section aria-labelledby="write-changes"><h3 id="write-changes">${say("write_changes")}</h3>
        ${changes.length ? html`<ul className="vf-flow-review">${changes.map((each, place) => html`<li key=${place}>${each}</li>`)}</ul>` : html`<p>${say("write_same")}</p>`}
        ${told.problems?.length ? html`<p className="vf-help">${sayMany("write_problems", told.problems.length)}</p>` : null}
        <div className="vf-row"><button type="button" className="vf-btn vf-btn-primary" disabled=${!changes.length} onClick=${accept}>${say("write_accept")}</button><button type="button" className="vf-btn" onClick=${() => setTold(null)}>${say("write_discard")}</button></div>
      </section>`}
    </form>`;
}
