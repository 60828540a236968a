// The tests of a flow, run one after the other; in the dialog that publishes, what waits for them waits.
// @ts-check
import { filled, setText } from "../format.js";

/** @param {HTMLElement} box @returns {HTMLElement[]} */
const rowsOf = (box) => [...box.querySelectorAll("[data-test]")].map((row) => /** @type {HTMLElement} */ (row));
/** @param {HTMLElement} box @param {string} selector @returns {any} */
const part = (box, selector) => box.querySelector(selector);

/** Boxes whose run is to stop after the test that is going on. @type {WeakSet<HTMLElement>} */
const stopped = new WeakSet();

/** @param {HTMLElement} box @param {(row: HTMLElement) => boolean} [wanted] */
async function runAll(box, wanted = () => true) {
  const places = rowsOf(box).flatMap((row, place) => (wanted(row) ? [place] : []));
  const bar = part(box, "progress");
  stopped.delete(box);
  showGoing(box, true);
  bar.max = places.length;
  bar.value = 0;
  for (const place of places) {
    if (stopped.has(box) || !box.isConnected || !(await runOne(box, rowsOf(box)[place]))) break;
    bar.value += 1;
  }
  showGoing(box, false);
  tell(box);
}

/** @param {HTMLElement} box @param {HTMLElement} row @returns {Promise<boolean>} whether the server answered */
function runOne(box, row) {
  const button = part(row, "[data-run-test]");
  setText(part(row, "[data-standing-words]"), box.dataset.running ?? "");
  return new Promise((resolve) => {
    const done = (/** @type {any} */ event) => {
      if (event.detail.requestConfig.elt !== button) return; // the button itself is replaced by now
      document.removeEventListener("htmx:afterRequest", done);
      resolve(event.detail.successful);
    };
    document.addEventListener("htmx:afterRequest", done);
    button.click();
  });
}

/** @param {HTMLElement} box @param {boolean} going */
function showGoing(box, going) {
  part(box, "progress").hidden = !going;
  part(box, "[data-stop-tests]").hidden = !going;
  part(box, "[data-run-tests]").hidden = going;
}

/** How many passed, and whether what waits for all of them may go on. @param {HTMLElement} box */
function tell(box) {
  const standings = rowsOf(box).map((row) => row.dataset.standing);
  const passed = standings.filter((each) => each === "passed").length;
  const failed = standings.filter((each) => each === "failed").length;
  setText(part(box, "[data-tests-told]"), filled(box.dataset.told ?? "", { passed, failed, open: standings.length - passed - failed }));
  const waits = /** @type {HTMLButtonElement | null | undefined} */ (box.closest("form")?.querySelector("[data-needs-tests]"));
  if (waits) waits.disabled = passed < standings.length;
}

/** @param {Event} event @returns {HTMLElement | null} */
const boxOf = (event) => /** @type {HTMLElement} */ (event.target).closest?.("[data-tests]");

document.addEventListener("click", (event) => {
  const box = boxOf(event);
  const target = /** @type {HTMLElement} */ (event.target);
  if (box && target.closest("[data-run-tests]")) runAll(box);
  if (box && target.closest("[data-stop-tests]")) stopped.add(box);
});
document.addEventListener("htmx:load", (event) => {
  const box = boxOf(event) ?? /** @type {HTMLElement} */ (event.target).querySelector?.("[data-tests]");
  if (!box) return;
  tell(box);
  if (!box.hasAttribute("data-run-now")) return;
  box.removeAttribute("data-run-now");
  runAll(box, (row) => row.dataset.standing !== "passed");
});
document.addEventListener("change", (event) => {
  const field = /** @type {HTMLInputElement} */ (event.target);
  if (field.matches("[data-send-changed]")) field.form?.requestSubmit();
});
