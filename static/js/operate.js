// What an operator does to a live call: listen, whisper, say, take over, give back, transfer, hang up.
// @ts-check
import { Attendance } from "./audio/attend.js";
import { Problem } from "./audio/microphone.js";
import { filled, labels, personName, setText } from "./format.js";
import { clearLevels, showLevels } from "./levels.js";
import { sendForm } from "./send.js";

const TAKEN_WITHIN_MS = 4000;
const DONE_WITHIN_MS = 8000; // the caller may be in the middle of a sentence, or the agent
const words = labels.operate;
const bar = /** @type {HTMLElement} */ (document.querySelector("[data-live-bar]"));
const me = bar.dataset.me ?? "";
const here = crypto.getRandomValues(new Uint32Array(4)).join("-"); // this window, of perhaps several of one person
/** @param {string} name @returns {any} */
const part = (name) => bar.querySelector(`[data-${name}]`);
const { socket = "", capture = "", playback = "" } = bar.dataset;
const attendance = new Attendance({ url: `${socket}?window=${here}`, capture, playback });
for (const field of /** @type {NodeListOf<HTMLInputElement>} */ (bar.querySelectorAll("[name=window]"))) field.value = here;
let holder = "";
let holderWindow = "";
let taking = false; // a take-over is under way
let tooLong = 0; // its timer
let over = bar.hidden;
let expecting = 0; // timer of words that were sent
let wordsCame = () => {};
let wordsDropped = () => {};

// ---- what the call tells ----

addEventListener("call-card", (event) => {
  const card = /** @type {CustomEvent} */ (event).detail;
  if (card.state === "ended") finish();
  else showHolder(card.holder, card.holder_window);
});
addEventListener("call-event", (event) => {
  const { kind, payload } = /** @type {CustomEvent} */ (event).detail;
  if (kind === "operator_took_over") taken(payload);
  else if (kind === "operator_gave_back") givenBack(payload);
  else if (payload.by === me && (kind === "operator_whispered" || kind === "agent_said")) wordsCame();
  else if (kind === "call_answered") attendance.ask();
  else if (kind === "call_ended") finish();
});

const isMine = () => holder === me && holderWindow === here;
const isElsewhere = () => holder === me && holderWindow !== here;

/** @param {{by: string, window: string}} event */
function taken({ by, window }) {
  clearTimeout(tooLong);
  taking = false;
  wordsDropped();
  const spoke = attendance.speaks;
  showHolder(by, window);
  if (isMine()) return;
  if (spoke) complain(isElsewhere() ? words.moved : filled(words.faster, { name: personName(by) }));
  attendance.stopMicrophone();
}

/** @param {{by: string, lost: boolean}} event */
function givenBack({ by, lost }) {
  const spoke = by === me && attendance.speaks; // the card, which may come first, has told of no holder already
  if (by === me) attendance.stopMicrophone();
  if (spoke && lost) complain(words.given_back);
  showHolder("", "");
}

/** @param {string} name of who has the call, "" for the agent @param {string} window in which of theirs */
function showHolder(name, window) {
  holder = name;
  holderWindow = window;
  const mine = isMine();
  const moves = part("take-over-words");
  if (moves) setText(moves, isElsewhere() ? moves.dataset.here : moves.dataset.words);
  bar.toggleAttribute("data-mine", mine);
  for (const element of bar.querySelectorAll("[data-if-mine]")) /** @type {HTMLElement} */ (element).hidden = !mine;
  for (const element of bar.querySelectorAll("[data-unless-mine]")) /** @type {HTMLElement} */ (element).hidden = mine;
  for (const control of /** @type {NodeListOf<HTMLInputElement>} */ (bar.querySelectorAll("[data-unless-mine] :is(input, button)"))) {
    if (control.type !== "hidden") control.disabled = Boolean(name) && !mine;
  }
  enable();
  if (!taking) setText(part("holder"), holderWords());
  setText(document.querySelector("[data-our-side]"), name ? words.person : labels.who.agent);
  const hangUp = /** @type {HTMLElement | null} */ (part("hang-up"));
  if (hangUp) hangUp.dataset.confirm = name ? filled(words.hang_up, { name: personName(name) }) : (hangUp.dataset.ask ?? "");
}

function holderWords() {
  if (!holder) return words.agent;
  if (holder !== me) return filled(words.other, { name: personName(holder) });
  return isMine() ? words.mine : words.elsewhere;
}

function finish() {
  if (over) return;
  over = true;
  attendance.close();
  clearLevels();
  for (const dialog of document.querySelectorAll("dialog[open]")) /** @type {HTMLDialogElement} */ (dialog).close();
}

// ---- who else is here ----

attendance.addEventListener("people", (event) => {
  const list = /** @type {HTMLElement} */ (document.querySelector("[data-people]"));
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("person-template"));
  const people = /** @type {CustomEvent} */ (event).detail.people.map((person) => {
    const item = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
    const name = personName(person.by);
    setText(item.querySelector(".vf-avatar"), name.slice(0, 2).toUpperCase());
    setText(item.querySelector("[data-name]"), person.by === me ? filled(words.you, { name }) : name);
    setText(item.querySelector("small"), person.holds ? words.holds : person.listens ? words.listens : words.watches);
    return item;
  });
  list.replaceChildren(...people);
});
attendance.addEventListener("levels", (event) => {
  const { caller, agent } = /** @type {CustomEvent} */ (event).detail;
  showLevels({ caller, agent });
  enable();
});
attendance.addEventListener("microphone", (event) => {
  showLevels({ microphone: /** @type {CustomEvent} */ (event).detail.level });
});
attendance.addEventListener("away", () => {
  clearLevels();
  enable();
});

