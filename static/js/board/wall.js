// The board for a screen on a wall: no menu, large type, a clock, and the screen stays awake.
// @ts-check

const page = /** @type {HTMLElement} */ (document.getElementById("main"));
const clock = /** @type {HTMLElement} */ (document.querySelector("[data-wall-clock]"));
const time = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
const ROOMY = 6, // as many calls as large cards fit on a screen
  MANY = 20,
  CROWDED = 48;
/** @type {WakeLockSentinel | null} */
let awake = null;

export const isWall = () => page.classList.contains("vf-page-wall");

/** How large the cards can be. @param {number} calls */
export function fitWall(calls) {
  page.dataset.calls = calls <= ROOMY ? "few" : calls <= MANY ? "some" : calls <= CROWDED ? "many" : "crowd";
}

export function toggleWall() {
  show(!isWall());
}

/** @param {boolean} wall */
function show(wall) {
  page.classList.toggle("vf-page-wall", wall);
  const query = new URLSearchParams(location.search);
  if (wall) query.set("wall", "1");
  else query.delete("wall");
  history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
  if (wall) document.documentElement.requestFullscreen?.().catch(() => {}); // refused without a click or a key
  else if (document.fullscreenElement) document.exitFullscreen();
  keepAwake();
}

/** A screen that nobody touches would go dark; where the browser cannot keep it awake the system must. */
async function keepAwake() {
  if (!isWall()) {
    await awake?.release();
    awake = null;
  } else if (document.visibilityState === "visible" && "wakeLock" in navigator) {
    awake = await navigator.wakeLock.request("screen").catch(() => null);
  }
}

function tick() {
  const now = new Date();
  clock.textContent = time.format(now);
  setTimeout(tick, 60_000 - (now.getTime() % 60_000));
}

export function startWall() {
  tick();
  keepAwake();
  document.addEventListener("visibilitychange", keepAwake); // the lock is lost when the page is hidden
  document.addEventListener("fullscreenchange", () => {
    if (!document.fullscreenElement && isWall()) show(false); // Esc leaves both
  });
  document.addEventListener("keydown", ({ key }) => {
    if (key === "Escape" && isWall() && !document.querySelector("dialog[open]")) show(false);
  });
  document.querySelector("[data-wall-close]")?.addEventListener("click", () => show(false));
  document.querySelector("[data-wall-open]")?.addEventListener("click", (event) => {
    event.preventDefault();
    show(true);
  });
}
