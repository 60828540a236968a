// Connections on the canvas, with what each asks for.
// @ts-check
import { BaseEdge, EdgeLabelRenderer, memo } from "../../vendor/flow/flow.mjs";
import { Mark } from "./cards.js";
import { MOST_LABEL, route } from "./layout.js";
import { Badge, useLight } from "./lit.js";
import { labelOf } from "./model.js";
import { html } from "./page.js";

const LEAST_LABEL = 48; // pixels
const WIDEST = 9; // pixels of an edge that all calls take

export const Way = memo((/** @type {any} */ { id, sourceX, sourceY, targetX, targetY, data: { edge, problems, choose, lane }, selected, markerEnd }) => {
  const [path, x, y] = route({ id, sourceX, sourceY, targetX, targetY, lane });
  const light = useLight(id);
  const label = labelOf(edge);
  const marked = light.badge || (light.state && light.state !== "walked"); // of a walked edge its line says enough
  const shown = label || problems.length || marked;
  const width = light.weight === undefined ? undefined : { strokeWidth: 1 + light.weight * (WIDEST - 1) };
  const room = targetX > x ? Math.max(LEAST_LABEL, targetX - x - 16) : MOST_LABEL;
  const middle = light.weight !== undefined && !label && lane === undefined && targetX > x; // a figure alone
  const place = middle ? { transform: `translate(${(sourceX + targetX) / 2}px, ${y}px) translate(-50%, -50%)` } : { transform: `translate(${x}px, ${y}px) translateY(-50%)`, maxWidth: Math.min(MOST_LABEL, room) };
  return html`<${BaseEdge} id=${id} path=${path} markerEnd=${markerEnd} interactionWidth=${22} style=${width} data-lit=${light.state || null} />
    ${shown &&
    html`<${EdgeLabelRenderer}>
      <div className="vf-flow-label nopan" style=${place} data-selected=${selected || null} data-lit=${light.state || null} data-expression=${(!edge.label && edge.condition.when) || null} title=${label} onClick=${() => choose(id)}>
        ${label && html`<span>${label}</span>`}<${Mark} problems=${problems} />${marked && html`<${Badge} light=${light} />`}
      </div>
    </${EdgeLabelRenderer}>`}`;
});
