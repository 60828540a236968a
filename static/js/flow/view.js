// A canvas to look at: nothing on it can be moved or connected; light shows what is to be seen.
// @ts-check
import { Background, Controls, createRoot, ReactFlow, ReactFlowProvider, useEffect, useMemo, useReactFlow } from "../../vendor/flow/flow.mjs";
import { Card, Sticky } from "./cards.js";
import { drawnEdges, marked } from "./drawing.js";
import { Way } from "./edges.js";
import { isHeap, tidied } from "./layout.js";
import { Lights, LightsContext } from "./lit.js";
import { read } from "./model.js";
import { data, html, say } from "./page.js";

const NODE_TYPES = { step: Card, note: Sticky };
const EDGE_TYPES = { way: Way };
const MANY = 80; // steps from which on only those in sight are drawn
const LEGIBLE = 0.5; // the zoom below which cards cannot be read

/** `wanted` is what to look at once the canvas is drawn. @typedef {{wanted: string[], look: () => void}} Inner */
/** @typedef {{lights: Lights, show: (graph: any) => void, look: (ids?: string[]) => void, close: () => void}} View */

/** Draws a graph in the exchange format into an element. @param {HTMLElement} element @param {any} graph
 * @param {{onNode?: (id: string) => void}} [acts] @returns {View} */
export function openView(element, graph, { onNode } = {}) {
  const root = createRoot(element);
  const lights = new Lights();
  /** @type {Inner} */
  const inner = { wanted: [], look: () => {} };
  const show = (/** @type {any} */ next) =>
    root.render(html`<${LightsContext.Provider} value=${lights}><${ReactFlowProvider} key=${keyOf(next)}>
      <${View} graph=${next} onNode=${onNode} inner=${inner} />
    </${ReactFlowProvider}></${LightsContext.Provider}>`);
  show(graph);
  return { lights, show, look: (ids = []) => ((inner.wanted = ids), inner.look()), close: () => root.unmount() };
}

let shown = 0;
/** @type {WeakMap<object, number>} */
const keys = new WeakMap();
/** Another graph is another canvas. @param {object} graph */
function keyOf(graph) {
  if (!keys.has(graph)) keys.set(graph, (shown += 1));
  return keys.get(graph);
}

/** @param {{graph: any, onNode?: (id: string) => void, inner: Inner}} what */
function View({ graph, onNode, inner }) {
  const flow = useReactFlow();
  const drawn = useMemo(() => placed(graph), [graph]);
  const edges = useMemo(() => drawnEdges(drawn, () => {}), [drawn]);
  const nodes = useMemo(() => marked(drawn), [drawn]);
  const aria = useMemo(() => ({ ...data.aria, ...(onNode && { "node.a11yDescription.default": say("go_to_step") }) }), []);
  const look = (duration = 250) => {
    const nodes = inner.wanted.filter((id) => flow.getNode(id)).map((id) => ({ id }));
    flow.fitView({ ...(nodes.length && { nodes, minZoom: LEGIBLE }), maxZoom: 0.9, padding: 0.2, duration });
  };
  const begin = () => {
    inner.look = look;
    look(0);
  };
  useEffect(() => () => void (inner.look = () => {}), []);
  const press = (/** @type {any} */ event) => {
    const node = event.target.closest(".react-flow__node");
    if (onNode && node && event.key === "Enter") onNode(node.dataset.id);
  };
  return html`<div className="vf-flow-canvas" onKeyDown=${press}>
    <${ReactFlow} nodes=${nodes} edges=${edges} nodeTypes=${NODE_TYPES} edgeTypes=${EDGE_TYPES} ariaLabelConfig=${aria}
      onNodeClick=${(/** @type {any} */ event, /** @type {any} */ { id }) => onNode?.(id)} onInit=${begin}
      nodesDraggable=${false} nodesConnectable=${false} elementsSelectable=${false} edgesFocusable=${false} nodesFocusable=${Boolean(onNode)} deleteKeyCode=${null}
      onlyRenderVisibleElements=${nodes.length > MANY} preventScrolling=${false} minZoom=${0.1} maxZoom=${1.5}>
      <${Background} gap=${24} size=${1.2} color="var(--control-line)" bgColor="var(--canvas)" />
      <${Controls} showInteractive=${false} position="bottom-left" />
    </${ReactFlow}>
  </div>`;
}

/** @param {any} graph */
function placed(graph) {
  const drawn = read(graph).graph;
  return isHeap(drawn.nodes) ? { ...drawn, nodes: tidied(drawn.nodes, drawn.edges, drawn.meta.start) } : drawn;
}
