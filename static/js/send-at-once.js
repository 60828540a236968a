// A form that is sent as soon as a file is chosen: <input type="file" data-send-at-once>.
// @ts-check

document.addEventListener("change", (event) => {
  const field = /** @type {HTMLInputElement} */ (event.target);
  if (field.matches("[data-send-at-once]") && field.files?.length) field.form?.requestSubmit();
});
addEventListener("pageshow", () => {
  for (const field of document.querySelectorAll("[data-send-at-once]")) /** @type {HTMLInputElement} */ (field).value = ""; // the same file can be chosen again
});
