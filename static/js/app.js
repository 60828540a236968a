// The shell on every page: theme, drawer, ticking clocks, and the mechanisms that pages use, each described at
// the head of its module: palette, shortcuts, ask, toasts, forms, bulk, failure.
// @ts-check
import { clearFailure, showFailure } from "./failure.js";
import "./ask.js";
import "./figures.js";
import { typed } from "./forms.js";
import { clock, setText } from "./format.js";
import "./livecount.js";
import { openPalette } from "./palette.js";
import { press, showShortcuts } from "./shortcuts.js";

const LOAD_AGAIN_MS = 3000;
const root = document.documentElement;

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
  shortcuts: showShortcuts,
  "sign-out"() {
    /** @type {HTMLFormElement} */ (document.querySelector("[data-sign-out]")).requestSubmit();
  },
};

// A list that is searched answers what is typed as it is typed. The search field's own "change", which comes
// as it is left for a button of the list, would only fetch the list once more, under that button's feet.
document.addEventListener(
  "change",
  (event) => {
    if (/** @type {HTMLElement} */ (event.target).matches("[type=search]")) event.stopPropagation();
  },
  { capture: true },
);

/** data-act names what a button does; data-copy holds what it puts on the clipboard, data-copy-field names the
 * field that does; data-copied says so. */
document.addEventListener("click", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  const name = target.closest("[data-act]")?.getAttribute("data-act");
  if (name) acts[name]();
  const button = /** @type {HTMLElement | null} */ (target.closest("[data-copy], [data-copy-field]"));
  if (button) copy(button);
});

/** @param {HTMLElement} button */
async function copy(button) {
  const field = /** @type {HTMLInputElement | null} */ (document.getElementById(button.dataset.copyField ?? ""));
  field?.select(); // where the browser gives no clipboard (plain http), a key press copies it
  const done = await navigator.clipboard?.writeText(field?.value ?? button.dataset.copy ?? "").then(
    () => true,
    () => false,
  );
  if (done && button.dataset.copied) setText(button.querySelector("span") ?? button, button.dataset.copied);
}

const TYPING = "input:not([type=radio], [type=checkbox]), textarea, select, dialog[open], [contenteditable]";

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
  const typing = /** @type {HTMLElement} */ (event.target).closest(TYPING);
  if (typing || event.metaKey || event.ctrlKey || event.altKey) return;
  press(event);
});

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

/** A list that is asked for anew shows bars in place of its rows (components/data.css). */
for (const name of ["htmx:beforeRequest", "htmx:afterRequest"]) {
  document.addEventListener(name, (event) => {
    const { target } = /** @type {CustomEvent} */ (event).detail;
    if (target?.matches(".vf-results")) target.ariaBusy = String(name === "htmx:beforeRequest");
  });
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let loadAgain;
document.addEventListener("htmx:sendError", () => {
  document.body.classList.add("vf-unreachable");
  clearTimeout(loadAgain);
  loadAgain = setTimeout(() => document.body.dispatchEvent(new Event("load-again")), LOAD_AGAIN_MS);
});
document.addEventListener("htmx:afterOnLoad", () => document.body.classList.remove("vf-unreachable"));
document.addEventListener("htmx:afterRequest", (event) => {
  if (/** @type {CustomEvent} */ (event).detail.successful) clearFailure();
});
document.addEventListener("htmx:responseError", (event) => {
  const { status } = /** @type {CustomEvent} */ (event).detail.xhr;
  showFailure(status, typed());
});
