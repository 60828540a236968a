// The page on which a flow is written from a description. Nothing is lost on leaving it: what was asked for and what
// was written wait in the browser until the flow is kept or discarded.
// @ts-check
import { setText } from "../format.js";
import { tidied } from "./layout.js";
import { read, write as written } from "./model.js";
import { say, sayMany } from "./page.js";
import { openView } from "./view.js";
import { standing, write } from "./writing.js";

const KEY = "flow-generated";
const page = /** @type {HTMLElement} */ (document.querySelector("[data-generate]"));
const part = (/** @type {string} */ name) => /** @type {any} */ (page.querySelector(`[data-${name}]`));
const { write: address = "", keep: keeping = "" } = page.dataset;
/** @type {AbortController | null} */ let asking = null;
/** @type {import("./view.js").View | null} */ let view = null;
/** @type {any} */ let made = null;

part("form").addEventListener("submit", async (/** @type {Event} */ event) => {
  event.preventDefault();
  const description = part("description").value.trim();
  if (!description || asking) return;
  asking = new AbortController();
  show(null);
  busy(true);
  const told = await write(address, { description }, (now) => setText(part("standing"), standing(now)), asking.signal);
  asking = null;
  busy(false);
  setText(part("standing"), told?.error ? "" : told ? standing(told) : say("write_stopped"));
  fail(told?.error ?? "");
  if (told?.graph) show({ ...told, graph: spread(told.graph) });
  remember();
});
part("stop").addEventListener("click", () => asking?.abort());
part("discard").addEventListener("click", () => {
  show(null);
  setText(part("standing"), "");
  remember();
});
part("keep").addEventListener("click", async () => {
  const headers = { ...JSON.parse(document.body.getAttribute("hx-headers") ?? "{}"), "X-Requested-With": "fetch" };
  const body = JSON.stringify({ graph: made.graph });
  const answer = await fetch(keeping, { method: "POST", headers, body }).catch(() => null);
  const told = (await answer?.json().catch(() => null)) ?? {};
  if (!answer?.ok) return fail(told.error ?? say("write_broken"));
  sessionStorage.removeItem(KEY);
  location.assign(told.address);
});
for (const example of /** @type {NodeListOf<HTMLElement>} */ (page.querySelectorAll("[data-example]"))) {
  example.addEventListener("click", () => {
    part("description").value = example.dataset.example ?? "";
    part("description").focus();
    remember();
  });
}
part("description").addEventListener("input", remember);
part("description").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) part("form").requestSubmit();
});

/** @param {boolean} on */
function busy(on) {
  part("go").hidden = on;
  part("stop").hidden = !on;
  if (on) fail("");
}

/** @param {string} words */
function fail(words) {
  part("failure").hidden = !words;
  setText(part("failure").querySelector("span"), words);
}

/** Laid out as on the canvas, where there is room for what stands between the steps. @param {any} graph */
function spread(graph) {
  const drawn = read(graph).graph;
  return written({ ...drawn, nodes: tidied(drawn.nodes, drawn.edges, drawn.meta.start) });
}

/** @param {any} told */
function show(told) {
  made = told;
  part("preview").hidden = !told;
  if (!told) return;
  setText(part("name"), told.graph.name || "");
  setText(part("about"), told.graph.description || "");
  const problems = told.problems ?? [];
  part("problems").replaceChildren(
    ...problems.map((/** @type {any} */ each) => {
      const line = document.createElement("li");
      line.textContent = each.text;
      return line;
    }),
  );
  setText(part("problem-count"), problems.length ? sayMany("write_problems", problems.length) : say("no_problems"));
  if (view) view.show(told.graph);
  else view = openView(part("canvas"), told.graph);
}

function remember() {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ description: part("description").value, made }));
  } catch {
    // There is no room: the page itself still holds it.
  }
}

const before = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
if (before) {
  part("description").value = before.description;
  if (before.made) show(before.made);
}
