// The draft on its way to the server: 800 ms after the last change, again and again while nobody answers. What is
// not stored there yet is kept in the browser, and is here again when the page is opened the next time.
// @ts-check
import { clearFailure, showFailure } from "../failure.js";

const REST_MS = 800;
const RETRY_MS = 3000;

/** @typedef {"saved" | "changed" | "saving" | "offline" | "refused" | "conflict"} State */

/** @param {BeforeUnloadEvent} event */
const holdBack = (event) => event.preventDefault();

export class Saver {
  /** @param {{address: string, slug: string, revision: number, saved: string, current: () => string,
   *   onState: (state: State, words?: string) => void, onProblems: (problems: any[]) => void,
   *   onConflict: (told: any) => Promise<"mine" | "theirs">}} how
   * `saved` and `current` are the graph as the server has it and as it is here, as JSON. */
  constructor(how) {
    this.how = how;
    this.revision = how.revision;
    this.saved = how.saved;
    this.timer = 0;
    this.failing = false;
    /** @type {Promise<boolean> | null} */
    this.going = null;
    addEventListener("pagehide", () => this.keep());
    for (const name of ["online", "focus"]) addEventListener(name, () => void (this.failing && this.flush()));
  }

  /** Only while something could be lost is one asked before the page is left: a page with such a listener is not
   * kept for the way back. @param {boolean} failing */
  set failed(failing) {
    this.failing = failing;
    if (failing) addEventListener("beforeunload", holdBack);
    else removeEventListener("beforeunload", holdBack);
  }

  isChanged() {
    return this.how.current() !== this.saved;
  }

  /** To be told after each change; what changes nothing is no change. */
  look() {
    if (!this.isChanged()) {
      if (!this.going) this.done();
      return;
    }
    if (!this.going) this.how.onState("changed");
    this.later(REST_MS);
  }

  /** @param {number} wait */
  later(wait) {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.flush(), wait);
  }

  /** @returns {Promise<boolean>} whether the server has all of it */
  async flush() {
    clearTimeout(this.timer);
    while (this.going) await this.going;
    if (!this.isChanged()) return true;
    this.going = this.send();
    const stored = await this.going;
    this.going = null;
    if (stored) this.look();
    return stored && !this.isChanged();
  }

  async send() {
    const graph = this.how.current();
    this.keep();
    this.how.onState("saving");
    const headers = { ...JSON.parse(document.body.getAttribute("hx-headers") ?? "{}"), "X-Requested-With": "fetch" };
    const body = `{"revision":${this.revision},"graph":${graph}}`;
    const answer = await fetch(this.how.address, { method: "POST", headers, body }).catch(() => null);
    const told = (await answer?.json().catch(() => null)) ?? {};
    this.failed = !answer?.ok;
    if (answer?.ok) {
      this.take(told, graph);
      clearFailure();
    } else if (answer?.status === 409) return this.settleConflict(told);
    else if (!answer || answer.status >= 500) {
      this.how.onState("offline");
      this.later(RETRY_MS);
    } else {
      this.how.onState("refused", told.error);
      if (!told.error) showFailure(answer.status, true);
    }
    return Boolean(answer?.ok);
  }

  /** @param {any} told @param {string} graph */
  take(told, graph) {
    this.revision = told.revision;
    this.saved = graph;
    this.how.onProblems(told.problems);
  }

  /** @param {any} told */
  async settleConflict(told) {
    this.how.onState("conflict");
    const choice = await this.how.onConflict(told);
    this.revision = told.revision;
    if (choice === "mine") {
      this.saved = "";
      this.later(0);
      return false;
    }
    this.take(told, this.how.current());
    this.failed = false;
    return true;
  }

  done() {
    clearTimeout(this.timer);
    this.failed = false;
    localStorage.removeItem(this.key);
    this.how.onState("saved");
  }

  /** What is not stored, in the browser. */
  keep() {
    if (!this.isChanged()) return;
    try {
      localStorage.setItem(this.key, JSON.stringify({ revision: this.revision, graph: this.how.current() }));
    } catch {
      // Its room is full, or there is none: the page itself still holds the graph.
    }
  }

  get key() {
    return keyOf(this.how.slug);
  }
}

/** @param {string} slug */
const keyOf = (slug) => `flow:${slug}`;

/** What an earlier visit could not store. @param {string} slug @returns {{revision: number, graph: string} | null} */
export function keptOf(slug) {
  try {
    return JSON.parse(localStorage.getItem(keyOf(slug)) ?? "null");
  } catch {
    return null;
  }
}
