// What every form of the shell can ask for:
//
//   <form method="post">                       before it is sent it looks whether one still may, and keeps the page
//                                              with what was typed if not.
//   <form method="post" data-guard>            asks before changes are left unsaved; Ctrl S saves.
//                                              data-dirty: changed already, as after a refused submit.
//   <form ... data-validate="/agents/new/">    is posted to that address with ?validate=<field> when a changed
//                                              field is left or has rested; the answer of
//                                              mlservices/pages/fields.py is shown as after a submit.
//
// Fields are drawn by partials/_field.html. After a refused submit the focus goes to the first bad field;
// partials/_error_summary.html names them all. A script that changes a form sends it an "input" event.
// @ts-check
import { askToLeave, sendAgreed } from "./ask.js";
import { askSession, clearFailure, showFailure } from "./failure.js";
import { setText } from "./format.js";

const REST_MS = 900; // of a field that is being typed into, before it is judged
const MENDED_MS = 250; // of a field that is marked as bad, before it is looked at again

/** @returns {HTMLFormElement[]} */
const guarded = () => Array.from(document.querySelectorAll("form[data-guard]"));

/** What each guarded form held when it came. @type {WeakMap<HTMLFormElement, string>} */
const before = new WeakMap();
/** Forms on their way to the server, or given up. @type {WeakSet<HTMLFormElement>} */
const released = new WeakSet();

/** @param {HTMLFormElement} form */
function held(form) {
  const parts = [...new FormData(form)].filter(([name]) => name !== "csrfmiddlewaretoken");
  return JSON.stringify(parts.map(([name, value]) => [name, value instanceof File ? value.name + value.size : value]));
}

/** @param {HTMLFormElement} form */
function isDirty(form) {
  if (released.has(form)) return false;
  return form.hasAttribute("data-dirty") || (before.has(form) && before.get(form) !== held(form));
}

export const unsaved = () => guarded().some(isDirty);

/** Whether the page holds words that would be lost with it: of a guarded form, or in any field that is sent. */
export const typed = () => unsaved() || [...document.forms].some((form) => form.method === "post" && holdsWords(form));

/** @param {HTMLFormElement} form */
function holdsWords(form) {
  const fields = /** @type {NodeListOf<HTMLInputElement>} */ (
    form.querySelectorAll("textarea, input:not([type=hidden], [type=checkbox], [type=radio], [type=file])")
  );
  return [...fields].some((field) => field.value !== field.defaultValue);
}

/** @param {BeforeUnloadEvent} event */
const holdBack = (event) => event.preventDefault();

function guardUnload() {
  // Only while something would be lost: a page with such a listener is not kept for the way back.
  if (unsaved()) addEventListener("beforeunload", holdBack);
  else removeEventListener("beforeunload", holdBack);
}

function takeIn() {
  for (const form of guarded()) if (!before.has(form)) before.set(form, held(form));
  guardUnload();
}

/** @param {HTMLFormElement} form */
function release(form) {
  released.add(form);
  guardUnload();
}

document.addEventListener("input", guardUnload);
document.addEventListener("change", guardUnload);
document.addEventListener("reset", () => setTimeout(guardUnload));

document.addEventListener(
  "click",
  async (event) => {
    const link = /** @type {HTMLAnchorElement | null} */ (/** @type {HTMLElement} */ (event.target).closest("a[href]"));
    const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0;
    if (!link || elsewhere || !leavesPage(link) || !unsaved()) return;
    event.preventDefault();
    event.stopPropagation();
    if (!(await askToLeave())) return;
    guarded().forEach(release);
    location.href = link.href;
  },
  { capture: true },
);

/** @param {HTMLAnchorElement} link */
function leavesPage(link) {
  if (link.target || link.hasAttribute("download") || link.hasAttribute("hx-get")) return false;
  if (!/^https?:$/.test(link.protocol)) return false;
  return !(link.hash && link.href.split("#")[0] === location.href.split("#")[0]);
}

/** Forms about which the server is being asked, and that were just sent; pressed again, they are not sent twice. */
const asking = new WeakSet();
const sent = new WeakSet();
const SENT_MS = 5000; // by then another page has come, or none comes

/** What was typed is not given to a server that would answer with its sign-in page, a refusal, or not at all.
 * The window hears of it last: forms that a page's script sends are not looked at here. */
