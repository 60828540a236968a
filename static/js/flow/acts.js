// What can be done in the editor; the bars, the panel, the canvas and the keys all do it through these.
// @ts-check
import { showToast } from "../toasts.js";
import { DRAGGED } from "./bars.js";
import { copied, stepsIn } from "./clipboard.js";
import { selecting, withoutSelected } from "./history.js";
import { freePlace, tidied } from "./layout.js";
import { HEIGHT, leaves, newEdge, newNode, pasted, WIDTH } from "./model.js";
import { mayChange, say, sayMany } from "./page.js";

/** @typedef {import("./model.js").Graph} Graph */

const BAR = 160; // pixels that the palette covers at the left
const LEGIBLE = 0.6; // the zoom below which cards cannot be read
const SHIFT = 32; // pixels between a step and its copy
const SHEET = 0.62; // of a phone's height that the panel covers
const BETWEEN = 160; // pixels between a step and the one that is added after it

/** @param {{history: any, flow: any, canvas: {current: any}, setPanel: (name: any) => void}} what */
export function actsOn({ history, flow, canvas, setPanel }) {
  const { now, change, update } = history;
  const select = (/** @type {{nodes?: string[], edges?: string[]}} */ ids) => {
    setPanel("");
    update((/** @type {Graph} */ graph) => selecting(graph, ids));
  };
  const visit = (/** @type {{nodes?: string[], edges?: string[]}} */ ids) => {
    select(ids);
    const edge = now.current.edges.find((/** @type {any} */ { id }) => ids.edges?.includes(id));
    const nodes = (ids.nodes ?? [edge?.source, edge?.target]).filter(Boolean).map((id) => ({ id }));
    if (nodes.length) flow.fitView({ nodes, duration: 250, maxZoom: 1, minZoom: LEGIBLE, padding: covered(true) });
  };
  const insert = (/** @type {{nodes: any[], edges: any[]}} */ { nodes, edges }) =>
    change((/** @type {Graph} */ graph) => {
      const rest = selecting(graph, {});
      return { ...rest, nodes: [...rest.nodes, ...nodes], edges: [...rest.edges, ...edges] };
    });
  const paste = (/** @type {string} */ text) => {
    const steps = stepsIn(text);
    if (steps) insert(pasted(now.current, steps, SHIFT));
    return Boolean(steps);
  };
  const connect = (/** @type {string} */ source, /** @type {string} */ target) => {
    const edge = newEdge(source, target, now.current);
    const further = now.current.edges.some((/** @type {any} */ each) => each.source === source);
    change((/** @type {Graph} */ graph) => ({ ...graph, edges: [...graph.edges, edge] }));
    if (further) select({ edges: [edge.id] }); // it has to say when it is taken
  };
  return {
    mayChange,
    change: mayChange ? change : () => {},
    settle: history.settle,
    undo: history.undo,
    redo: history.redo,
    select,
    visit,
    connect,
    paste,
    ...looking({ history, flow, canvas, setPanel, select, visit }),
    add: (/** @type {string} */ type) => addStep(type, { history, flow, canvas, insert }),
    drop: (/** @type {any} */ event) => {
      const type = event.dataTransfer.getData(DRAGGED);
      if (!type) return;
      event.preventDefault();
      const { x, y } = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
      insert({ nodes: [newNode(type, { x: Math.round(x - WIDTH / 2), y: Math.round(y - HEIGHT / 2) }, now.current)], edges: [] });
    },
    mayConnect: (/** @type {any} */ { source, target }) => source !== target,
    remove: () => mayChange && change(withoutSelected),
    /** What is selected, or else what has the focus. @param {HTMLElement | null} element */
    removeAt: (element) => {
      const { nodes, edges } = now.current;
      const none = ![...nodes, ...edges].some(({ selected }) => selected);
      if (none && !element) return;
      const ids = [element?.dataset.id ?? ""];
      if (none) select({ nodes: ids, edges: ids });
      change(withoutSelected);
    },
    copy: () => {
      const count = now.current.nodes.filter((/** @type {any} */ { selected }) => selected).length;
      if (count) showToast({ text: sayMany("copied", count), level: "success", undo: null });
      return copied(now.current);
    },
    /** @param {any} test in the exchange format */
    keepTest: (test) => {
      change((/** @type {Graph} */ graph) => ({ ...graph, meta: { ...graph.meta, tests: [...(graph.meta.tests ?? []), named(test, graph.meta.tests ?? [])] } }));
      showToast({ text: say("try_kept"), level: "success", undo: null });
    },
    duplicate: () => void (mayChange && paste(copied(now.current))),
    tidy: () => {
      change((/** @type {Graph} */ graph) => ({ ...graph, nodes: tidied(graph.nodes, graph.edges, graph.meta.start) }));
      setTimeout(() => flow.fitView({ maxZoom: 1, padding: covered(), duration: 250 }));
    },
  };
}

