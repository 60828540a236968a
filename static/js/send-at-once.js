// A form that is sent as soon as a file is chosen, or dropped anywhere on the page:
// <input type="file" data-send-at-once>.
// @ts-check

const field = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-send-at-once]"));

/** @param {DragEvent} event @param {boolean} isOver */
function show(event, isOver) {
  if (!event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  document.body.classList.toggle("vf-dropping", isOver);
}

if (field) {
  field.addEventListener("change", () => field.files?.length && field.form?.requestSubmit());
  addEventListener("dragover", (event) => show(event, true));
  addEventListener("dragleave", (event) => event.relatedTarget || show(event, false));
  addEventListener("drop", (event) => {
    show(event, false);
    const dropped = [...(event.dataTransfer?.files ?? [])];
    if (!dropped.length) return;
    const taken = new DataTransfer();
    for (const file of field.multiple ? dropped : dropped.slice(0, 1)) taken.items.add(file);
    field.files = taken.files;
    field.form?.requestSubmit();
  });
  addEventListener("pageshow", () => (field.value = "")); // the same file can be chosen again
}
