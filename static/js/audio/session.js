// A spoken conversation with an agent: microphone, loudspeaker and the socket between them and the server.
// @ts-check
import { assertAble, openMicrophone, Problem, release } from "./microphone.js";

const STOP_PATIENCE_MS = 2000;
const BACKLOG_BYTES = 32_000; // a second of sound: a connection this far behind cannot carry speech

/**
 * Events, each a CustomEvent: `state` {state: asking | connecting | live}, `call` {call, page},
 * `levels` {caller?, agent?} (0..1), `over` {reason, transferTo, problem?}.
 * A session is used once.
 */
export class TalkSession extends EventTarget {
  /** @type {AudioContext | null} */ #audio = null;
  /** @type {MediaStream | null} */ #stream = null;
  /** @type {MediaStreamAudioSourceNode | null} */ #source = null;
  /** @type {AudioWorkletNode | null} */ #capture = null;
  /** @type {AudioWorkletNode | null} */ #playback = null;
  /** @type {WebSocket | null} */ #socket = null;
  #live = false;
  #over = false;
  #muted = false;
  #microphonesAsked = 0;

  /**
   * @param {{start: string, capture: string, playback: string, csrf: string}} addresses
   * @param {string} microphone a device's id, or "" for the system's default
   */
  async start(addresses, microphone) {
    try {
      this.#tell("state", { state: "asking" });
      assertAble();
      this.#audio = new AudioContext({ latencyHint: "interactive" });
      this.#keep(await this.#openMicrophone(microphone));
      if (this.#over) return;
      this.#tell("state", { state: "connecting" });
      await this.#openWorklets(addresses);
      const call = await announce(addresses);
      if (this.#over) return;
      this.#tell("call", call);
      this.#openSocket(call);
    } catch (error) {
      if (!(error instanceof Problem)) console.warn(error);
      this.#finish("", { problem: error instanceof Problem ? error : new Problem("unsupported") });
    }
  }

  hangUp() {
    if (this.#over) return;
    if (this.#socket?.readyState !== WebSocket.OPEN) return this.#finish("caller_hung_up");
    this.#send({ type: "stop" });
    this.#playback?.port.postMessage({ clear: true });
    setTimeout(() => this.#finish("caller_hung_up"), STOP_PATIENCE_MS);
  }

  /** @param {string} digit */
  press(digit) {
    this.#send({ type: "digit", digit });
  }

  /** @param {boolean} muted */
  mute(muted) {
    this.#muted = muted;
    for (const track of this.#stream?.getAudioTracks() ?? []) track.enabled = !muted;
  }

  /**
   * Changes the microphone of a running call, which keeps the one it has if the other cannot be opened.
   * Throws a Problem then. @param {string} id
   */
  async useMicrophone(id) {
    if (!this.#capture || this.#over) return;
    const stream = await this.#openMicrophone(id);
    if (this.#keep(stream)) this.#connectMicrophone();
  }

  /** @param {string} id @returns {Promise<MediaStream | null>} null if another was asked for since then */
  async #openMicrophone(id) {
    const asked = ++this.#microphonesAsked;
    const stream = await openMicrophone(id);
    if (asked === this.#microphonesAsked) return stream;
    release(stream);
    return null;
  }

  /** Whether the stream is now the session's; one that came too late is released. @param {MediaStream | null} stream */
  #keep(stream) {
    if (!stream) return false;
    if (this.#over) {
      release(stream);
      return false;
    }
    release(this.#stream);
    this.#stream = stream;
    this.mute(this.#muted);
    const [track] = stream.getAudioTracks();
    track.onended = () => {
      this.#send({ type: "stop" });
      this.#finish("caller_hung_up", { problem: new Problem("missing") });
    };
    return true;
  }

  /** @param {{capture: string, playback: string}} addresses */
  async #openWorklets({ capture, playback }) {
    const audio = /** @type {AudioContext} */ (this.#audio);
    await audio.resume();
    await Promise.all([audio.audioWorklet.addModule(capture), audio.audioWorklet.addModule(playback)]);
    this.#capture = new AudioWorkletNode(audio, "capture", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    this.#playback = new AudioWorkletNode(audio, "playback", { numberOfInputs: 0, outputChannelCount: [1] });
    this.#capture.port.onmessage = ({ data }) => this.#heardMicrophone(data);
    this.#playback.port.onmessage = ({ data }) => this.#heardPlayback(data);
    this.#playback.port.postMessage({ latency: audio.outputLatency || audio.baseLatency || 0 });
    this.#playback.connect(audio.destination);
    this.#connectMicrophone();
  }

  #connectMicrophone() {
    this.#source?.disconnect();
    this.#source = /** @type {AudioContext} */ (this.#audio).createMediaStreamSource(
      /** @type {MediaStream} */ (this.#stream),
    );
    this.#source.connect(/** @type {AudioWorkletNode} */ (this.#capture));
  }

  /** @param {{socket: string, token: string}} call */
  #openSocket({ socket, token }) {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    this.#socket = new WebSocket(`${scheme}//${location.host}${socket}`);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onopen = () => this.#send({ type: "start", token });
    this.#socket.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) this.#playback?.port.postMessage({ pcm: data }, [data]);
      else this.#take(JSON.parse(data));
    };
    this.#socket.onclose = () => this.#finish("line_lost", { problem: new Problem("lost") });
  }

  /** @param {any} message */
  #take(message) {
    if (message.type === "ready") {
      this.#live = true;
      this.#tell("state", { state: "live" });
    } else if (message.type === "mark") this.#playback?.port.postMessage({ mark: message.name });
    else if (message.type === "clear") this.#playback?.port.postMessage({ clear: true });
    else if (message.type === "ended") this.#finish(message.reason, { transferTo: message.transfer_to ?? "" });
    else if (message.type === "error") this.#finish("", { problem: new Problem("turned_away", message.message) });
  }

  /** @param {{pcm: ArrayBuffer, level: number}} frame */
  #heardMicrophone({ pcm, level }) {
    this.#tell("levels", { caller: this.#muted ? 0 : level });
    if (!this.#live || this.#socket?.readyState !== WebSocket.OPEN) return;
    if (this.#socket.bufferedAmount <= BACKLOG_BYTES) this.#socket.send(pcm); // else late sound is of no use
  }

  /** @param {any} data */
  #heardPlayback(data) {
    if (data.mark !== undefined) this.#send({ type: "mark", name: data.mark });
    else if (data.level !== undefined) this.#tell("levels", { agent: data.level });
  }

  /** @param {object} message */
  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** @param {string} reason @param {{transferTo?: string, problem?: Problem}} [more] */
  #finish(reason, more = {}) {
    if (this.#over) return;
    this.#over = true;
    this.#live = false;
    release(this.#stream);
    this.#socket?.close();
    this.#audio?.close();
    this.#tell("over", { reason, transferTo: "", ...more });
  }

  /** @param {string} name @param {object} detail */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** Asks the server for a call. @param {{start: string, csrf: string}} addresses */
async function announce({ start, csrf }) {
  const headers = { "X-CSRFToken": csrf, "X-Requested-With": "fetch" };
  const answer = await fetch(start, { method: "POST", headers }).catch(() => null);
  if (!answer) throw new Problem("unreachable");
  if (answer.status === 401) throw new Problem("signed_out");
  if (answer.status === 403) throw new Problem("expired");
  const call = await answer.json().catch(() => ({}));
  if (call.error) throw new Problem("turned_away", call.error);
  if (!answer.ok || !call.token) throw new Problem("server_failed");
  return call;
}
