// A conversation over /ws/realtime, from a microphone to a loudspeaker: an example that needs nothing else than
// the two worklets beside it (static/js/audio). The page /api/docs/realtime runs it; /asyncapi.json tells the messages.
// @ts-check

export class RealtimeSession extends EventTarget {
  /** @type {WebSocket | null} */ #socket = null;
  /** @type {AudioContext | null} */ #audio = null;
  /** @type {AudioWorkletNode | null} */ #playback = null;
  /** @type {MediaStream | null} */ #microphone = null;
  #sent = 0;

  /**
   * Every message of the server is an event of its own type, with the message in `detail`; `closed` comes last.
   * `apiKey` may be "" on pages of the server itself, whose visitors are signed in.
   * @param {{address: string, apiKey: string, config: object, worklets: {capture: string, playback: string}}} options
   */
  async start({ address, apiKey, config, worklets }) {
    const audio = (this.#audio = new AudioContext());
    this.#microphone = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true } });
    await Promise.all([worklets.capture, worklets.playback].map((url) => audio.audioWorklet.addModule(url)));
    await audio.resume();

    // Loudspeaker: takes PCM16 at 16 kHz, as it comes in tts_chunk.
    this.#playback = new AudioWorkletNode(audio, "playback", { numberOfInputs: 0, outputChannelCount: [1] });
    this.#playback.connect(audio.destination);

    // Microphone: gives 20 ms of PCM16 at 16 kHz, as audio_chunk takes it.
    const capture = new AudioWorkletNode(audio, "capture", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    capture.port.onmessage = ({ data }) =>
      this.send("audio_chunk", { chunk: toBase64(data.pcm), timestamp: performance.now() });

    const socket = (this.#socket = new WebSocket(address));
    socket.onopen = () => this.send("init", { apiKey, config });
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
    socket.onclose = ({ code }) => this.#close(code);
    this.addEventListener("ready", () => audio.createMediaStreamSource(/** @type {MediaStream} */ (this.#microphone)).connect(capture));
  }

  /** @param {string} type @param {object} [content] */
  send(type, content = {}) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#socket.send(JSON.stringify({ type, eventId: `browser-${++this.#sent}`, ...content }));
  }

  /** @param {any} message */
  #take(message) {
    if (message.type === "tts_chunk") {
      if (message.clear) this.#playback?.port.postMessage({ clear: true }); // the agent was interrupted
      else if (message.chunk) this.#playback?.port.postMessage({ pcm: fromBase64(message.chunk) });
    }
    this.dispatchEvent(new CustomEvent(message.type, { detail: message }));
  }

  /** @param {number} code */
  #close(code) {
    for (const track of this.#microphone?.getTracks() ?? []) track.stop();
    this.#audio?.close();
    this.dispatchEvent(new CustomEvent("closed", { detail: { code } }));
  }
}

/** @param {ArrayBuffer} pcm */
function toBase64(pcm) {
  return btoa(String.fromCharCode(...new Uint8Array(pcm)));
}

/** @param {string} text @returns {ArrayBuffer} */
function fromBase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
}
