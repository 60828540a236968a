// Where each word of a transcript is in the recording: a turn's words are laid over the parts of its sound in
// which somebody speaks, longer words longer; pauses are left out.
// @ts-check

/** @typedef {{rate: number, caller: number[], agent: number[]}} Peaks 0..100, `rate` of them a second */
/** @typedef {{element: HTMLElement, turn: HTMLElement, from: number, until: number}} Word */

const QUIET = 0.08; // of the loudest peak of the turn: below it nobody speaks
const OVERLAP_SECONDS = 0.5; // of a turn that goes on while the other side has begun

/** When each word begins and ends, in seconds.
 * @param {string[]} words @param {number} from @param {number} until @param {number[]} peaks @param {number} rate
 * @returns {[number, number][]} */
export function wordTimes(words, from, until, peaks, rate) {
  const spoken = loudParts(from, until, peaks, rate);
  const length = spoken.length / rate;
  const weights = words.map((word) => word.length + 1);
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  /** @param {number} share of the speech @param {boolean} ends */
  const at = (share, ends) => {
    const place = share * length * rate;
    const index = Math.min(spoken.length - 1, ends ? Math.ceil(place) - 1 : Math.floor(place));
    return (spoken[Math.max(0, index)] + place - Math.max(0, index)) / rate;
  };
  let before = 0;
  return weights.map((weight) => {
    const begins = at(before / all, false);
    before += weight;
    return [begins, at(before / all, true)];
  });
}

/** The numbers of the peaks in which somebody speaks; all of them where it is silent throughout.
 * @param {number} from @param {number} until @param {number[]} peaks @param {number} rate */
function loudParts(from, until, peaks, rate) {
  const first = Math.floor(from * rate);
  const last = Math.max(first + 1, Math.min(Math.ceil(until * rate), peaks.length));
  const numbers = Array.from({ length: last - first }, (_, index) => first + index);
  const loudest = Math.max(...numbers.map((number) => peaks[number] ?? 0));
  const loud = numbers.filter((number) => loudest && (peaks[number] ?? 0) >= Math.max(1, loudest * QUIET));
  return loud.length ? loud : numbers;
}

/** Cuts the turns of a page into words that can be clicked. @param {HTMLElement} page @param {Peaks} peaks
 * @returns {Word[]} in the order of the page */
export function cutIntoWords(page, peaks) {
  const turns = /** @type {HTMLElement[]} */ (Array.from(page.querySelectorAll(".vf-turn[data-at]")));
  return turns.flatMap((turn, index) => {
    const said = /** @type {HTMLElement | null} */ (turn.querySelector("[data-said]"));
    const texts = said?.textContent?.split(/\s+/).filter(Boolean) ?? [];
    if (!said || !texts.length) return [];
    const leg = turn.dataset.who === "caller" ? peaks.caller : peaks.agent;
    const next = turns[index + 1]?.dataset.at;
    const until = next === undefined ? (leg?.length ?? 0) / peaks.rate : Number(next) + OVERLAP_SECONDS;
    const times = wordTimes(texts, Number(turn.dataset.at), until, leg ?? [], peaks.rate);
    const words = texts.map((text, number) => {
      const element = document.createElement("span");
      element.className = "vf-word";
      element.textContent = text;
      return { element, turn, from: times[number][0], until: times[number][1] };
    });
    said.replaceChildren(...words.flatMap((word, number) => (number ? [" ", word.element] : [word.element])));
    return words;
  });
}
