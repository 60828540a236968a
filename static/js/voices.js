// The library of voices: hear one at a time, with its greeting or with one's own words. Languages that are opened
// or closed stand in the address; `#voice-...` in it leads to a voice.
// @ts-check
import { filled, setText } from "./format.js";
import { showFailure } from "./failure.js";

const SAY_SO_AFTER_MS = 800;
const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const dialog = /** @type {HTMLDialogElement | null} */ (document.getElementById("say"));
const text = /** @type {HTMLTextAreaElement | null} */ (document.getElementById("say-text"));
const words = /** @type {HTMLElement} */ (document.getElementById("voice-words")).dataset;

/** What is being asked for or played. @typedef {{button: HTMLElement, said: HTMLElement, asking: AbortController,
 * timer: number, audio?: HTMLAudioElement}} Playing */
/** @type {Playing | null} */ let playing = null;
/** The voice that the dialog is about. @type {HTMLElement | null} */ let saying = null;

main.addEventListener("click", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  const card = /** @type {HTMLElement | null} */ (target.closest("[data-voice]"));
  const play = /** @type {HTMLElement | null} */ (target.closest("[data-play]"));
  if (card && play) pressPlay(card, play);
  if (card && target.closest("[data-say]")) openDialog(card);
  if (card && target.closest("[data-more]")) unfold(card, !("open" in card.dataset));
  if (target.closest(".vf-language > summary")) setTimeout(rememberOpen); // once it has opened or closed
  const sayIt = /** @type {HTMLElement | null} */ (target.closest("[data-say-it]"));
  if (sayIt && saying && text?.reportValidity()) toggle(saying, sayIt, said(dialog), text.value);
});
addEventListener("pagehide", stop);
dialog?.addEventListener("close", stop);
dialog?.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});
text?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  /** @type {HTMLElement} */ (dialog?.querySelector("[data-say-it]")).click();
});
document.addEventListener("htmx:beforeSwap", (event) => {
  if (/** @type {CustomEvent} */ (event).detail.target?.id === "results") stop();
});

/** @param {HTMLElement} card @param {HTMLElement} button */
function pressPlay(card, button) {
  if (!("cannot" in button.dataset)) return toggle(card, button, said(card), "");
  const why = /** @type {HTMLDetailsElement} */ (card.querySelector("[data-why]"));
  why.open = !(why.open && why.checkVisibility());
  unfold(card, true);
}

/** On a phone, where a voice is a row: what is to be known of it. @param {HTMLElement} card @param {boolean} on */
function unfold(card, on) {
  card.toggleAttribute("data-open", on);
  card.querySelector("[data-more]")?.setAttribute("aria-expanded", String(on));
}

/** Few voices are shown at once, whatever is open. */
function rememberOpen() {
  if (!document.querySelector("#results[data-many]")) return;
  const languages = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".vf-language[open]"));
  const open = [...languages].map((language) => language.dataset.language).join(",") || "none";
  const field = /** @type {HTMLInputElement} */ (document.querySelector("#filters [name=open]"));
  field.value = open;
  field.disabled = false;
  const address = new URL(location.href);
  address.searchParams.set("open", open);
  history.replaceState(history.state, "", address);
}

/** To the voice that the address names. */
function goToVoice() {
  const named = document.getElementById(location.hash.slice(1));
  const card = /** @type {HTMLElement | null | undefined} */ (named?.closest(".vf-voice-card"));
  const language = /** @type {HTMLDetailsElement | null | undefined} */ (card?.closest("details.vf-language"));
  if (!card || !language) return;
  language.open = true;
  unfold(card, true);
  card.scrollIntoView();
  /** @type {HTMLElement} */ (card.querySelector("[data-play]") ?? card).focus({ preventScroll: true });
}
addEventListener("hashchange", goToVoice);
goToVoice();

/** @param {ParentNode | null} part */
function said(part) {
  return /** @type {HTMLElement} */ (part?.querySelector("[data-said]"));
}

