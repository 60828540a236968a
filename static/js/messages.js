// Messages taken in a call that goes on, as templates/calls/_message.html draws those of before.
// @ts-check
import { phone, setText } from "./format.js";

const box = /** @type {HTMLElement} */ (document.querySelector("[data-messages]"));

/** One that is told again takes its own place.
 * @param {{ordinal: number, name: string, number: string, number_confirmed: boolean, words: string, complete: boolean, confirmed: boolean}} message */
export function addMessage({ ordinal, name, number, number_confirmed, words, complete, confirmed }) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("message-template"));
  const item = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
  /** @param {string} part @returns {HTMLElement} */
  const find = (part) => /** @type {HTMLElement} */ (item.querySelector(`[data-message-${part}]`));
  if (name) setText(find("name"), name);
  const link = /** @type {HTMLAnchorElement} */ (find("number"));
  link.href = `tel:${number}`;
  setText(link, phone(number));
  link.hidden = !number;
  find("no-number").hidden = Boolean(number);
  find("unconfirmed").hidden = !number || number_confirmed;
  setText(find("words"), words);
  find("words").hidden = !words;
  find("unchecked").hidden = confirmed || !complete;
  find("incomplete").hidden = complete;
  const list = /** @type {HTMLElement} */ (box.querySelector("ul"));
  item.dataset.ordinal = String(ordinal);
  const before = list.querySelector(`[data-ordinal="${ordinal}"]`);
  if (before) before.replaceWith(item);
  else list.append(item);
  box.hidden = false;
}
