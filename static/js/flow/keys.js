// Keys of the editor. None works while one types or a dialog is open.
// @ts-check
import { data, mayChange, mayTry } from "./page.js";

const TYPING = "input:not([type=checkbox]), textarea, select, [contenteditable]";

/** @param {any} acts @returns {() => void} that takes them away again */
export function listen(acts) {
  const off = new AbortController();
  const on = (/** @type {string} */ name, /** @type {(event: any) => void} */ act) => document.addEventListener(name, act, { signal: off.signal });
  on("keydown", (event) => {
    if (document.querySelector("dialog[open]")) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.key === "Escape" && !target.closest(".vf-flow-find, [data-flow-menu]")) acts.close();
    else if (!target.closest(TYPING)) press(event, acts);
  });
  on("copy", (event) => put(event, acts.copy()));
  on("cut", (event) => put(event, mayChange ? acts.copy() : "") && acts.remove());
  on("paste", (event) => {
    if (mayChange && isFree(event) && acts.paste(event.clipboardData.getData("text/plain"))) event.preventDefault();
  });
  return () => off.abort();
}

/** @param {ClipboardEvent} event */
const isFree = (event) => !(/** @type {HTMLElement} */ (event.target).closest?.(`${TYPING}, dialog[open]`)) && !String(getSelection());

/** @param {ClipboardEvent} event @param {string} text */
function put(event, text) {
  if (!text || !isFree(event)) return false;
  event.clipboardData?.setData("text/plain", text);
  event.preventDefault();
  return true;
}

/** @param {KeyboardEvent} event @param {any} acts */
function press(event, acts) {
  const target = /** @type {HTMLElement} */ (event.target);
  const key = event.key.toLowerCase();
  if (event.metaKey || event.ctrlKey) {
    const chords = { z: event.shiftKey ? acts.redo : acts.undo, y: acts.redo, d: acts.duplicate };
    const act = key === "a" ? acts.selectAll : mayChange ? chords[/** @type {keyof typeof chords} */ (key)] : null;
    if (!act) return;
    event.preventDefault();
    act();
  } else if (event.altKey) return;
  else if (mayChange && (key === "delete" || key === "backspace")) acts.removeAt(target.closest(".react-flow__node, .react-flow__edge"));
  else if (key === "enter" && target.closest(".react-flow__node, .react-flow__edge")) acts.enter();
  else if (mayTry && key === "t") {
    event.preventDefault();
    acts.show("try");
    acts.enter();
  } else if (mayChange && /^[1-9]$/.test(key)) acts.add(data.kinds[Number(key) - 1].type);
}
