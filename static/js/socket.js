// The one live socket of a page: subscriptions, back-off, resuming by the number of the last event.
// @ts-check
import { shownOut } from "./failure.js";
import { typed } from "./forms.js";
import { enableActions } from "./hangup.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
const BEAT_MS = 15_000;
const BEATS_MISSED = 3; // by then nothing came for 45 s: the network is gone without having said so
const SIGNED_OUT = 4401;

/** @typedef {{seq: number, kind: string, at: number, at_seconds: number, payload: any}} CallEvent */
/** @typedef {{cards: (cards: any[]) => void, card: (card: any) => void}} BoardWatcher */
/** @typedef {{since: number, card: (card: any) => void, events: (events: CallEvent[]) => void}} CallWatcher */

class LiveSocket {
  /** @type {BoardWatcher | null} */ #board = null;
  /** @type {Map<string, CallWatcher>} */ #calls = new Map();
  /** @type {WebSocket | null} */ #socket = null;
  #wait = FIRST_WAIT_MS;
  #started = false;
  #beats = 0; // since the server was last heard

  /** @param {BoardWatcher} watcher */
  watchBoard(watcher) {
    this.#board = watcher;
    this.#subscribe({ sub: "board" });
  }

  /** Tells every event after number `since`, in order and none twice. @param {string} id @param {CallWatcher} watcher */
  watchCall(id, watcher) {
    this.#calls.set(id, watcher);
    this.#subscribe({ sub: "call", call: id, since: watcher.since });
  }

  /** @param {string} id */
  unwatchCall(id) {
    this.#calls.delete(id);
    this.#send({ unsub: "call", call: id });
  }

  /** @param {object} message */
  #subscribe(message) {
    if (this.#started) this.#send(message);
    else {
      this.#open();
      setInterval(() => this.#beat(), BEAT_MS);
    }
  }

  #open() {
    this.#started = true;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/ws/live/`);
    this.#socket = socket;
    socket.onopen = () => {
      this.#wait = FIRST_WAIT_MS;
      this.#beats = 0;
      this.#setOnline(true);
      if (this.#board) this.#send({ sub: "board" });
      for (const [call, watcher] of this.#calls) this.#send({ sub: "call", call, since: watcher.since });
    };
    socket.onmessage = (message) => {
      this.#beats = 0;
      this.#take(JSON.parse(message.data));
    };
    socket.onclose = ({ code }) => (code === SIGNED_OUT ? this.#shownOut() : this.#reopen());
  }

  /** Counts beats and not seconds: in a page that nobody looks at they come a minute apart. */
  #beat() {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return;
    this.#beats += 1;
    if (this.#beats < BEATS_MISSED) return this.#send({ ping: 1 });
    socket.onclose = socket.onmessage = null; // closing waits for the other side, which is not there
    socket.close();
    this.#reopen();
  }

  #reopen() {
    this.#setOnline(false);
    this.#retry();
  }

  /** A page that stays for what was typed on it goes on once its person has signed in again elsewhere. */
  #shownOut() {
    this.#wait = LONGEST_WAIT_MS;
    this.#retry();
    shownOut(typed());
  }

  #retry() {
    setTimeout(() => this.#open(), this.#wait * (0.7 + Math.random() * 0.6));
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
  }

  /** @param {boolean} online */
  #setOnline(online) {
    const { classList } = document.body;
    const back = online && (classList.contains("vf-offline") || classList.contains("vf-unreachable"));
    classList.toggle("vf-offline", !online);
    if (back) {
      classList.remove("vf-unreachable");
      document.body.dispatchEvent(new Event("load-again")); // for what the page could not load meanwhile
    }
    enableActions();
  }

  /** @param {object} message */
  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** @param {any} message */
  #take(message) {
    if (message.t === "board") this.#board?.cards(message.calls);
    else if (message.t === "card") {
      this.#board?.card(message.card);
      this.#calls.get(message.card.id)?.card(message.card);
    } else if (message.t === "call") this.#snapshot(message);
    else if (message.t === "event") this.#event(message.call, message.event);
    else if (message.t === "error") console.warn(`live socket: ${message.code}: ${message.message}`);
  }

  /** @param {{call: string, card: any, events: CallEvent[]}} message */
  #snapshot({ call, card, events }) {
    const watcher = this.#calls.get(call);
    if (!watcher) return;
    const fresh = events.filter((event) => event.seq > watcher.since);
    if (fresh.length) watcher.since = fresh[fresh.length - 1].seq;
    watcher.card(card);
    watcher.events(fresh);
  }

  /** @param {string} call @param {CallEvent} event */
  #event(call, event) {
    const watcher = this.#calls.get(call);
    if (!watcher || event.seq <= watcher.since) return;
    if (event.seq > watcher.since + 1) {
      this.#send({ sub: "call", call, since: watcher.since });
      return;
    }
    watcher.since = event.seq;
    watcher.events([event]);
  }
}

export const live = new LiveSocket();
