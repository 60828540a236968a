// The visual editor of a flow: canvas, palette, inspector. Its parts:
//   page.js what the server has put into the page · model.js the exchange format · history.js the graph, undo, redo
//   saving.js the draft on its way to the server · layout.js places and routes · cards.js, edges.js on the canvas
//   inspector.js, settings.js, problems.js, fields.js the panel · bars.js palette and tools · keys.js, clipboard.js
//   drawing.js the parts as they are drawn · header.js the page around it · lit.js light on what calls walk and what differs
// @ts-check
import { Background, Controls, createRoot, MiniMap, Panel, ReactFlow, ReactFlowProvider, reconnectEdge, useEffect, useMemo, useReactFlow, useRef, useState } from "../../vendor/flow/flow.mjs";
import { DRAGGED, Palette, Toolbar } from "./bars.js";
import { Card, Sticky } from "./cards.js";
import { drawnEdges, marked, toneOf } from "./drawing.js";
import { Way } from "./edges.js";
import { askWhose, showName, showState, wireHeader } from "./header.js";
import { useGraph, withProblems } from "./history.js";
import { EdgeForm, SeveralForm, StepForm } from "./inspector.js";
import { isHeap, tidied } from "./layout.js";
import { listen } from "./keys.js";
import { read, write } from "./model.js";
import { data, html, mayChange, say, told } from "./page.js";
import { ProblemList } from "./problems.js";
import { keptOf, Saver } from "./saving.js";
import { Lights, LightsContext } from "./lit.js";
import { RewritePanel } from "./rewriting.js";
import { SettingsForm } from "./settings.js";
import { Trial, TryPanel } from "./trying.js";
import { actsOn } from "./acts.js";

const root = /** @type {HTMLElement} */ (document.getElementById("flow"));
const { draft: address = "", slug = "" } = root.dataset;
const NODE_TYPES = { step: Card, note: Sticky };
const EDGE_TYPES = { way: Way };
const MANY = 80; // steps from which on only those in sight are drawn
const ARIA = { ...data.aria, "node.a11yDescription.ariaLiveMessage": (/** @type {any} */ place) => say("moved", place) };

/** The draft as it is drawn first, and as the server has it. */
function opened() {
  const stored = read(told.graph);
  const saved = stored.mended ? "" : JSON.stringify(write(stored.graph));
  const kept = mayChange ? keptOf(slug) : null;
  const first = kept ? read(JSON.parse(kept.graph)).graph : stored.graph;
  if (isHeap(first.nodes)) first.nodes = tidied(first.nodes, first.edges, first.meta.start);
  return { first: withProblems(first, told.problems), saved, revision: kept?.revision ?? told.revision, restored: Boolean(kept) };
}

const begun = opened();
const lights = new Lights();