/** Selecting and moving the view. @param {any} what */
function looking({ history, flow, canvas, setPanel, select, visit }) {
  const { now } = history;
  return {
    chooseEdge: (/** @type {string} */ id) => select({ edges: [id] }),
    selectAll: () => select({ nodes: now.current.nodes.map((/** @type {any} */ { id }) => id) }),
    show: (/** @type {string} */ name) => setPanel((/** @type {string} */ shown) => (shown === name ? "" : name)),
    /** On a phone the panel would cover what was touched. @param {any} event @param {any} node */
    touched: (event, node) => {
      setPanel("");
      if (isPhone()) flow.fitView({ nodes: [{ id: node.id }], duration: 200, maxZoom: 1, padding: covered(true) });
    },
    visitProblem: (/** @type {any} */ { node, edge }) => {
      if (edge) visit({ edges: [edge] });
      else if (node) visit({ nodes: [node] });
      else setPanel("settings");
    },
    /** The steps come into sight and nothing is chosen. @param {string[]} ids */
    lookAt: (...ids) => {
      const nodes = ids.filter((id) => flow.getNode(id)).map((id) => ({ id }));
      if (nodes.length) flow.fitView({ nodes, duration: 250, maxZoom: 1, minZoom: LEGIBLE, padding: covered(true) });
    },
    enter: () => setTimeout(() => /** @type {any} */ (document.querySelector(".vf-flow-fields :is(input, textarea, select, button)"))?.focus()),
    /** From the panel back to what it shows; from there to nothing. */
    close: () => {
      const chosen = [...now.current.nodes, ...now.current.edges].find(({ selected }) => selected);
      const inPanel = document.activeElement?.closest(".vf-flow-panel");
      setPanel("");
      select({});
      if (inPanel && chosen) /** @type {any} */ (document.querySelector(`.react-flow [data-id="${CSS.escape(chosen.id)}"]`))?.focus();
    },
    /** All of it, or where calls begin if it could not be read. */
    lookAtStart: () => {
      const { nodes, edges, meta } = now.current;
      if (!nodes.length) return;
      const bounds = flow.getNodesBounds(nodes);
      const { width, height } = canvas.current.getBoundingClientRect();
      const free = { width: width - (isPhone() ? 40 : BAR + 60), height: height - 130 };
      if (Math.min(free.width / bounds.width, free.height / bounds.height) >= LEGIBLE) return flow.fitView({ maxZoom: 1, padding: covered() });
      const { x, y } = beginning(nodes, edges, meta.start).position;
      const zoom = 0.85;
      flow.setViewport({ x: (isPhone() ? 16 : BAR + 40) - x * zoom, y: height / 2 - (y + HEIGHT / 2) * zoom, zoom });
    },
  };
}

/** Beside the one step that is selected, connected if nothing follows it yet; else in the middle of what one sees.
 * @param {string} type @param {any} what */
function addStep(type, { history, flow, canvas, insert }) {
  const graph = history.now.current;
  const chosen = graph.nodes.filter((/** @type {any} */ { selected }) => selected);
  const before = chosen.length === 1 && type !== "note" && leaves(chosen[0].data.step.type) ? chosen[0] : null;
  const box = canvas.current.getBoundingClientRect();
  const middle = flow.screenToFlowPosition({ x: box.x + box.width / 2, y: box.y + box.height / 2 });
  const wished = before ? { x: before.position.x + WIDTH + BETWEEN, y: before.position.y } : { x: middle.x - WIDTH / 2, y: middle.y - HEIGHT / 2 };
  const node = newNode(type, freePlace(graph.nodes, wished), graph);
  const follows = before && !graph.edges.some((/** @type {any} */ { source }) => source === before.id);
  const edges = follows ? [newEdge(before.id, node.id, { ...graph, nodes: [...graph.nodes, node] })] : [];
  insert({ nodes: [node], edges });
  if (before) setTimeout(() => flow.setCenter(node.position.x + WIDTH / 2, node.position.y, { zoom: flow.getZoom(), duration: 180 }));
}

/** Where calls begin. @param {any[]} nodes @param {any[]} edges @param {string} start */
function beginning(nodes, edges, start) {
  const reached = new Set(edges.map(({ target }) => target));
  const named = nodes.find(({ id }) => id === start);
  return named ?? nodes.find(({ id, type }) => type !== "note" && !reached.has(id)) ?? nodes[0];
}

const isPhone = () => matchMedia("(max-width: 860px)").matches;

/** What lies over the canvas at its sides. @param {boolean} [sheet] whether a phone shows the panel */
function covered(sheet = false) {
  if (isPhone()) return { top: "70px", bottom: `${sheet ? innerHeight * SHEET + 24 : 80}px`, x: "20px" };
  return { top: "72px", bottom: "50px", left: `${BAR + 20}px`, right: "40px" };
}

/** A test with a name of its own. @param {any} test @param {any[]} others */
function named(test, others) {
  const taken = new Set(others.map(({ name }) => name));
  let name = test.name;
  for (let number = 2; taken.has(name); number += 1) name = `${test.name} ${number}`;
  return { ...test, name };
}
