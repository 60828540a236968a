// Sound from one rate to another by a polyphase windowed-sinc filter, sample by sample, without drift.
// @ts-check

const ZERO_CROSSINGS = 16;
const ROLLOFF = 0.945; // of the lower rate's half: what lies above is filtered out before it can alias
const KAISER_BETA = 8;

export class Resampler {
  /** @param {number} from Hz @param {number} to Hz, both whole */
  constructor(from, to) {
    const divisor = gcd(from, to);
    this.advance = from / divisor; // in phases, for each output sample
    this.phases = to / divisor;
    this.half = Math.ceil(ZERO_CROSSINGS / (Math.min(1, to / from) * ROLLOFF));
    this.weights = kernel(this.phases, this.half, Math.min(1, to / from) * ROLLOFF);
    this.ring = new Float32Array(2 ** Math.ceil(Math.log2(4 * this.half)));
    this.mask = this.ring.length - 1;
    this.written = this.half; // begins after a stretch of silence
    this.base = this.half;
    this.phase = 0;
  }

  /** @param {number} sample */
  push(sample) {
    this.ring[this.written & this.mask] = sample;
    this.written += 1;
  }

  /** Whether enough has been pushed for the next output sample. */
  get ready() {
    return this.base + this.half < this.written;
  }

  next() {
    const { ring, mask, weights, half } = this;
    const row = this.phase * 2 * half;
    const first = this.base - half + 1;
    let sum = 0;
    for (let tap = 0; tap < 2 * half; tap++) sum += ring[(first + tap) & mask] * weights[row + tap];
    this.phase += this.advance;
    this.base += Math.floor(this.phase / this.phases);
    this.phase %= this.phases;
    return sum;
  }
}

/** One row of 2 * half weights for each phase; each row sums to 1. */
function kernel(phases, half, scale) {
  const weights = new Float32Array(phases * 2 * half);
  for (let phase = 0; phase < phases; phase++) {
    const row = weights.subarray(phase * 2 * half, (phase + 1) * 2 * half);
    let sum = 0;
    for (let tap = 0; tap < row.length; tap++) {
      const distance = (phase / phases - (tap - half + 1)) * scale;
      row[tap] = sinc(distance) * kaiser(distance / ZERO_CROSSINGS);
      sum += row[tap];
    }
    for (let tap = 0; tap < row.length; tap++) row[tap] /= sum;
  }
  return weights;
}

const sinc = (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
const kaiser = (x) => (Math.abs(x) >= 1 ? 0 : bessel(KAISER_BETA * Math.sqrt(1 - x * x)) / bessel(KAISER_BETA));
const gcd = (a, b) => (b ? gcd(b, a % b) : a);

/** The modified Bessel function of the first kind, order 0, by its series. */
function bessel(x) {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > 1e-10 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
