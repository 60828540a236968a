// Where steps stand and how edges run: from left to right; edges that lead back go round below.
// @ts-check
import { dagre } from "../../vendor/flow/flow.mjs";
import { HEIGHT, labelOf, WIDTH } from "./model.js";

const LETTER = 6.4; // pixels of a letter of an edge's label, on average
export const MOST_LABEL = 180; // pixels
const STUB = 26; // how far an edge runs out of its step before it turns
const BELOW = 62; // how far below the lower of its ends an edge runs back
const AROUND = 22; // how far from a step another's edge keeps

/** The edges that lead back to a step on the way to them. @param {any[]} nodes @param {any[]} edges @returns {Set<string>} */
export function backEdges(nodes, edges) {
  /** @type {Map<string, any[]>} */
  const leaving = new Map(nodes.map(({ id }) => [id, []]));
  for (const edge of edges) leaving.get(edge.source)?.push(edge);
  const state = new Map();
  const back = new Set();
  for (const { id } of nodes) {
    if (state.has(id)) continue;
    state.set(id, "open");
    const path = [{ id, next: 0 }]; // no recursion: a flow may be a thousand steps deep
    while (path.length) {
      const here = path[path.length - 1];
      const edge = leaving.get(here.id)?.[here.next++];
      if (!edge) {
        state.set(here.id, "done");
        path.pop();
      } else if (state.get(edge.target) === "open") back.add(edge.id);
      else if (!state.has(edge.target) && leaving.has(edge.target)) {
        state.set(edge.target, "open");
        path.push({ id: edge.target, next: 0 });
      }
    }
  }
  return back;
}

/** The same steps at tidy places. Notes keep their place beside the step that is nearest to them.
 * @param {any[]} nodes @param {any[]} edges @param {string} start the step to begin at, or "" */
export function tidied(nodes, edges, start) {
  const steps = nodes.filter(({ type }) => type !== "note");
  const first = [...steps].sort((a, b) => Number(b.id === start) - Number(a.id === start));
  const back = backEdges(first, edges);
  const plan = new dagre.graphlib.Graph({ multigraph: true });
  plan.setGraph({ rankdir: "LR", nodesep: 36, ranksep: 56, edgesep: 24 });
  for (const { id } of first) plan.setNode(id, { width: WIDTH, height: HEIGHT });
  const there = new Set(first.map(({ id }) => id));
  for (const edge of edges) {
    if (back.has(edge.id) || !there.has(edge.source) || !there.has(edge.target)) continue;
    const label = labelOf(edge.data.edge);
    const width = label ? Math.min(MOST_LABEL, label.length * LETTER + 20) : 0;
    plan.setEdge(edge.source, edge.target, { width, height: label ? 24 : 0, labelpos: "c" }, edge.id);
  }
  dagre.layout(plan);
  /** @type {Map<string, {x: number, y: number}>} */
  const places = new Map();
  for (const { id } of steps) {
    const { x, y } = plan.node(id);
    places.set(id, { x: Math.round(x - WIDTH / 2), y: Math.round(y - HEIGHT / 2) });
  }
  const placed = steps.map((step) => ({ ...step, position: places.get(step.id) }));
  const notes = nodes.filter(({ type }) => type === "note");
  return [...placed, ...notes.map((note) => ({ ...note, position: freePlace(placed, beside(note, steps, places)) }))];
}

/** @param {any} note @param {any[]} steps @param {Map<string, {x: number, y: number}>} places */
function beside(note, steps, places) {
  const far = (/** @type {any} */ { position: { x, y } }) => Math.hypot(x - note.position.x, y - note.position.y);
  const nearest = steps.reduce((best, step) => (!best || far(step) < far(best) ? step : best), null);
  if (!nearest) return note.position;
  const to = /** @type {{x: number, y: number}} */ (places.get(nearest.id));
  return { x: note.position.x + to.x - nearest.position.x, y: note.position.y + to.y - nearest.position.y };
}

/** Whether all steps stand at one place, as in a file without places. @param {any[]} nodes */
export function isHeap(nodes) {
  const [first] = nodes;
  return nodes.length > 1 && nodes.every(({ position: { x, y } }) => x === first.position.x && y === first.position.y);
}

