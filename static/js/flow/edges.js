// Connections on the canvas, with what each asks for.
// @ts-check
import { BaseEdge, EdgeLabelRenderer, memo } from "../../vendor/flow/flow.mjs";
import { Mark } from "./cards.js";
import { MOST_LABEL, route } from "./layout.js";
import { labelOf } from "./model.js";
import { html } from "./page.js";

const LEAST_LABEL = 48; // pixels

export const Way = memo((/** @type {any} */ { id, sourceX, sourceY, targetX, targetY, data: { edge, problems, choose, lane }, selected, markerEnd }) => {
  const [path, x, y] = route({ id, sourceX, sourceY, targetX, targetY, lane });
  const label = labelOf(edge);
  const shown = label || problems.length;
  const room = targetX > x ? Math.max(LEAST_LABEL, targetX - x - 16) : MOST_LABEL;
  const place = { transform: `translate(${x}px, ${y}px) translateY(-50%)`, maxWidth: Math.min(MOST_LABEL, room) };
  return html`<${BaseEdge} id=${id} path=${path} markerEnd=${markerEnd} interactionWidth=${22} />
    ${shown &&
    html`<${EdgeLabelRenderer}>
      <div className="vf-flow-label nopan" style=${place} data-selected=${selected || null} data-expression=${(!edge.label && edge.condition.when) || null} title=${label} onClick=${() => choose(id)}>
        <span>${label}</span><${Mark} problems=${problems} />
      </div>
    </${EdgeLabelRenderer}>`}`;
});
