// How many calls go where: figures at steps and connections, the wider the more. The table below tells the same.
// @ts-check
import { told } from "./page.js";
import { openView } from "./view.js";

const element = /** @type {HTMLElement} */ (document.getElementById("traffic"));
openView(element, told.graph, { onNode: goToRow }).lights.show(Object.entries(told.traffic));

/** @param {string} id */
function goToRow(id) {
  const row = document.querySelector(`[data-step="${CSS.escape(id)}"]`);
  row?.scrollIntoView({ block: "center", behavior: "smooth" });
  for (const each of document.querySelectorAll("tr[data-step]")) each.toggleAttribute("data-shown", each === row);
}