/** A place near the wished one where no step stands. @param {any[]} nodes @param {{x: number, y: number}} wished */
export function freePlace(nodes, { x, y }) {
  const near = (/** @type {any} */ { position }) => Math.abs(position.x - x) < WIDTH && Math.abs(position.y - y) < HEIGHT + 16;
  while (nodes.some(near)) y += HEIGHT + 24;
  return { x: Math.round(x), y: Math.round(y) };
}

/** The edges that would run through steps, or back, with the height at which each has free way.
 * @param {any[]} nodes @param {any[]} edges @returns {Map<string, number>} */
export function lanes(nodes, edges) {
  const steps = nodes.filter(({ type }) => type !== "note");
  const places = new Map(steps.map(({ id, position }) => [id, position]));
  const found = new Map();
  for (const { id, source, target } of edges) {
    const [from, to] = [places.get(source), places.get(target)];
    if (!from || !to) continue;
    const [right, left] = [from.x + WIDTH, to.x];
    const [sourceY, targetY] = [from.y + HEIGHT / 2, to.y + HEIGHT / 2];
    const back = left - right <= STUB;
    if (!back && left - right < WIDTH) continue; // nothing can stand between
    const wished = back ? Math.max(sourceY, targetY) + BELOW : targetY;
    const [begin, end] = back ? [left - STUB, right + STUB] : [right + STUB, left - STUB];
    const between = steps.filter(({ position: { x } }) => x < end && x + WIDTH > begin);
    const lane = freeLane(between, wished);
    if (back || lane !== wished) found.set(id, lane + (spread(id) - 1) * 7);
  }
  return found;
}

/** The height nearest to the wished one at which no step stands. @param {any[]} steps @param {number} wished */
function freeLane(steps, wished) {
  const hits = (/** @type {number} */ lane) => steps.some(({ position: { y } }) => lane > y - AROUND && lane < y + HEIGHT + AROUND);
  if (!hits(wished)) return wished;
  const ways = steps.flatMap(({ position: { y } }) => [y - AROUND, y + HEIGHT + AROUND]);
  const near = ways.sort((one, other) => Math.abs(one - wished) - Math.abs(other - wished));
  return near.find((lane) => !hits(lane)) ?? wished;
}

/** 0, 1 or 2, so that edges of one way do not hide each other. @param {string} id */
const spread = (id) => [...id].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 3;

/** The path of an edge, and the place of its label's left end. @param {{id: string, sourceX: number, sourceY: number,
 * targetX: number, targetY: number, lane?: number}} edge @returns {[string, number, number]} */
export function route({ id, sourceX, sourceY, targetX, targetY, lane }) {
  const gap = targetX - sourceX;
  const turn = sourceX + (gap > STUB ? Math.min(STUB, gap / 2) : STUB);
  if (lane === undefined) {
    const points = [[sourceX, sourceY], [turn, sourceY], [turn, targetY], [targetX, targetY]];
    return [rounded(points), turn + 12, targetY];
  }
  const [out, into] = [turn + spread(id) * 6, targetX - STUB + spread(id) * 6];
  const points = [[sourceX, sourceY], [out, sourceY], [out, lane], [into, lane], [into, targetY], [targetX, targetY]];
  return [rounded(points), gap > STUB ? out + 12 : (out + into) / 2 - 30, lane];
}

/** @param {number[][]} points of a line whose corners are rounded */
function rounded(points, radius = 10) {
  let path = `M${points[0]}`;
  for (let place = 1; place < points.length - 1; place += 1) {
    const [[ax, ay], [bx, by], [cx, cy]] = points.slice(place - 1, place + 2);
    const [before, after] = [Math.hypot(bx - ax, by - ay), Math.hypot(cx - bx, cy - by)];
    if (!before || !after) continue;
    const cut = Math.min(radius, before / 2, after / 2);
    path += `L${bx + ((ax - bx) * cut) / before},${by + ((ay - by) * cut) / before}`;
    path += `Q${bx},${by} ${bx + ((cx - bx) * cut) / after},${by + ((cy - by) * cut) / after}`;
  }
  return `${path}L${points[points.length - 1]}`;
}
