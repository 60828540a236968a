// Choosing from a long list by typing:
//
//   <select data-pick data-search="Search countries" data-none="No country matches" data-remove="Remove {name}" multiple>
//
// becomes a field that searches its options by their words, by their value (DE) and without accents; with `multiple`
// what is chosen stands before it and can be taken off. The select stays what is sent, and is told "input".
// @ts-check
import { filled, setText } from "./format.js";

for (const select of document.querySelectorAll("select[data-pick]")) begin(/** @type {HTMLSelectElement} */ (select));

/** @param {string} tag @param {Record<string, string>} attributes */
function made(tag, attributes) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** @param {string} words */
const plain = (words) => words.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** Lower is better; none where the option does not match. @param {HTMLOptionElement} option @param {string} asked */
function rank(option, asked) {
  const text = plain(option.text);
  if (option.value.toLowerCase() === asked) return 0;
  if (text.startsWith(asked)) return 1;
  if (text.split(/[\s(]+/).some((word) => word.startsWith(asked) || word === `+${asked}`)) return 2;
  return asked.length > 2 && text.includes(asked) ? 3 : undefined;
}

/** @param {HTMLSelectElement} select */
function begin(select) {
  const { id } = select;
  const box = made("div", { class: "vf-picker" });
  const chips = made("div", { class: "vf-chips" });
  const input = /** @type {HTMLInputElement} */ (
    made("input", {
      class: "vf-input", id, role: "combobox", autocomplete: "off", spellcheck: "false", type: "text",
      "aria-expanded": "false", "aria-autocomplete": "list", "aria-controls": `${id}-list`,
    })
  ); // prettier-ignore
  const list = made("div", { class: "vf-picker-list", role: "listbox", id: `${id}-list`, hidden: "" });
  const label = select.labels?.[0];
  if (label) {
    label.id ||= `${id}-label`;
    list.setAttribute("aria-labelledby", label.id);
  }
  for (const name of ["aria-describedby", "aria-invalid"]) {
    const value = select.getAttribute(name);
    if (value) input.setAttribute(name, value);
    select.removeAttribute(name);
  }
  input.placeholder = select.dataset.search ?? "";
  input.disabled = select.matches(":disabled");
  select.id = `${id}-select`;
  select.hidden = true;
  select.before(box);
  if (select.multiple) box.append(chips);
  box.append(input, list);

  const chosen = () => [...select.selectedOptions].filter((option) => option.value);
  const shown = () => /** @type {HTMLElement[]} */ ([...list.querySelectorAll("[role=option]")]);
  const active = () => shown().find((each) => each.id === input.getAttribute("aria-activedescendant"));

  function draw() {
    if (!select.multiple) input.value = chosen()[0]?.text ?? "";
    chips.replaceChildren(...chosen().map(chip));
  }

  /** @param {HTMLOptionElement} option */
  function chip(option) {
    const place = made("span", { class: "vf-chip" });
    const name = made("span", {});
    setText(name, option.text);
    place.append(name);
    if (input.disabled) {
      place.classList.add("vf-chip-fixed");
      return place;
    }
    const off = made("button", { type: "button", "aria-label": filled(select.dataset.remove ?? "", { name: option.text }) });
    setText(off, "×");
    off.addEventListener("click", () => {
      choose(option, false);
      input.focus();
    });
    place.append(off);
    return place;
  }

  /** @param {HTMLOptionElement} option */
  function choose(option, on = true) {
    option.selected = on;
    if (select.multiple) input.value = "";
    draw();
    select.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function open() {
    const asked = plain(input.value.trim());
    const all = [...select.options].filter((option) => option.value && !(select.multiple && option.selected));
    const untouched = !select.multiple && asked === plain(chosen()[0]?.text ?? "");
    const found = all
      .map((option) => ({ option, rank: asked && !untouched ? rank(option, asked) : 1 }))
      .filter((each) => each.rank !== undefined)
      .sort((one, other) => Number(one.rank) - Number(other.rank));
    const rows = found.map(({ option }) => {
      const row = made("div", { role: "option", id: `${id}-${option.value}`, "aria-selected": String(option.selected) });
      setText(row, option.text);
      row.addEventListener("click", () => {
        choose(option);
        close();
      });
      return row;
    });
    const none = made("p", { class: "vf-help" });
    setText(none, select.dataset.none ?? "");
    list.replaceChildren(...(rows.length ? rows : [none]));
    list.hidden = false;
    input.ariaExpanded = "true";
    point(rows.find((row) => row.ariaSelected === "true") ?? (asked ? rows[0] : undefined));
  }

  function close() {
    list.hidden = true;
    input.ariaExpanded = "false";
    point(undefined);
  }

  /** @param {HTMLElement | undefined} row */
  function point(row) {
    for (const each of shown()) each.classList.toggle("vf-at", each === row);
    if (row) input.setAttribute("aria-activedescendant", row.id);
    else input.removeAttribute("aria-activedescendant");
    row?.scrollIntoView({ block: "nearest" });
  }

  /** @param {number} step */
  function move(step) {
    if (list.hidden) return open();
    const rows = shown();
    const at = rows.findIndex((row) => row === active());
    point(rows[at < 0 && step < 0 ? rows.length - 1 : Math.max(0, Math.min(rows.length - 1, at + step))]);
  }

  input.addEventListener("input", (event) => {
    event.stopPropagation(); // words that are searched for change no form
    open();
  });
  input.addEventListener("click", open);
  input.addEventListener("focus", () => input.select());
  input.addEventListener("blur", () => {
    close();
    if (select.multiple) input.value = "";
    draw();
  });
  for (const place of [list, chips]) place.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") move(event.key === "ArrowDown" ? 1 : -1);
    else if (event.key === "Enter" && !list.hidden) active()?.click();
    else if (event.key === "Escape" && !list.hidden) close();
    else if (event.key === "Backspace" && select.multiple && !input.value && chosen().length) {
      choose(/** @type {HTMLOptionElement} */ (chosen().at(-1)), false);
      return;
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  select.addEventListener("change", draw);
  draw();
}
