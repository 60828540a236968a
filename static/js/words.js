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

/** All words are one stop of the Tab key: the arrow keys move from word to word and from turn to turn, Home and End
 * within a turn, Enter chooses. Only the word that has its turn is a button: a reader hears the others as text.
 * @param {Word[]} words in the order of the page @param {(word: Word) => void} choose */
export function moveByKeys(words, choose) {
  if (!words.length) return;
  let at = 0;
  /** @param {number} to */
  const hand = (to) => {
    for (const name of ["tabindex", "role", "aria-describedby"]) words[at].element.removeAttribute(name);
    at = to;
    const { element } = words[at];
    element.tabIndex = 0;
    element.setAttribute("role", "button");
    element.setAttribute("aria-describedby", "word-keys");
  };
  /** The first word of the turn that stands so many before or after. @param {number} by */
  const inTurn = (by) => {
    const turns = [...new Set(words.map(({ turn }) => turn))];
    const turn = turns[Math.min(Math.max(0, turns.indexOf(words[at].turn) + by), turns.length - 1)];
    return words.findIndex((word) => word.turn === turn);
  };
  const steps = {
    ArrowLeft: () => Math.max(0, at - 1),
    ArrowRight: () => Math.min(words.length - 1, at + 1),
    ArrowUp: () => inTurn(-1),
    ArrowDown: () => inTurn(1),
    Home: () => inTurn(0),
    End: () => words.findLastIndex(({ turn }) => turn === words[at].turn),
  };
  for (const { element } of words) {
    element.addEventListener("keydown", (event) => {
      if (event.metaKey || event.ctrlKey || event.altKey || event.shiftKey) return;
      if (event.key === "Enter") choose(words[at]);
      else if (event.key in steps) {
        hand(steps[event.key]());
        words[at].element.focus();
      } else return;
      event.preventDefault();
    });
  }
  for (const [number, { element }] of words.entries()) {
    element.addEventListener("click", () => hand(number)); // where the mouse was, the Tab key leads to
  }
  hand(0);
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
