// The form of an agent: rows of facts, settings that depend on others.
// @ts-check
import "./archive.js";
import "./eagerness.js";
import "./speak.js";
import "./variables.js";

const form = /** @type {HTMLFormElement} */ (document.getElementById("agent-form"));
const rows = /** @type {HTMLElement} */ (form.querySelector("[data-fact-rows]"));
const total = /** @type {HTMLInputElement} */ (form.querySelector("[name=facts-TOTAL_FORMS]"));

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
  total.dispatchEvent(new Event("input", { bubbles: true }));
}

/** A row that is removed stays, so that it can be kept after all and the others keep their numbers.
 * @param {HTMLElement} row @param {boolean} removed */
function removeFact(row, removed) {
  const mark = /** @type {HTMLInputElement} */ (row.querySelector("[name$=-DELETE]"));
  const fields = /** @type {HTMLDetailsElement} */ (row.querySelector("details"));
  mark.checked = removed;
  fields.hidden = removed;
  /** @type {HTMLElement} */ (row.querySelector("[data-fact-removed]")).hidden = !removed;
  mark.dispatchEvent(new Event("input", { bubbles: true }));
  /** @type {HTMLElement} */ (row.querySelector(removed ? "[data-keep-fact]" : "summary")).focus();
}

form.addEventListener("click", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (target.closest("[data-add-fact]")) addFact();
  const pressed = target.closest("[data-remove-fact], [data-keep-fact]");
  const row = /** @type {HTMLElement | undefined} */ (pressed?.closest("[data-fact]"));
  if (row) removeFact(row, Boolean(pressed?.matches("[data-remove-fact]")));
});

/** What a setting needs stands under it, and nothing else but what has to be corrected. */
function showNeeded() {
  const value = (/** @type {string} */ name) => /** @type {RadioNodeList} */ (form.elements.namedItem(name)).value;
  const record = /** @type {HTMLInputElement} */ (form.elements.namedItem("record"));
  const rate = /** @type {HTMLInputElement} */ (form.elements.namedItem("speaking_rate"));
  show(part("[data-needs-model]"), value("chat_model") !== "");
  show(part("[data-needs-record]"), record.checked);
  show(part("[data-needs-failure=transfer]"), value("on_failure") === "transfer");
  show(part("[data-needs-failure=sentence]"), value("on_failure") === "sentence");
  showVoices(value("language"));
  part("[data-rate-shown]").textContent = `${Number(rate.value)}×`;
}
/** @param {HTMLElement} box @param {boolean} needed */
function show(box, needed) {
  box.hidden = !needed && !box.querySelector("[aria-invalid=true]");
}
/** Voices that speak the agent's language, and the one that is chosen. @param {string} language */
function showVoices(language) {
  for (const group of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-voice-languages]"))) {
    const spoken = group.dataset.voiceLanguages?.split(" ").filter(Boolean) ?? [];
    const fits = !spoken.length || spoken.includes(language.split("-")[0]);
    group.hidden = !fits && !group.querySelector(":checked");
  }
}
/** @param {string} selector */
function part(selector) {
  return /** @type {HTMLElement} */ (form.querySelector(selector));
}
form.addEventListener("input", showNeeded);
showNeeded();
showChosenVoice();

/** In a long list, where it may lie far down; the page itself stays where it is. */
function showChosenVoice() {
  const list = part("[data-voice-groups]");
  const row = list.querySelector(":checked")?.closest(".vf-voice");
  if (row) list.scrollTop = row.getBoundingClientRect().top - list.getBoundingClientRect().top - list.clientHeight / 2;
}

/** The lines that stand for a closed or removed fact follow what is typed into it. */
rows.addEventListener("input", (event) => {
  const field = /** @type {HTMLInputElement} */ (event.target);
  if (!field.name.endsWith("-topic")) return;
  for (const shown of field.closest("[data-fact]")?.querySelectorAll("summary > b, [data-fact-removed] b") ?? []) {
    shown.textContent = field.value;
  }
});
