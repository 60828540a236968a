// s16le mono 16 kHz from the server -> the loudspeaker, through a buffer that waits for late sound.
//
// In:  {pcm: ArrayBuffer}  sound to play after all before
//      {mark: string}      to be told back when all sound before it has been heard
//      {clear: true}       drop what has not been played; outstanding marks come back at once
//      {latency: seconds}  from here to the ear
// Out: {mark}, {cleared: true}, and 20 times a second {level, bufferedSeconds, targetSeconds, underruns}
import { Resampler } from "./resample.js";

const RATE = 16_000;
const SHORTEST_WAIT = 0.06 * RATE;
const LONGEST_WAIT = 0.2 * RATE;
const WAIT_STEP = 0.04 * RATE;
const JITTER_SECONDS = 0.15; // sound that comes later than this is a pause of the speaker, not of the network
const CALM_SECONDS = 20; // without a gap: try a shorter wait
const FADE_SAMPLES = 80; // 5 ms, so that stopping makes no click
const REPORT_SECONDS = 0.05;

class Playback extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(RATE, sampleRate);
    this.chunks = []; // Int16Array each
    this.offset = 0; // into the first chunk
    this.received = 0; // samples
    this.played = 0; // samples; behind `received` by what is buffered
    this.marks = []; // {name, position}: in samples received
    this.due = []; // {name, frame}: played, on its way to the ear
    this.playing = false;
    this.waitingSince = 0;
    this.dryAt = -Infinity;
    this.cleared = false; // what is still played is the fade after a clear
    this.wait = SHORTEST_WAIT;
    this.calmSince = 0;
    this.underruns = 0;
    this.latencyFrames = 0;
    this.peak = 0;
    this.reportedAt = 0;
    this.port.onmessage = ({ data }) => this.take(data);
  }

  take(message) {
    if (message.pcm) this.enqueue(new Int16Array(message.pcm));
    else if (message.mark !== undefined) this.marks.push({ name: message.mark, position: this.received });
    else if (message.clear) this.clear();
    else if (message.latency !== undefined) this.latencyFrames = Math.round(message.latency * sampleRate);
  }

  enqueue(chunk) {
    if (!chunk.length) return;
    if (this.received === this.played && !this.playing) {
      this.waitingSince = currentTime;
      if (currentTime - this.dryAt < JITTER_SECONDS) this.cameLate();
    }
    this.cleared = false;
    this.chunks.push(chunk);
    this.received += chunk.length;
  }

  cameLate() {
    this.underruns += 1;
    this.calmSince = currentTime;
    this.wait = Math.min(LONGEST_WAIT, this.wait + WAIT_STEP);
  }

  clear() {
    const tail = new Int16Array(Math.min(FADE_SAMPLES, this.playing ? this.received - this.played : 0));
    for (let index = 0; index < tail.length; index++) tail[index] = this.read() * 32767 * (1 - index / tail.length);
    this.played -= tail.length;
    this.received = this.played + tail.length;
    this.chunks = tail.length ? [tail] : [];
    this.offset = 0;
    this.dryAt = -Infinity;
    this.cleared = true;
    for (const { name } of [...this.due, ...this.marks]) this.port.postMessage({ mark: name });
    this.due = [];
    this.marks = [];
    this.port.postMessage({ cleared: true });
  }

  process(_inputs, [[output]]) {
    if (!this.playing) this.playing = this.mayStart();
    for (let index = 0; index < output.length; index++) {
      while (!this.resampler.ready) this.resampler.push(this.playing ? this.read() : 0);
      output[index] = this.resampler.next();
      this.peak = Math.max(this.peak, Math.abs(output[index]));
    }
    this.tellMarks(output.length);
    if (this.playing && currentTime - this.calmSince > CALM_SECONDS) {
      this.calmSince = currentTime;
      this.wait = Math.max(SHORTEST_WAIT, this.wait - WAIT_STEP);
    }
    this.report();
    return true;
  }

  /** Once enough has come to bridge late sound, or all there is to come, or it has waited long enough. */
  mayStart() {
    const buffered = this.received - this.played;
    if (!buffered) return false;
    const complete = this.marks.length > 0 && this.marks[this.marks.length - 1].position === this.received;
    return complete || buffered >= this.wait || currentTime - this.waitingSince >= this.wait / RATE;
  }

  read() {
    const chunk = this.chunks[0];
    if (!chunk) {
      this.playing = false;
      const finished = this.cleared || this.marks.some((mark) => mark.position === this.received);
      this.dryAt = finished ? -Infinity : currentTime;
      return 0;
    }
    const sample = chunk[this.offset++];
    if (this.offset === chunk.length) {
      this.chunks.shift();
      this.offset = 0;
    }
    this.played += 1;
    return sample / 32768;
  }

  tellMarks(frames) {
    while (this.marks.length && this.marks[0].position <= this.played) {
      this.due.push({ name: this.marks.shift().name, frame: currentFrame + frames + this.latencyFrames });
    }
    while (this.due.length && this.due[0].frame <= currentFrame + frames) {
      this.port.postMessage({ mark: this.due.shift().name });
    }
  }

  report() {
    if (currentTime - this.reportedAt < REPORT_SECONDS) return;
    this.reportedAt = currentTime;
    this.port.postMessage({
      level: this.peak,
      bufferedSeconds: (this.received - this.played) / RATE,
      targetSeconds: this.wait / RATE,
      underruns: this.underruns,
    });
    this.peak = 0;
  }
}

registerProcessor("playback", Playback);
