// Hear a voice, a rate or a text of the agent's form before it is saved.
// @ts-check

const form = /** @type {HTMLFormElement} */ (document.getElementById("agent-form"));
const problem = /** @type {HTMLElement} */ (form.querySelector("[data-speak-problem]"));
/** @type {{button: HTMLElement, audio?: HTMLAudioElement, asking: AbortController} | null} */ let playing = null;

form.addEventListener("click", (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest("[data-speak]");
  if (!(button instanceof HTMLElement)) return;
  const again = playing?.button === button;
  stop();
  if (!again) speak(button);
});
addEventListener("pagehide", stop);

/** @param {HTMLElement} button */
async function speak(button) {
  const asking = new AbortController();
  const mine = (playing = { button, asking });
  show(button, true);
  problem.hidden = true;
  try {
    const answer = await fetch(form.dataset.speakUrl ?? "", {
      method: "POST",
      body: wanted(button),
      headers: { "X-Requested-With": "fetch" },
      signal: asking.signal,
    });
    if (!answer.ok) return tell(button, await reason(answer));
    const address = URL.createObjectURL(await answer.blob());
    const audio = new Audio(address);
    audio.addEventListener("ended", stop);
    mine.audio = audio;
    if (playing === mine) await audio.play();
  } catch (error) {
    if (playing === mine && !asking.signal.aborted) tell(button, form.dataset.speakFailed ?? "");
  }
}

/** @param {HTMLElement} button */
function wanted(button) {
  const sent = new FormData(form);
  const field = button.dataset.from && /** @type {HTMLTextAreaElement} */ (document.getElementById(button.dataset.from));
  sent.set("text", field ? field.value : (button.dataset.sentence ?? form.dataset.speakSentence ?? ""));
  if (button.dataset.voice) sent.set("voice", button.dataset.voice);
  return sent;
}

/** @param {Response} answer */
async function reason(answer) {
  const json = answer.headers.get("Content-Type")?.startsWith("application/json");
  return json ? (await answer.json()).error : (form.dataset.speakFailed ?? "");
}

/** @param {HTMLElement} button @param {string} words */
function tell(button, words) {
  stop();
  problem.textContent = words;
  problem.hidden = false;
  const section = button.closest(".vf-with-extras, .vf-fieldset");
  section?.append(problem);
}

function stop() {
  if (!playing) return;
  const { button, audio, asking } = playing;
  playing = null;
  asking.abort();
  if (audio) {
    audio.pause();
    URL.revokeObjectURL(audio.src);
  }
  show(button, false);
}

/** @param {HTMLElement} button @param {boolean} speaking */
function show(button, speaking) {
  /** @type {HTMLElement} */ (button.querySelector("[data-speak-start]")).hidden = speaking;
  /** @type {HTMLElement} */ (button.querySelector("[data-speak-stop]")).hidden = !speaking;
  button.setAttribute("aria-pressed", String(speaking));
}