addEventListener("submit", async (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  const submitter = /** @type {HTMLElement | null} */ (event.submitter);
  if (event.defaultPrevented || form.method !== "post" || form.target) return;
  if (released.has(form) && !sent.has(form)) {
    sent.add(form);
    setTimeout(() => sent.delete(form), SENT_MS);
    return;
  }
  event.preventDefault();
  if (asking.has(form) || sent.has(form)) return;
  asking.add(form);
  submitter?.toggleAttribute("data-pending", true);
  const action = submitter?.getAttribute("formaction") || form.getAttribute("action") || "";
  const { status } = await askSession(new URL(action, location.href).pathname, "post");
  asking.delete(form);
  submitter?.removeAttribute("data-pending");
  if (status !== 200) return showFailure(status, typed());
  clearFailure();
  release(form);
  sendAgreed(form, submitter);
});

/** Another form of the page would lose what was typed, and works with what is stored. */
document.addEventListener(
  "submit",
  async (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    const submitter = /** @type {HTMLElement | null} */ (event.submitter);
    const stays = form.method === "dialog" || form.target || form.matches("[data-guard], [hx-get], [hx-post]");
    if (stays || !unsaved()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!(await askToLeave())) return;
    guarded().forEach(release);
    form.requestSubmit(submitter);
  },
  { capture: true },
);

/** A button that was pressed waits: it keeps its width, dims, and cannot be pressed a second time. */
document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (event.defaultPrevented || form.method !== "post" || form.target) return;
  const button = /** @type {HTMLElement | null} */ (event.submitter);
  setTimeout(() => event.defaultPrevented || button?.toggleAttribute("data-pending", true));
});
addEventListener("pageshow", (event) => {
  if (event.persisted) [...document.forms].forEach((form) => released.delete(form)); // back to a page that was left
  for (const button of document.querySelectorAll("[data-pending]")) button.removeAttribute("data-pending");
});

