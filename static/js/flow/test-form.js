// The form of a test: rows that are added, moved and removed.
// @ts-check

const form = /** @type {HTMLFormElement} */ (document.getElementById("test-form"));
const FRESH = ["id", "name", "for", "aria-describedby"];

/** @param {HTMLElement} section */
function add(section) {
  const total = /** @type {HTMLInputElement} */ (section.querySelector("[name$=-TOTAL_FORMS]"));
  const template = /** @type {HTMLTemplateElement} */ (section.querySelector("template"));
  const row = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
  for (const element of [row, ...row.querySelectorAll("*")]) {
    for (const attribute of FRESH) {
      const value = element.getAttribute(attribute);
      if (value) element.setAttribute(attribute, value.replace("__prefix__", total.value));
    }
  }
  total.value = String(Number(total.value) + 1);
  section.querySelector("[data-row-list]")?.append(row);
  /** @type {HTMLElement} */ (row.querySelector("[name$=-words], [name$=-name]")).focus();
}

/** It stays, hidden and marked, so that the others keep their numbers. @param {HTMLElement} row */
function remove(row) {
  const mark = /** @type {HTMLInputElement} */ (row.querySelector("[name$=-DELETE]"));
  const next = neighbour(row, 1) ?? neighbour(row, -1);
  mark.checked = true;
  row.hidden = true;
  const focused = next?.querySelector("[data-remove-row]") ?? row.closest("[data-rows]")?.querySelector("[data-add-row]");
  /** @type {HTMLElement} */ (focused).focus();
}

/** The next row that is shown, down (1) or up (-1). @param {HTMLElement} row @param {1 | -1} step */
function neighbour(row, step) {
  let next = row;
  do next = /** @type {HTMLElement} */ (step > 0 ? next.nextElementSibling : next.previousElementSibling);
  while (next?.hidden);
  return next;
}

/** @param {HTMLElement} row @param {1 | -1} step @param {HTMLElement} button */
function move(row, step, button) {
  const next = neighbour(row, step);
  if (!next) return;
  if (step > 0) next.after(row);
  else next.before(row);
  button.focus();
}

/** The order of the rows as one sees it, and whether a turn has words at all. */
function settle() {
  form.querySelectorAll("[name$=-ORDER]").forEach((field, place) => {
    /** @type {HTMLInputElement} */ (field).value = String(place + 1);
  });
  for (const does of /** @type {NodeListOf<HTMLSelectElement>} */ (form.querySelectorAll("[name$=-does]"))) {
    const words = /** @type {HTMLElement} */ (does.closest("[data-row-item]")?.querySelector(".vf-turn-words"));
    words.classList.toggle("vf-turn-wordless", !["say", "keys"].includes(does.value));
  }
}

form.addEventListener("click", (event) => {
  const button = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (event.target).closest("button[type=button]"));
  const row = /** @type {HTMLElement | null} */ (button?.closest("[data-row-item]"));
  const section = /** @type {HTMLElement | null} */ (button?.closest("[data-rows]"));
  if (!button || !section) return;
  if (button.matches("[data-add-row]")) add(section);
  if (row && button.matches("[data-remove-row]")) remove(row);
  if (row && button.matches("[data-move-up]")) move(row, -1, button);
  if (row && button.matches("[data-move-down]")) move(row, 1, button);
  form.dispatchEvent(new Event("input", { bubbles: true }));
});
form.addEventListener("input", settle);
settle();
