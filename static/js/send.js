// A form sent by fetch while its page stays; what went wrong is said to the person.
// @ts-check
import { askSession, clearFailure, sayFailure, showFailure } from "./failure.js";
import { typed } from "./forms.js";

/** Whether it was taken. `complain` gets the server's words for what was not, and "" where all went well; without
 * it they stand in the page's one place for failures, like everything that has no words of its own.
 * @param {HTMLFormElement} form
 * @param {{action?: string, complain?: (words: string) => void}} [how] */
export async function sendForm(form, { action = form.action, complain = sayFailure } = {}) {
  const headers = { "X-Requested-With": "fetch" };
  const post = () => fetch(action, { method: "POST", body: new FormData(form), headers }).catch(() => null);
  let answer = await post();
  if (answer?.status === 403) {
    const { status } = await askSession(new URL(action, location.href).pathname, "post");
    if (status === 200) answer = await post(); // only its token was old
  }
  if (answer?.ok) {
    clearFailure();
    complain("");
    return true;
  }
  const told = (await answer?.json().catch(() => null))?.error;
  if (typeof told === "string") complain(told);
  else showFailure(answer?.status ?? 0, typed());
  return false;
}