document.addEventListener("keydown", (event) => {
  if (!(event.metaKey || event.ctrlKey) || event.key !== "s") return;
  const form = guarded()[0];
  if (!form || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  form.requestSubmit();
});

// Checking while one types

/** @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Field */
/** Fields that were changed since they were last judged. @type {WeakSet<Field>} */
const unjudged = new WeakSet();
/** Fields with the moment at which each is to be judged, and those that the server is being asked about.
 * @typedef {{due: Map<Field, number>, timer: number, asked: Set<Field>, asking: AbortController | null}} Judging */
/** @type {WeakMap<HTMLFormElement, Judging>} */
const judging = new WeakMap();

/** @param {EventTarget | null} target @returns {Field | null} */
function checked(target) {
  const field = /** @type {Field} */ (target);
  return field.form?.dataset.validate !== undefined && field.name ? field : null;
}

document.addEventListener("input", (event) => {
  const field = checked(event.target);
  if (!field) return;
  unjudged.add(field);
  judge(field, field.getAttribute("aria-invalid") === "true" ? MENDED_MS : REST_MS);
});
document.addEventListener("focusout", (event) => {
  const field = checked(event.target);
  if (field && unjudged.has(field)) judge(field, 0);
});

/** @param {Field} field @param {number} wait */
function judge(field, wait) {
  const form = /** @type {HTMLFormElement} */ (field.form);
  const known = judging.get(form) ?? { due: new Map(), timer: 0, asked: new Set(), asking: null };
  judging.set(form, known);
  known.due.set(field, performance.now() + wait);
  wake(form, known);
}

/** @param {HTMLFormElement} form @param {Judging} known */
function wake(form, known) {
  clearTimeout(known.timer);
  if (!known.due.size) return;
  const wait = Math.max(0, Math.min(...known.due.values()) - performance.now());
  known.timer = window.setTimeout(() => askDue(form, known), wait);
}

/** @param {HTMLFormElement} form @param {Judging} known */
async function askDue(form, known) {
  known.asking?.abort(); // its fields are asked about anew, with what stands in the form now
  const asking = new AbortController();
  known.asking = asking;
  for (const [field, when] of known.due) {
    if (when > performance.now()) continue;
    known.due.delete(field);
    known.asked.add(field);
    unjudged.delete(field);
  }
  wake(form, known);
  await askAbout(form, [...known.asked], asking.signal);
  if (!asking.signal.aborted) known.asked.clear();
}

/** About these fields, and about those that are marked, which may depend on them.
 * @param {HTMLFormElement} form @param {Field[]} fields @param {AbortSignal} signal */
async function askAbout(form, fields, signal) {
  const marked = /** @type {Field[]} */ ([...form.elements]).filter((each) => each.ariaInvalid === "true");
  const names = new Set([...fields, ...marked].map((each) => each.name));
  const url = new URL(form.dataset.validate || form.action, location.href);
  for (const name of names) url.searchParams.append("validate", name);
  const body = new FormData(form);
  for (const [name, value] of [...body]) if (value instanceof File) body.delete(name);
  const headers = { "X-Requested-With": "fetch", Accept: "application/json" };
  const answer = await fetch(url, { method: "POST", body, headers, signal }).catch(() => null);
  if (answer?.status === 401) return showFailure(401, true);
  if (!answer?.ok) return; // the submit will say it
  const told = await answer.json().catch(() => null); // given up while it came
  if (!told) return;
  const { errors } = told;
  for (const name of names) {
    if (!(name in errors)) continue;
    mark(form, name, errors[name]);
    sumUp(form, name, errors[name]);
  }
}

/** The summary of a refused form keeps what is still wrong, and goes with the last of it.
 * @param {HTMLFormElement} form @param {string} name @param {string[]} errors */
function sumUp(form, name, errors) {
  const entry = /** @type {HTMLElement | null} */ (form.querySelector(`[data-refused="${CSS.escape(name)}"]`));
  const link = entry?.querySelector("a");
  if (!entry || !link) return;
  const { label = "", row = "" } = entry.dataset;
  const [words] = errors;
  if (words) return setText(link, [row, words.startsWith(label) ? "" : label, words].filter(Boolean).join(": "));
  const summary = entry.closest(".vf-refused");
  entry.remove();
  if (!summary?.querySelector("[data-refused], [data-of-all]")) summary?.remove();
}

/** As templates/partials/_field.html draws it. @param {HTMLFormElement} form @param {string} name @param {string[]} errors */
function mark(form, name, errors) {
  const named = form.elements.namedItem(name);
  const several = named instanceof RadioNodeList; // radio buttons, which share one error
  const field = /** @type {Field} */ (several ? named[0] : named);
  const box = field?.closest(".vf-field, .vf-voices");
  if (!box) return;
  const id = `${several ? field.id.replace(/_0$/, "") : field.id}_error`;
  const known = document.getElementById(id);
  const described = (field.getAttribute("aria-describedby") ?? "").split(" ").filter((each) => each && each !== id);
  if (errors.length) {
    const place = known ?? Object.assign(document.createElement("span"), { id, className: "vf-error", role: "alert" });
    const words = errors.map((each) => Object.assign(document.createElement("span"), { textContent: each }));
    if (place.textContent !== errors.join("")) place.replaceChildren(...words);
    if (!known) box.insertBefore(place, box.querySelector(":scope > .vf-help"));
    field.setAttribute("aria-invalid", "true");
    described.push(id);
  } else {
    known?.remove();
    for (const each of several ? named : [field]) /** @type {Element} */ (each).removeAttribute("aria-invalid");
  }
  if (described.length) field.setAttribute("aria-describedby", described.join(" "));
  else field.removeAttribute("aria-describedby");
}

// After a refused submit

/** @param {ParentNode} part */
function focusFirstFault(part) {
  const field = /** @type {HTMLElement | null} */ (part.querySelector("form [aria-invalid=true]:not([hidden] *)"));
  if (field) reveal(field);
}

/** @param {HTMLElement} field which may lie in something folded */
function reveal(field) {
  for (let fold = field.closest("details"); fold; fold = fold.parentElement?.closest("details") ?? null) fold.open = true;
  field.focus();
}

document.addEventListener("click", (event) => {
  const link = /** @type {HTMLElement} */ (event.target).closest(".vf-refused a");
  const field = link && document.getElementById(link.getAttribute("href")?.slice(1) ?? "");
  if (!field) return;
  event.preventDefault();
  reveal(field);
});
document.addEventListener("htmx:afterSettle", (event) => {
  const { target, xhr } = /** @type {CustomEvent} */ (event).detail;
  takeIn();
  if (xhr?.status === 422) focusFirstFault(target.parentElement ?? document);
});
document.addEventListener("htmx:afterRequest", (event) => {
  const { elt, successful } = /** @type {CustomEvent} */ (event).detail;
  if (!successful || !elt.matches("form[data-guard]")) return;
  elt.removeAttribute("data-dirty");
  before.set(elt, held(elt));
  guardUnload();
});
takeIn();
if (document.activeElement === document.body) focusFirstFault(document.getElementById("main") ?? document); // nobody was faster
