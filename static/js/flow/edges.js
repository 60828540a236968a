// Connections on the canvas, with what each asks for.
// @ts-check
import { BaseEdge, EdgeLabelRenderer, memo } from "../../vendor/flow/flow.mjs";
import { Mark } from "./cards.js";
import { route } from "./layout.js";
import { labelOf } from "./model.js";
import { html } from "./page.js";

export const Way = memo((/** @type {any} */ { id, sourceX, sourceY, targetX, targetY, data: { edge, problems, choose }, selected, markerEnd }) => {
  const [path, x, y] = route({ id, sourceX, sourceY, targetX, targetY });
  const label = labelOf(edge);
  const shown = label || problems.length;
  const place = { transform: `translate(${x}px, ${y}px) translateY(-50%)` };
  return html`<${BaseEdge} id=${id} path=${path} markerEnd=${markerEnd} interactionWidth=${22} />
    ${shown &&
    html`<${EdgeLabelRenderer}>
      <div className="vf-flow-label nopan" style=${place} data-selected=${selected || null} data-expression=${(!edge.label && edge.condition.when) || null} title=${label} onClick=${() => choose(id)}>
        <span>${label}</span><${Mark} problems=${problems} />
      </div>
    </${EdgeLabelRenderer}>`}`;
});
