// The form of an agent: rows of facts, settings that depend on others, a guard for unsaved changes.
// @ts-check

const form = /** @type {HTMLFormElement} */ (document.getElementById("agent-form"));
const rows = /** @type {HTMLElement} */ (form.querySelector("[data-fact-rows]"));
const total = /** @type {HTMLInputElement} */ (form.querySelector("[name=facts-TOTAL_FORMS]"));

let dirty = form.hasAttribute("data-dirty");
form.addEventListener("input", () => (dirty = true));
form.addEventListener("submit", () => (dirty = false));
addEventListener("beforeunload", (event) => {
  if (dirty) event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  if ((event.metaKey || event.ctrlKey) && event.key === "s") {
    event.preventDefault();
    form.requestSubmit();
  }
});
/** @type {HTMLElement | null} */ (form.querySelector("[aria-invalid=true]"))?.focus();

function addFact() {
  const template = /** @type {HTMLTemplateElement} */ (form.querySelector("[data-fact-template]"));
  const row = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
  const number = total.value;
  total.value = String(Number(number) + 1);
  for (const element of [row, ...row.querySelectorAll("*")]) {
    for (const attribute of ["id", "name", "for", "aria-describedby"]) {
      const value = element.getAttribute(attribute);
      if (value) element.setAttribute(attribute, value.replace("__prefix__", number));
    }
  }
  rows.append(row);
  row.querySelector("input")?.focus();
  dirty = true;
}

/** A row is hidden and marked, not taken out, so that the others keep their numbers.
 * @param {HTMLElement} row */
function removeFact(row) {
  const mark = /** @type {HTMLInputElement} */ (row.querySelector("[name$=-DELETE]"));
  mark.checked = true;
  row.hidden = true;
  dirty = true;
  /** @type {HTMLElement} */ (form.querySelector("[data-add-fact]")).focus();
}

form.addEventListener("click", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (target.closest("[data-add-fact]")) addFact();
  const removed = target.closest("[data-remove-fact]")?.closest("[data-fact]");
  if (removed) removeFact(/** @type {HTMLElement} */ (removed));
});

const model = /** @type {HTMLSelectElement} */ (form.querySelector("[name=chat_model]"));
function showModelSettings() {
  /** @type {HTMLElement} */ (form.querySelector("[data-needs-model]")).hidden = !model.value;
}
model.addEventListener("change", showModelSettings);
showModelSettings();

/** The line that stands for a closed fact follows what is typed into it. */
rows.addEventListener("input", (event) => {
  const field = /** @type {HTMLInputElement} */ (event.target);
  const summary = field.closest("[data-fact]")?.querySelector("summary");
  if (field.name.endsWith("-topic")) /** @type {Element} */ (summary?.querySelector("b")).textContent = field.value;
});
