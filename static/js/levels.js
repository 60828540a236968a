// Meters of loudness: `[data-level="name"]` inside a progress bar, drawn once a frame.
// @ts-check

const FALLS = 0.8; // a frame
/** @type {Map<string, number>} */
const levels = new Map();
let drawing = false;

/** @param {Record<string, number>} fresh name -> loudest sample, 0..1 */
export function showLevels(fresh) {
  for (const [name, level] of Object.entries(fresh)) levels.set(name, Math.max(level, (levels.get(name) ?? 0) * FALLS));
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(draw);
}

export function clearLevels() {
  for (const name of levels.keys()) levels.set(name, 0);
  showLevels({});
}

function draw() {
  drawing = false;
  for (const [name, level] of levels) {
    // Loudness as it is felt: 50 dB below full scale is an empty bar.
    const share = Math.max(0, Math.min(1, 1 + (20 * Math.log10(level + 1e-6)) / 50));
    for (const bar of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(`[data-level="${name}"]`))) {
      bar.style.transform = `scaleX(${share.toFixed(3)})`;
      bar.parentElement?.setAttribute("aria-valuenow", String(Math.round(share * 100)));
    }
  }
}
