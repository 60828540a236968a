// Service status: every service asked at once, each with its own answer; the hours of a week under the pointer
// or the arrow keys.
// @ts-check
import { setText } from "./format.js";

const CHECKS = "form[data-check]";
const all = /** @type {HTMLButtonElement | null} */ (document.querySelector("[data-check-all]"));

/** @type {Set<string>} services that are being asked, by the id of their row */
const asking = new Set();

if (all) {
  all.hidden = false;
  all.addEventListener("click", () => {
    for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (document.querySelectorAll(CHECKS))) {
      form.requestSubmit();
    }
  });
}

/** @param {Event} event @returns {HTMLElement | null} the row that a request asks about */
function rowOf(event) {
  const { elt } = /** @type {CustomEvent} */ (event).detail;
  return elt.matches?.(CHECKS) ? elt.closest(".vf-svc") : null;
}

document.addEventListener("htmx:beforeRequest", (event) => {
  const row = rowOf(event);
  if (row) {
    asking.add(row.id);
    all?.setAttribute("data-pending", "");
  } else if (asking.size && /** @type {CustomEvent} */ (event).detail.elt.id === "status") {
    event.preventDefault(); // or it would take the rows away that wait for their answers
  }
});

document.addEventListener("htmx:afterRequest", (event) => {
  // The row that asked may be gone: its answer stands in its place.
  const { requestConfig, target } = /** @type {CustomEvent} */ (event).detail;
  if (!requestConfig.elt.matches?.(CHECKS) || !asking.delete(target.id) || asking.size) return;
  all?.removeAttribute("data-pending");
  document.getElementById("status")?.dispatchEvent(new Event("refresh"));
});

// A page that is asked for anew keeps what is open, and the hour that is looked at.

/** @type {string[]} */
let open = [];
document.addEventListener("htmx:beforeSwap", () => {
  open = Array.from(document.querySelectorAll("details[data-keep][open]"), (each) => each.getAttribute("data-keep") ?? "");
});
document.addEventListener("htmx:afterSettle", () => {
  for (const key of open) document.querySelector(`details[data-keep="${key}"]`)?.setAttribute("open", "");
  const week = /** @type {HTMLElement | null} */ (document.activeElement?.closest("[data-week]") ?? null);
  if (week && looked) show(week, looked.hour);
});

/** @type {{hour: number} | null} of the week that has the focus */
let looked = null;

/** @param {HTMLElement} week @returns {{since: number, hours: [number, number, number, number][]}} */
function dataOf(week) {
  return JSON.parse(week.querySelector("script")?.textContent ?? "{}");
}

/** @param {HTMLElement} week @param {number} number the hour, from 0 */
function show(week, number) {
  const { since, hours } = dataOf(week);
  const hour = Math.min(hours.length - 1, Math.max(0, number));
  const [passed, warned, failed, ms] = hours[hour];
  const count = passed + warned + failed;
  const pattern = (!count ? week.dataset.none : failed ? week.dataset.fails : week.dataset.words) ?? "";
  const told = { passed, failed, all: count, time: ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(2)} s` };
  const words = `${when(week, since + hour * 3600)}: ${pattern.replace(/\{(\w+)\}/g, (_, name) => told[name])}`;
  const says = /** @type {HTMLElement} */ (week.querySelector("[data-week-says]"));
  says.dataset.atRest ??= says.textContent ?? "";
  setText(says, words);
  week.setAttribute("aria-valuenow", String(hour));
  week.setAttribute("aria-valuetext", words);
  const mark = /** @type {HTMLElement} */ (week.querySelector(".vf-week-mark"));
  mark.hidden = false;
  mark.style.left = `${(100 * (hour + 0.5)) / hours.length}%`;
  week.dataset.looked = "";
}

/** @param {HTMLElement} week */
function rest(week) {
  if (!("looked" in week.dataset)) return;
  const says = /** @type {HTMLElement} */ (week.querySelector("[data-week-says]"));
  setText(says, says.dataset.atRest ?? "");
  /** @type {HTMLElement} */ (week.querySelector(".vf-week-mark")).hidden = true;
  delete week.dataset.looked;
}

/** @param {HTMLElement} week @param {number} seconds */
function when(week, seconds) {
  const options = /** @type {const} */ ({ weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const zone = week.dataset.zone;
  return new Intl.DateTimeFormat(week.dataset.language, { ...options, timeZone: zone }).format(seconds * 1000);
}

/** @param {Event} event @returns {HTMLElement | null} */
function weekOf(event) {
  return /** @type {HTMLElement} */ (event.target).closest?.("[data-week]") ?? null;
}

document.addEventListener("pointermove", (event) => {
  const week = weekOf(event);
  if (!week) return;
  const { left, width } = week.getBoundingClientRect();
  show(week, Math.floor(((event.clientX - left) / width) * dataOf(week).hours.length));
});
document.addEventListener("pointerout", (event) => {
  const week = weekOf(event);
  const to = /** @type {Node | null} */ (event.relatedTarget);
  if (week && !week.contains(to) && document.activeElement !== week) rest(week);
});
document.addEventListener("focusin", (event) => {
  const week = weekOf(event);
  looked = week && { hour: Number(week.getAttribute("aria-valuenow")) };
  if (week && looked) show(week, looked.hour);
});
document.addEventListener("focusout", (event) => {
  const week = weekOf(event);
  if (week) rest(week);
});

const STEPS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -24, PageUp: 24, Home: -1e3, End: 1e3 };
document.addEventListener("keydown", (event) => {
  const week = weekOf(event);
  const step = STEPS[event.key];
  if (!week || !step) return;
  event.preventDefault();
  const hour = Math.min(167, Math.max(0, Number(week.getAttribute("aria-valuenow")) + step));
  looked = { hour };
  show(week, hour);
});
