// Passwords: a button shows what is typed, and the rules for a new one are each marked as kept or not with every
// key. What only the server can judge, like passwords that many people use, it is asked once typing rests. What
// is known to break a rule is not sent.
// @ts-check
import { setText } from "./format.js";

const PAUSE_MS = 250;

for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (document.querySelectorAll("[data-password-rules]"))) {
  const password = /** @type {HTMLInputElement} */ (form.querySelector("[data-new-password]"));
  const rules = /** @type {HTMLElement[]} */ ([...form.querySelectorAll("[data-rule]")]);
  let timer = 0;
  let asked = 0;
  let answered = 0; // the last that was

  function judge() {
    asked += 1; // what the server has not answered yet is of an older password, or of an older name
    for (const rule of rules) {
      if (rule.dataset.rule) mark(rule, new RegExp(`^${rule.dataset.rule}$`, "u").test(password.value));
      else if (!password.value) mark(rule, false);
    }
    clearTimeout(timer);
    if (password.value) timer = window.setTimeout(askServer, PAUSE_MS);
    if (!rules.some(isBroken)) password.removeAttribute("aria-invalid");
  }

  async function askServer() {
    const mine = asked;
    const answer = await fetch(form.dataset.passwordRules ?? "", {
      method: "POST",
      body: new FormData(form),
      headers: { "X-Requested-With": "fetch" },
    }).catch(() => null);
    if (!answer?.ok || mine !== asked) return; // the form's own answer will tell
    answered = mine;
    /** @type {boolean[]} */ ((await answer.json()).kept).forEach((kept, index) => mark(rules[index], kept));
  }

  /** @param {HTMLElement} rule @param {boolean} kept */
  function mark(rule, kept) {
    const broken = !kept && password.value !== "";
    rule.classList.toggle("vf-kept", kept);
    rule.classList.toggle("vf-broken", broken);
    const words = /** @type {HTMLElement} */ (rule.querySelector("[data-kept]"));
    setText(words, (kept ? words.dataset.kept : broken && words.dataset.broken) || "");
  }

  /** As far as it is known by now. @param {HTMLElement} rule */
  const isBroken = (rule) => rule.classList.contains("vf-broken") && (rule.dataset.rule || answered === asked);

  /** What the server said of a field was of what stood in it then. @param {Event} event */
  function forgive({ target }) {
    const field = /** @type {HTMLInputElement} */ (target);
    field.removeAttribute("aria-invalid");
    document.getElementById(`${field.id}_error`)?.remove();
    if (!form.querySelector(".vf-error")) form.querySelector(".vf-notice")?.remove();
  }

  form.addEventListener("input", forgive);
  form.addEventListener("input", judge);
  form.addEventListener("submit", (event) => {
    if (!rules.some(isBroken)) return;
    event.preventDefault();
    password.setAttribute("aria-invalid", "true");
    password.focus();
  });
}

for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("[data-show-password]"))) {
  const field = /** @type {HTMLInputElement} */ (document.getElementById(button.getAttribute("aria-controls") ?? ""));
  /** @param {boolean} shown */
  const show = (shown) => {
    field.type = shown ? "text" : "password";
    button.ariaPressed = String(shown);
  };
  button.hidden = false;
  button.addEventListener("click", () => show(button.ariaPressed !== "true"));
  field.form?.addEventListener("submit", () => show(false)); // or the browser would keep it among words once typed
}
