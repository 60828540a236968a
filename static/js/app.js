// The shell on every page: theme, drawer, palette, shortcuts, ticking clocks, toasts.
// @ts-check
import { clearFailure, showFailure } from "./failure.js";
import { clock, setText } from "./format.js";
import "./livecount.js";

const root = document.documentElement;
const palette = /** @type {HTMLDialogElement | null} */ (document.querySelector("#palette"));
const shortcuts = /** @type {HTMLDialogElement | null} */ (document.querySelector("#shortcuts"));

const acts = {
  theme() {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    localStorage.theme = root.dataset.theme;
    dispatchEvent(new Event("themechange"));
  },
  nav() {
    const open = document.body.classList.toggle("vf-nav-open");
    document.querySelector(".vf-menu")?.setAttribute("aria-expanded", String(open));
    if (open) /** @type {HTMLElement} */ (document.querySelector("#sidebar a")).focus();
  },
  palette: openPalette,
};

document.addEventListener("click", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  const name = target.closest("[data-act]")?.getAttribute("data-act");
  if (name) acts[name]();
  // A click on the backdrop hits the dialog itself.
  if (target === palette || target === shortcuts) /** @type {HTMLDialogElement} */ (target).close();
});

function openPalette() {
  if (!palette || palette.open) return;
  palette.showModal();
  const input = /** @type {HTMLInputElement} */ (palette.querySelector("input"));
  input.value = "";
  filterPalette();
  input.focus();
  const known = palette.querySelector('[id^="palette-agent-"]'); // until they have come once
  if (!known) palette.querySelector("[hx-trigger]")?.dispatchEvent(new Event("palette-opened"));
}

/** @returns {HTMLElement[]} */
const options = () => Array.from(palette?.querySelectorAll("[role=option]") ?? []);
const visible = () => options().filter((option) => !option.hidden);

function filterPalette() {
  const words = /** @type {HTMLInputElement} */ (palette?.querySelector("input")).value.trim().toLowerCase();
  for (const option of options()) option.hidden = !option.textContent?.toLowerCase().includes(words);
  /** @type {HTMLElement} */ (palette?.querySelector(".vf-palette-none")).hidden = visible().length > 0;
  select(visible()[0]);
}

/** @param {HTMLElement | undefined} chosen */
function select(chosen) {
  for (const option of options()) option.ariaSelected = String(option === chosen);
  palette?.querySelector("input")?.setAttribute("aria-activedescendant", chosen?.id ?? "");
  chosen?.scrollIntoView({ block: "nearest" });
}

palette?.addEventListener("input", filterPalette);
palette?.addEventListener("htmx:afterSettle", () => {
  const chosen = visible().find((option) => option.ariaSelected === "true");
  filterPalette();
  if (chosen) select(chosen); // the agents come after the pages, and must not take the choice back
});
palette?.addEventListener("keydown", (event) => {
  const shown = visible();
  const index = shown.findIndex((option) => option.ariaSelected === "true");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    select(shown[(index + (event.key === "ArrowDown" ? 1 : -1) + shown.length) % shown.length]);
  } else if (event.key === "Enter") {
    event.preventDefault();
    shown[index]?.querySelector("a")?.click();
  }
});

const GO_WITHIN_MS = 900;
let wentAt = -Infinity;

document.addEventListener("keydown", (event) => {
  if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
    return;
  }
  if (event.key === "Escape" && document.body.classList.contains("vf-nav-open")) {
    acts.nav();
    /** @type {HTMLElement | null} */ (document.querySelector(".vf-menu"))?.focus();
    return;
  }
  const target = /** @type {HTMLElement} */ (event.target);
  const typing = target.closest("input:not([type=radio], [type=checkbox]), textarea, select, dialog, [contenteditable]");
  if (typing || event.metaKey || event.ctrlKey || event.altKey) return;
  press(event);
});

/** @param {KeyboardEvent} event */
function press(event) {
  const going = performance.now() - wentAt < GO_WITHIN_MS;
  const link = going && document.querySelector(`.vf-side [data-key="${CSS.escape(event.key)}"]`);
  if (link) /** @type {HTMLElement} */ (link).click();
  else if (event.key === "/") {
    const search = /** @type {HTMLElement | null} */ (document.querySelector("[data-search]"));
    if (search) event.preventDefault();
    search?.focus();
  } else if (event.key === "n") /** @type {HTMLElement | null} */ (document.querySelector("[data-new]"))?.click();
  else if (event.key === "?") shortcuts?.showModal();
  else if (event.key === "g") wentAt = performance.now();
}

/** A part that is fetched again and again tells screen readers only what has changed. */
document.addEventListener("htmx:afterSwap", (event) => {
  const part = /** @type {HTMLElement} */ (event.target);
  const words = part.querySelector("[data-told]")?.textContent ?? "";
  if (part.dataset.toldIn) setText(document.getElementById(part.dataset.toldIn), words);
});

/** One clock for all: the server sends only when something began. */
function tick() {
  const now = Date.now() / 1000;
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("time[data-start]"))) {
    const text = element.dataset.start ? clock(now - Number(element.dataset.start)) : "";
    if (element.textContent !== text) element.textContent = text;
  }
}
tick();
setInterval(tick, 500);

const TOAST_MS = 4000;
const UNDO_MS = 12000; // time to reach its button, which holds it open while it has the focus or the mouse
for (const toast of document.querySelectorAll("[data-toast]")) {
  const leave = () => (toast.matches(":hover, :focus-within") ? setTimeout(leave, TOAST_MS) : toast.remove());
  setTimeout(leave, toast.querySelector("button") ? UNDO_MS : TOAST_MS);
}

document.addEventListener("htmx:sendError", () => document.body.classList.add("vf-unreachable"));
document.addEventListener("htmx:afterOnLoad", () => document.body.classList.remove("vf-unreachable"));
document.addEventListener("htmx:afterRequest", (event) => {
  if (/** @type {CustomEvent} */ (event).detail.successful) clearFailure();
});
document.addEventListener("htmx:responseError", (event) => {
  showFailure(/** @type {CustomEvent} */ (event).detail.xhr.status);
});
