// Steps and notes on the canvas.
// @ts-check
import { Handle, memo, useStore } from "../../vendor/flow/flow.mjs";
import { Badge, useLight } from "./lit.js";
import { contentOf, leaves, nameOf } from "./model.js";
import { html, Icon, kindOf, say } from "./page.js";

const FAR = 0.4; // the zoom below which texts cannot be read, and nobody drags a connection
/** @param {any} store */
const isFar = ({ transform: [, , zoom] }) => zoom < FAR;

/** Where connections end. From afar it is drawn only: what it takes to drag from it is most of a card's cost.
 * @param {{type: "source" | "target", far: boolean, isConnectable: boolean}} what */
function Dot({ type, far, isConnectable }) {
  const side = type === "source" ? "right" : "left";
  if (!far) return html`<${Handle} type=${type} position=${side} isConnectable=${isConnectable} />`;
  return html`<div className=${`react-flow__handle react-flow__handle-${side} ${type}`} data-handlepos=${side} />`;
}

/** The gravest of its problems. @param {{problems: import("./page.js").Problem[]}} what */
export function Mark({ problems }) {
  if (!problems.length) return null;
  const grave = problems.some(({ severity }) => severity === "error") ? "error" : "warning";
  const words = problems.map(({ text }) => text).join(" ");
  return html`<span className="vf-flow-mark" data-severity=${grave} title=${words} role="img" aria-label=${`${say(grave)}: ${words}`}>
    <${Icon} name=${grave} size=${15} />
  </span>`;
}

export const Card = memo((/** @type {any} */ { id, data: { step, problems, begins }, selected, isConnectable }) => {
  const light = useLight(id);
  const far = useStore(isFar);
  const kind = kindOf(step.type);
  const error = problems.some((/** @type {any} */ { severity }) => severity === "error");
  return html`<div className="vf-flow-card" data-tone=${kind.tone} data-selected=${selected || null} data-error=${error || null} data-lit=${light.state || null}>
    <${Dot} type="target" far=${far} isConnectable=${isConnectable} />
    <div className="vf-flow-card-head">
      <span className="vf-flow-icon"><${Icon} name=${kind.type} size=${14} /></span>
      <b>${nameOf(step)}</b>
      ${begins && html`<span className="vf-flow-begins" title=${say("start_here")}><${Icon} name="start" size=${12} />${say("start")}</span>`}
      <${Mark} problems=${problems} />
    </div>
    ${!far && html`<div className="vf-flow-card-text">${step.data.label ? html`<i>${kind.label}:</i> ` : ""}${contentOf(step)}</div>`}
    <${Badge} light=${light} />
    ${leaves(step.type) && html`<${Dot} type="source" far=${far} isConnectable=${isConnectable} />`}
  </div>`;
});

export const Sticky = memo((/** @type {any} */ { id, data: { step, problems }, selected }) => {
  const light = useLight(id);
  return html`<div className="vf-flow-note" data-selected=${selected || null} data-lit=${light.state || null}>
    <b>${step.data.label || kindOf("note").label}</b> <${Mark} problems=${problems} />
    <div>${step.data.text}</div>
    <${Badge} light=${light} />
  </div>`;
});
