// s16le from the server -> the loudspeaker, through a buffer that waits for late sound.
//
// Processor options: {rate: Hz, 16000 if not given; channels: 1 or 2, interleaved; live: what is behind is
// left out, since it comes as it happens and not ahead}
// In:  {pcm: ArrayBuffer}  sound to play after all before
//      {mark: string}      to be told back when all sound before it has been heard
//      {clear: true}       drop what has not been played; outstanding marks come back at once
//      {latency: seconds}  from here to the ear
//      {end: true}         nothing more is played
// Out: {mark}, {cleared: true}, and 20 times a second {level, bufferedSeconds, targetSeconds, underruns}
import { Resampler } from "./resample.js";

const RATE = 16_000;
const SHORTEST_WAIT_SECONDS = 0.06;
const LONGEST_WAIT_SECONDS = 0.2;
const WAIT_STEP_SECONDS = 0.04;
const LONGEST_LIVE_WAIT_SECONDS = 0.12;
const LIVE_EXCESS_SECONDS = 0.1; // beyond the wait; more is a stall of the page or the network, and over
const JITTER_SECONDS = 0.15; // sound that comes later than this is a pause of the speaker, not of the network
const CALM_SECONDS = 20; // without a gap: try a shorter wait
const FADE_SAMPLES = 80; // 5 ms, so that stopping makes no click
const REPORT_SECONDS = 0.05;

class Playback extends AudioWorkletProcessor {
  constructor({ processorOptions }) {
    super();
    const { rate = RATE, channels = 1, live = false } = processorOptions ?? {};
    this.rate = rate;
    this.live = live;
    this.resamplers = Array.from({ length: channels }, () => new Resampler(rate, sampleRate));
    this.silence = new Float32Array(channels);
    this.frame = new Float32Array(channels); // one sample of each channel
    this.chunks = []; // Int16Array each, interleaved
    this.offset = 0; // into the first chunk
    this.received = 0; // frames
    this.played = 0; // frames; behind `received` by what is buffered
    this.marks = []; // {name, position}: in frames received
    this.due = []; // {name, frame}: played, on its way to the ear
    this.playing = false;
    this.waitingSince = 0;
    this.dryAt = -Infinity;
    this.ended = false;
    this.cleared = false; // what is still played is the fade after a clear
    this.wait = SHORTEST_WAIT_SECONDS * rate; // frames
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
    else if (message.end) this.ended = true;
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
    this.received += chunk.length / this.resamplers.length;
    if (this.live && this.received - this.played > this.wait + LIVE_EXCESS_SECONDS * this.rate) this.catchUp();
  }

  catchUp() {
    while (this.received - this.played > this.wait) this.read();
  }

  cameLate() {
    this.underruns += 1;
    this.calmSince = currentTime;
    const longest = this.live ? LONGEST_LIVE_WAIT_SECONDS : LONGEST_WAIT_SECONDS;
    this.wait = Math.min(longest * this.rate, this.wait + WAIT_STEP_SECONDS * this.rate);
  }

  clear() {
    const channels = this.resamplers.length;
    const frames = Math.min(FADE_SAMPLES, this.playing ? this.received - this.played : 0);
    const tail = new Int16Array(frames * channels);
    for (let index = 0; index < frames; index++) {
      this.read().forEach((sample, channel) => {
        tail[index * channels + channel] = sample * 32767 * (1 - index / frames);
      });
    }
    this.played -= frames;
    this.received = this.played + frames;
    this.chunks = tail.length ? [tail] : [];
    this.offset = 0;
    this.dryAt = -Infinity;
    this.cleared = true;
    for (const { name } of [...this.due, ...this.marks]) this.port.postMessage({ mark: name });
    this.due = [];
    this.marks = [];
    this.port.postMessage({ cleared: true });
  }

  process(_inputs, [outputs]) {
    if (this.ended) return false;
    if (!this.playing) this.playing = this.mayStart();
    const frames = outputs[0].length;
    for (let index = 0; index < frames; index++) {
      while (!this.resamplers[0].ready) {
        const frame = this.playing ? this.read() : this.silence;
        for (let channel = 0; channel < frame.length; channel++) this.resamplers[channel].push(frame[channel]);
      }
      for (let channel = 0; channel < outputs.length; channel++) {
        const sample = this.resamplers[channel].next();
        outputs[channel][index] = sample;
        this.peak = Math.max(this.peak, Math.abs(sample));
      }
    }
    this.tellMarks(frames);
    if (this.playing && currentTime - this.calmSince > CALM_SECONDS) {
      this.calmSince = currentTime;
      this.wait = Math.max(SHORTEST_WAIT_SECONDS * this.rate, this.wait - WAIT_STEP_SECONDS * this.rate);
    }
    this.report();
    return true;
  }

  /** Once enough has come to bridge late sound, or all there is to come, or it has waited long enough. */
  mayStart() {
    const buffered = this.received - this.played;
    if (!buffered) return false;
    const complete = this.marks.length > 0 && this.marks[this.marks.length - 1].position === this.received;
    return complete || buffered >= this.wait || currentTime - this.waitingSince >= this.wait / this.rate;
  }

  /** The next frame; silence, and no more playing, where there is none. */
  read() {
    const chunk = this.chunks[0];
    if (!chunk) {
      this.playing = false;
      const finished = this.cleared || this.marks.some((mark) => mark.position === this.received);
      this.dryAt = finished ? -Infinity : currentTime;
      return this.silence;
    }
    for (let channel = 0; channel < this.frame.length; channel++) {
      this.frame[channel] = chunk[this.offset++] / 32768;
    }
    if (this.offset >= chunk.length) {
      this.chunks.shift();
      this.offset = 0;
    }
    this.played += 1;
    return this.frame;
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
      bufferedSeconds: (this.received - this.played) / this.rate,
      targetSeconds: this.wait / this.rate,
      underruns: this.underruns,
    });
    this.peak = 0;
  }
}

registerProcessor("playback", Playback);