function Editor() {
  const history = useGraph(begun.first);
  const { graph, now } = history;
  const [problems, setProblems] = useState(told.problems);
  const [panel, setPanel] = useState("");
  const flow = useReactFlow();
  const canvas = useRef(null);

  const saver = useMemo(() => mayChange && new Saver({
    address,
    slug,
    revision: begun.revision,
    saved: begun.saved,
    current: () => JSON.stringify(write(now.current)),
    onState: showState,
    onProblems: (found) => {
      setProblems(found);
      history.update((graph) => withProblems(graph, found));
    },
    onConflict: async (theirs) => {
      const choice = await askWhose(theirs.by);
      if (choice === "theirs") history.change(() => read(theirs.graph).graph);
      return choice;
    },
  }), []);
  const acts = useMemo(() => actsOn({ history, flow, canvas, setPanel }), []);
  acts.talk = async (/** @type {string} */ agent) => {
    if (!saver || (await saver.flush())) location.assign((root.dataset.talk ?? "").replace("AGENT", agent));
  };
  const trial = useMemo(() => new Trial(root.dataset.try ?? "", () => write(now.current), lights, told.agent), []);

  const dragging = graph.nodes.some((/** @type {any} */ node) => node.dragging);
  useEffect(() => {
    if (saver && !dragging) saver.look();
  }, [graph, dragging]);
  useEffect(() => showName(graph.meta.name), [graph.meta.name]);
  useEffect(() => listen(acts), []);
  useEffect(() => {
    wireHeader({ flush: () => (saver ? saver.flush() : Promise.resolve(true)), visitProblem: acts.visitProblem });
    if (!mayChange) showState(told.version ? "never_changes" : "read_only");
    root.dataset.ready = "";
    performance.mark("flow-ready");
  }, []);

  const edges = useMemo(() => drawnEdges(graph, acts.chooseEdge), [graph.nodes, graph.edges]);
  const nodes = useMemo(() => marked(graph), [graph.nodes, graph.edges, graph.meta.start]);
  return html`
    <div className="vf-flow-canvas" ref=${canvas} onDragOver=${allowDrop} onDrop=${acts.drop} aria-label=${say("canvas")} role="region">
      <${ReactFlow} nodes=${nodes} edges=${edges} nodeTypes=${NODE_TYPES} edgeTypes=${EDGE_TYPES}
        onNodesChange=${history.onNodesChange} onEdgesChange=${history.onEdgesChange}
        onNodeDragStart=${history.beginMove} onSelectionDragStart=${history.beginMove}
        onNodeClick=${acts.touched} onEdgeClick=${() => setPanel("")} onPaneClick=${() => setPanel("")}
        onConnect=${({ source, target }) => acts.connect(source, target)}
        onReconnect=${(/** @type {any} */ old, /** @type {any} */ ends) => acts.change((/** @type {any} */ graph) => ({ ...graph, edges: reconnectEdge(old, ends, graph.edges, { shouldReplaceId: false }) }))}
        isValidConnection=${acts.mayConnect} onInit=${acts.lookAtStart}
        nodesDraggable=${mayChange} nodesConnectable=${mayChange} edgesReconnectable=${mayChange} deleteKeyCode=${null}
        multiSelectionKeyCode=${["Meta", "Control"]} onlyRenderVisibleElements=${graph.nodes.length > MANY} elevateNodesOnSelect=${false}
        minZoom=${0.1} maxZoom=${1.75} snapToGrid snapGrid=${[8, 8]} ariaLabelConfig=${ARIA}>
        <${Background} gap=${24} size=${1.2} color="var(--control-line)" bgColor="var(--canvas)" />
        <${MiniMap} className="vf-desk" pannable zoomable nodeColor=${toneOf} nodeBorderRadius=${8} />
        <${Controls} showInteractive=${false} position="bottom-left" />
        <${Panel} position="top-left"><${Toolbar} acts=${acts} graph=${graph} problems=${problems} panel=${panel} canUndo=${history.canUndo} canRedo=${history.canRedo} /></${Panel}>
      </${ReactFlow}>
      ${mayChange && html`<${Palette} acts=${acts} />`}
    </div>
    <${Side} graph=${graph} panel=${panel} problems=${problems} acts=${acts} trial=${trial} />`;
}

/** @param {any} event */
function allowDrop(event) {
  if (!event.dataTransfer.types.includes(DRAGGED)) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "copy";
}

/** The panel beside the canvas. @param {{graph: any, panel: string, problems: any[], acts: any, trial: Trial}} what */
function Side({ graph, panel, problems, acts, trial }) {
  const nodes = graph.nodes.filter((/** @type {any} */ { selected }) => selected);
  const edges = graph.edges.filter((/** @type {any} */ { selected }) => selected);
  const open = Boolean(panel || nodes.length || edges.length);
  let form = html`<${SettingsForm} graph=${graph} problems=${problems} acts=${acts} />`;
  if (panel === "write") form = html`<${RewritePanel} graph=${graph} acts=${acts} address=${root.dataset.write} slug=${slug} />`;
  else if (panel === "try") form = html`<${TryPanel} trial=${trial} graph=${graph} acts=${acts} />`;
  else if (panel === "problems") form = html`<${ProblemList} problems=${problems} graph=${graph} acts=${acts} />`;
  else if (!panel && nodes.length === 1) form = html`<${StepForm} key=${nodes[0].id} graph=${graph} node=${nodes[0]} acts=${acts} />`;
  else if (!panel && nodes.length > 1) form = html`<${SeveralForm} count=${nodes.length} acts=${acts} />`;
  else if (!panel && edges.length === 1) form = html`<${EdgeForm} key=${edges[0].id} graph=${graph} edge=${edges[0]} acts=${acts} />`;
  return html`<aside className="vf-flow-panel" data-open=${open || null} aria-label=${say("step")} onBlur=${acts.settle}>
    <div className="vf-flow-form">${form}</div>
  </aside>`;
}

createRoot(root).render(html`<${LightsContext.Provider} value=${lights}><${ReactFlowProvider}><${Editor} /></${ReactFlowProvider}></${LightsContext.Provider}>`);
if (begun.restored) showState("changed", say("restored"));
