// The rules for a new password, each marked as kept or not while it is typed. The server judges.
// @ts-check
import { setText } from "./format.js";

const PAUSE_MS = 250;

for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (document.querySelectorAll("[data-password-rules]"))) {
  const password = /** @type {HTMLInputElement} */ (form.querySelector("[data-new-password]"));
  let timer = 0;
  let asked = 0;

  async function judge() {
    asked += 1;
    const mine = asked;
    const answer = await fetch(form.dataset.passwordRules ?? "", {
      method: "POST",
      body: new FormData(form),
      headers: { "X-Requested-With": "fetch" },
    }).catch(() => null);
    if (!answer?.ok || mine !== asked) return; // the form's own answer will tell
    mark((await answer.json()).kept);
  }

  /** @param {boolean[]} kept */
  function mark(kept) {
    form.querySelectorAll("[data-rule]").forEach((rule, index) => {
      rule.classList.toggle("vf-kept", kept[index]);
      const words = /** @type {HTMLElement} */ (rule.querySelector("[data-kept]"));
      setText(words, (password.value && (kept[index] ? words.dataset.kept : words.dataset.broken)) || "");
    });
  }

  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(judge, PAUSE_MS);
  });
}