/** What needs the call's sound can be done while there is some. */
function enable() {
  const there = attendance.ready;
  if (part("listen")) part("listen").disabled = !there;
  const takeOver = /** @type {HTMLButtonElement | null} */ (bar.querySelector("[data-needs-script]"));
  if (takeOver) takeOver.disabled = !there || (Boolean(holder) && !isElsewhere()) || taking;
}

// ---- listening ----

async function toggleListening() {
  try {
    await attendance.listen(!attendance.listens);
  } catch (problem) {
    explain(problem);
  }
}
attendance.addEventListener("listening", (event) => {
  const { on, blocked } = /** @type {CustomEvent} */ (event).detail;
  part("listen")?.setAttribute("aria-pressed", String(on));
  if (part("leg")) part("leg").hidden = !on;
  complain(blocked ? words.blocked : "");
});
part("listen")?.addEventListener("click", toggleListening);
part("leg")?.addEventListener("change", () => attendance.hear(part("leg").value));

// ---- orders ----

/** @param {string} text what went wrong; "" for nothing @param {HTMLElement} [place] */
function complain(text, place = part("order-problem")) {
  place.hidden = !text;
  setText(place, text);
}

/** @param {unknown} problem */
function explain(problem) {
  const code = problem instanceof Problem ? problem.code : "unsupported";
  complain(`${labels.problems[code]} ${labels.remedies[code]}`);
}

document.addEventListener("submit", async (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (!form.matches("[data-order]")) return;
  event.preventDefault();
  const button = /** @type {HTMLButtonElement | null} */ (event.submitter);
  const action = button?.getAttribute("formaction") ?? form.action;
  if (form.dataset.order === "take_over") return takeOver(form);
  if (button) button.disabled = true;
  const place = /** @type {HTMLElement | null} */ (form.querySelector("[data-dialog-problem]")) ?? undefined;
  const done = await sendForm(form, { action, complain: (told) => complain(told, place) });
  if (button) button.disabled = false;
  if (!done) return;
  if (form.dataset.order === "words") return expectWords(form);
  form.reset();
  form.closest("dialog")?.close();
});

/** Words stay in their field until the call tells that they came to pass. @param {HTMLFormElement} form */
function expectWords(form) {
  const buttons = form.querySelectorAll("button");
  const wait = (on = true) => buttons.forEach((button) => button.toggleAttribute("data-pending", on));
  /** @param {string} told */
  const end = (told) => {
    wordsCame = wordsDropped = () => {};
    clearTimeout(expecting);
    wait(false);
    complain(told);
  };
  wait();
  clearTimeout(expecting);
  expecting = setTimeout(() => {
    wait(false);
    complain(words.not_done);
  }, DONE_WITHIN_MS);
  wordsCame = () => {
    form.reset();
    end("");
  };
  wordsDropped = () => end(words.dropped);
}

/** The microphone opens while the agent is being silenced. @param {HTMLFormElement} form */
async function takeOver(form) {
  if (taking || (holder && !isElsewhere())) return;
  taking = true;
  complain("");
  setText(part("holder"), words.taking);
  enable();
  // Who has never said yes to the microphone is asked first, and the agent goes on meanwhile.
  const granted = (await permission()) === "granted";
  const opening = openMicrophone();
  if (!granted && !(await opening)) return;
  tooLong = setTimeout(() => notTaken(words.not_taken), TAKEN_WITHIN_MS);
  const sent = await sendForm(form, { complain });
  if (!sent) notTaken("");
  else if (!(await opening)) sendForm(part("give-back"), { complain });
}

/** Whether it could be opened; says why if not. */
async function openMicrophone() {
  try {
    await attendance.startMicrophone();
  } catch (problem) {
    notTaken("");
    explain(problem);
    return false;
  }
  if (!attendance.listens && part("listen")) toggleListening();
  return true;
}

async function permission() {
  const asked = navigator.permissions?.query({ name: /** @type {PermissionName} */ ("microphone") });
  return (await asked?.catch(() => null))?.state ?? "prompt";
}

/** @param {string} text */
function notTaken(text) {
  clearTimeout(tooLong);
  taking = false;
  attendance.stopMicrophone();
  showHolder(holder, holderWindow);
  if (text) complain(text);
}

part("mute")?.addEventListener("click", () => {
  const muted = part("mute").getAttribute("aria-pressed") !== "true";
  part("mute").setAttribute("aria-pressed", String(muted));
  attendance.mute(muted);
});
document.addEventListener("click", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  const opens = target.closest("[data-open]")?.getAttribute("data-open");
  if (opens) /** @type {HTMLDialogElement} */ (document.getElementById(opens)).showModal();
  if (target.closest("[data-close]") || target.matches("dialog.vf-dialog")) target.closest("dialog")?.close();
});

if (!over) {
  attendance.open();
  if (location.hash === "#listen") {
    attendance.addEventListener("levels", () => !attendance.listens && toggleListening(), { once: true });
  }
}
addEventListener("beforeunload", (event) => {
  if (attendance.speaks && isMine()) event.preventDefault(); // the caller would be left to the agent
});
addEventListener("pagehide", () => attendance.close());