/** @param {HTMLElement} card */
function openDialog(card) {
  if (!dialog || !text) return;
  const { name = "", lang = "", greeting = "" } = card.dataset;
  stop();
  saying = card;
  setText(dialog.querySelector("h2"), filled(dialog.dataset.title ?? "", { name }));
  setText(said(dialog), "");
  text.lang = lang;
  text.value = greeting;
  dialog.showModal();
  text.select();
}

/** @param {HTMLElement} card @param {HTMLElement} button @param {HTMLElement} told @param {string} sentence */
function toggle(card, button, told, sentence) {
  const again = playing?.button === button;
  stop();
  if (!again) speak(card, button, told, sentence);
}

/** @param {HTMLElement} card @param {HTMLElement} button @param {HTMLElement} told @param {string} sentence */
async function speak(card, button, told, sentence) {
  const asking = new AbortController();
  const since = Date.now();
  const timer = window.setInterval(() => {
    const seconds = Math.round((Date.now() - since) / 1000);
    if (Date.now() - since > SAY_SO_AFTER_MS) setText(told, filled(words.making ?? "", { seconds }));
  }, 500);
  const mine = (playing = /** @type {Playing} */ ({ button, said: told, asking, timer }));
  show(button, "asking");
  setText(told, "");
  try {
    const answer = await ask(card, sentence, asking.signal);
    if (playing !== mine) return;
    if (answer.status === 401) {
      stop();
      return showFailure(401, false);
    }
    if (!answer.ok) return tell(mine, await reason(answer));
    mine.audio = new Audio(URL.createObjectURL(await answer.blob()));
    mine.audio.addEventListener("ended", stop);
    if (playing !== mine) return URL.revokeObjectURL(mine.audio.src);
    clearInterval(timer);
    setText(told, "");
    await mine.audio.play();
    if (playing === mine) show(button, "playing");
  } catch {
    if (playing === mine && !asking.signal.aborted) tell(mine, words.failed ?? "");
  }
}

/** @param {HTMLElement} card @param {string} sentence @param {AbortSignal} signal */
function ask(card, sentence, signal) {
  const body = new FormData();
  body.set("text", sentence);
  const { "X-CSRFToken": token } = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}");
  const headers = { "X-CSRFToken": token, "X-Requested-With": "fetch" };
  return fetch(card.dataset.preview ?? "", { method: "POST", body, headers, signal });
}

/** @param {Response} answer */
async function reason(answer) {
  const isJson = answer.headers.get("Content-Type")?.startsWith("application/json");
  return isJson ? (await answer.json()).error : (words.failed ?? "");
}

/** @param {Playing} mine @param {string} why */
function tell(mine, why) {
  stop();
  setText(mine.said, why);
}

function stop() {
  if (!playing) return;
  const { button, said: told, asking, timer, audio } = playing;
  playing = null;
  clearInterval(timer);
  asking.abort();
  setText(told, "");
  if (audio) {
    audio.pause();
    URL.revokeObjectURL(audio.src);
  }
  show(button, "still");
}

/** @param {HTMLElement} button @param {"still" | "asking" | "playing"} state */
function show(button, state) {
  for (const face of /** @type {NodeListOf<HTMLElement>} */ (button.querySelectorAll("[data-when]"))) {
    face.hidden = face.dataset.when !== state;
  }
  button.dataset.state = state;
  button.setAttribute("aria-pressed", String(state === "playing"));
  button.setAttribute("aria-busy", String(state === "asking"));
}

/** Whoever is starred is among those found, so the count of favourites moves by one. */
document.addEventListener("htmx:afterRequest", (event) => {
  const { requestConfig, successful } = /** @type {CustomEvent} */ (event).detail;
  const form = requestConfig?.elt; // which the answer has taken the place of
  if (!successful || !form?.matches(".vf-favourite")) return;
  const count = document.getElementById("count-favourites");
  const on = Boolean(form.querySelector("[name=on]").value);
  setText(count, String(Number(count?.textContent) + (on ? 1 : -1)));
});
