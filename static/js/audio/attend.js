// A page at a live call: who else is there, how loud it is, what is heard, and the operator's microphone.
// The other side is telephony/attending.py.
// @ts-check
import { assertAble, openMicrophone, Problem, release } from "./microphone.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5000;
const SILENT_MS = 4000; // of a call that tells its levels many times a second: the network is gone
const REFUSED = 4401;
const BACKLOG_BYTES = 32_000; // a connection this far behind cannot carry speech

/** @typedef {"both" | "caller" | "agent"} Leg */

/**
 * Events, each a CustomEvent: `people` {people}, `levels` {caller, agent} (0..1), `microphone` {level},
 * `listening` {on, blocked}, `away` (the connection is lost, and tried again).
 */
export class Attendance extends EventTarget {
  /** @type {{url: string, capture: string, playback: string}} */ #addresses;
  /** @type {WebSocket | null} */ #socket = null;
  /** @type {AudioContext | null} */ #audio = null;
  /** @type {AudioWorkletNode | null} */ #playback = null;
  /** @type {{caller: GainNode, agent: GainNode} | null} */ #gains = null;
  /** @type {MediaStream | null} */ #stream = null;
  /** @type {AudioWorkletNode | null} */ #capture = null;
  /** @type {Leg} */ #leg = "both";
  #rate = 0; // Hz of the call's sound; 0 until it has answered
  #listens = false;
  #speaks = false;
  #muted = false;
  #closed = false;
  #wait = FIRST_WAIT_MS;
  #heardAt = 0; // when the server last said something
  /** @type {MediaStreamAudioSourceNode | null} */ #source = null;
  #microphones = 0; // asked for so far; one that was let go while it opened is released

  /** @param {{url: string, capture: string, playback: string}} addresses */
  constructor(addresses) {
    super();
    this.#addresses = addresses;
  }

  /** Whether the call has answered, so that it can be heard and spoken to. */
  get ready() {
    return this.#rate > 0;
  }

  get listens() {
    return this.#listens;
  }

  get speaks() {
    return this.#speaks;
  }

