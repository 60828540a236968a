// Buttons that put {{a_variable}} into a text, and show which of them it uses.
// @ts-check

const form = /** @type {HTMLFormElement} */ (document.getElementById("agent-form"));
const constants = /** @type {HTMLTextAreaElement} */ (form.querySelector("[name=constants]"));

for (const box of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-variables-for]"))) {
  const text = /** @type {HTMLTextAreaElement} */ (document.getElementById(box.dataset.variablesFor ?? ""));
  box.addEventListener("click", (event) => {
    const button = /** @type {HTMLElement} */ (event.target).closest("[data-variable]");
    if (button instanceof HTMLElement) insert(text, `{{${button.dataset.variable}}}`);
  });
  text.addEventListener("input", () => showUsed(box, text));
  constants.addEventListener("input", () => {
    showOwn(box);
    showUsed(box, text);
  });
  showOwn(box);
  showUsed(box, text);
}

/** @param {HTMLTextAreaElement} text @param {string} words */
function insert(text, words) {
  text.setRangeText(words, text.selectionStart, text.selectionEnd, "end");
  text.focus();
  text.dispatchEvent(new Event("input", { bubbles: true }));
}

/** A button for each line of one's own variables, after those that every agent knows. @param {HTMLElement} box */
function showOwn(box) {
  for (const button of box.querySelectorAll("[data-own]")) button.remove();
  const first = /** @type {HTMLElement} */ (box.querySelector("[data-variable]"));
  for (const line of constants.value.split("\n")) {
    const name = line.split("=")[0].trim();
    if (!/^[a-z][a-z0-9_]*$/.test(name) || !line.includes("=") || box.querySelector(`[data-variable=${name}]`)) continue;
    const button = /** @type {HTMLElement} */ (first.cloneNode(true));
    button.dataset.variable = name;
    button.dataset.own = "";
    /** @type {HTMLElement} */ (button.querySelector("code")).textContent = name;
    box.append(button);
  }
}

/** @param {HTMLElement} box @param {HTMLTextAreaElement} text */
function showUsed(box, text) {
  const used = new Set(Array.from(text.value.matchAll(/\{\{\s*([^{}]*?)\s*\}\}/g), (match) => match[1]));
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (box.querySelectorAll("[data-variable]"))) {
    /** @type {HTMLElement} */ (button.querySelector("[data-used]")).hidden = !used.has(button.dataset.variable ?? "");
  }
}
