// The microphone at the device's rate -> frames of 20 ms, s16le mono, each with its level.
//
// Processor options: {rate: Hz of the frames, 16000 if not given}. In: {end: true}
import { Resampler } from "./resample.js";

const RATE = 16_000;
const FRAME_SECONDS = 0.02;

class Capture extends AudioWorkletProcessor {
  constructor({ processorOptions }) {
    super();
    const rate = processorOptions?.rate ?? RATE;
    this.resampler = new Resampler(sampleRate, rate);
    this.samples = rate * FRAME_SECONDS;
    this.frame = new Int16Array(this.samples);
    this.filled = 0;
    this.peak = 0;
    this.ended = false;
    this.port.onmessage = ({ data }) => (this.ended = Boolean(data.end));
  }

  process([channels]) {
    if (this.ended) return false;
    const sound = channels[0];
    if (!sound) return true; // the microphone is being changed
    for (let index = 0; index < sound.length; index++) {
      this.resampler.push(sound[index]);
      while (this.resampler.ready) this.take(this.resampler.next());
    }
    return true;
  }

  take(sample) {
    const clipped = Math.max(-1, Math.min(1, sample));
    this.peak = Math.max(this.peak, Math.abs(clipped));
    this.frame[this.filled++] = Math.round(clipped * 32767);
    if (this.filled < this.samples) return;
    const pcm = this.frame.buffer;
    this.port.postMessage({ pcm, level: this.peak }, [pcm]);
    this.frame = new Int16Array(this.samples);
    this.filled = 0;
    this.peak = 0;
  }
}

registerProcessor("capture", Capture);