  open() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}${this.#addresses.url}`);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onopen = () => {
      this.#wait = FIRST_WAIT_MS;
      this.#send({ listen: this.#listens });
    };
    socket.onmessage = ({ data }) => {
      this.#heardAt = Date.now();
      if (data instanceof ArrayBuffer) this.#playback?.port.postMessage({ pcm: data }, [data]);
      else this.#take(JSON.parse(data));
    };
    socket.onclose = ({ code }) => this.#lost(code);
    clearInterval(this.#watch);
    this.#watch = setInterval(() => this.#look(), 1000);
  }

  #watch = 0;

  /** A connection that died without a word is left, not closed: closing waits for the other side. */
  #look() {
    if (!this.ready || Date.now() - this.#heardAt < SILENT_MS) return;
    const socket = /** @type {WebSocket} */ (this.#socket);
    socket.onclose = socket.onmessage = null;
    socket.close();
    this.#lost(0);
  }

  /** @param {number} code */
  #lost(code) {
    this.#rate = 0;
    clearInterval(this.#watch);
    if (this.#closed) return;
    this.#tell("away", {});
    if (code === REFUSED) this.#wait = LONGEST_WAIT_MS; // the page's other socket sees to it that one is told
    setTimeout(() => !this.#closed && this.open(), this.#wait);
    this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT_MS);
  }

  /** The call is over. */
  close() {
    this.#closed = true;
    clearInterval(this.#watch);
    this.stopMicrophone();
    this.#stopHearing();
    this.#socket?.close();
  }

  /** The call may have been answered just now: ask again. */
  ask() {
    this.#send({ listen: this.#listens });
  }

  /** Begin or cease to hear the call. Throws a Problem. @param {boolean} on */
  async listen(on) {
    if (on && !this.#playback) await this.#openPlayback();
    this.#listens = on;
    if (!on) this.#stopHearing();
    this.#send({ listen: on });
    this.#tell("listening", { on, blocked: on && this.#audio?.state !== "running" });
  }

  /** @param {Leg} leg */
  hear(leg) {
    this.#leg = leg;
    this.#setGains();
  }

  /** The operator's voice goes to the call, which takes it once they have it. Throws a Problem. */
  async startMicrophone() {
    assertAble();
    if (!this.ready) throw new Problem("lost");
    const number = ++this.#microphones;
    const opening = this.#openAudio().then(async (audio) => {
      await audio.audioWorklet.addModule(this.#addresses.capture);
      return audio;
    });
    const stream = await openMicrophone("");
    try {
      const audio = await opening;
      this.#capture = new AudioWorkletNode(audio, "capture", {
        numberOfOutputs: 0,
        channelCount: 1,
        channelCountMode: "explicit",
        processorOptions: { rate: this.#rate },
      });
      this.#source = audio.createMediaStreamSource(stream);
      this.#source.connect(this.#capture);
    } catch {
      release(stream);
      throw new Problem("unsupported");
    }
    this.#stream = stream;
    if (number !== this.#microphones) return this.stopMicrophone();
    this.#speaks = true;
    this.mute(false);
    this.#setGains();
    this.#capture.port.onmessage = ({ data }) => this.#heardMicrophone(data);
    stream.getAudioTracks()[0].onended = () => this.stopMicrophone();
  }

  stopMicrophone() {
    this.#speaks = false;
    this.#microphones += 1;
    release(this.#stream);
    this.#source?.disconnect();
    end(this.#capture);
    this.#stream = this.#source = this.#capture = null;
    this.#setGains();
    this.#closeAudio();
  }

  /** @param {boolean} muted */
  mute(muted) {
    this.#muted = muted;
    for (const track of this.#stream?.getAudioTracks() ?? []) track.enabled = !muted;
  }

  // ---- inside ----

  async #openAudio() {
    this.#audio ??= new AudioContext({ latencyHint: "interactive" });
    // Without a click or a key on this page a browser may refuse to sound, and never answers.
    await Promise.race([this.#audio.resume(), new Promise((done) => setTimeout(done, 300))]);
    return this.#audio;
  }

  async #openPlayback() {
    if (!("AudioWorkletNode" in window)) throw new Problem("unsupported");
    if (!this.ready) throw new Problem("lost");
    const audio = await this.#openAudio();
    await audio.audioWorklet.addModule(this.#addresses.playback);
    this.#playback = new AudioWorkletNode(audio, "playback", {
      numberOfInputs: 0,
      outputChannelCount: [2],
      processorOptions: { rate: this.#rate, channels: 2, live: true },
    });
    const split = audio.createChannelSplitter(2);
    const caller = audio.createGain();
    const agent = audio.createGain();
    const both = audio.createGain();
    this.#playback.connect(split);
    split.connect(caller, 0).connect(both);
    split.connect(agent, 1).connect(both);
    both.connect(audio.destination);
    this.#gains = { caller, agent };
    this.#setGains();
  }

  #stopHearing() {
    this.#playback?.disconnect();
    end(this.#playback);
    this.#playback = this.#gains = null;
    this.#closeAudio();
  }

  #closeAudio() {
    if (this.#stream || this.#playback) return;
    this.#audio?.close();
    this.#audio = null;
  }

  /** Who speaks does not hear themselves. */
  #setGains() {
    if (!this.#gains) return;
    this.#gains.caller.gain.value = this.#leg === "agent" && !this.#speaks ? 0 : 1;
    this.#gains.agent.gain.value = this.#leg === "caller" || this.#speaks ? 0 : 1;
  }

  /** @param {any} message */
  #take(message) {
    if (message.t === "attending") this.#rate = message.rate;
    else if (message.t === "error") console.warn(`call socket: ${message.code}: ${message.message}`);
    else this.#tell(message.t, message);
  }

  /** @param {{pcm: ArrayBuffer, level: number}} frame */
  #heardMicrophone({ pcm, level }) {
    this.#tell("microphone", { level: this.#muted ? 0 : level });
    if (!this.#speaks || this.#socket?.readyState !== WebSocket.OPEN) return;
    if (this.#socket.bufferedAmount <= BACKLOG_BYTES) this.#socket.send(pcm);
  }

  /** @param {object} message */
  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** @param {string} name @param {object} detail */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** A worklet goes on for ever unless it is told to stop. @param {AudioWorkletNode | null} node */
function end(node) {
  if (!node) return;
  node.port.onmessage = null;
  node.port.postMessage({ end: true });
}
