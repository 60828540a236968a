// The list of calls: boxes that float above it, filters that were not understood.
// @ts-check

/** A box that floats above the list closes with Escape, and when something else is clicked. */
const open = () => /** @type {HTMLDetailsElement[]} */ (Array.from(document.querySelectorAll("[data-pop][open]")));

/** One that would hang over the edge of the window opens towards the other side. */
document.addEventListener("toggle", showWhole, true); // this event does not bubble

/** @param {Event} event */
function showWhole(event) {
  const box = /** @type {HTMLDetailsElement} */ (event.target);
  if (box.dataset.pop !== "either") return;
  box.classList.remove("vf-pop-end");
  const edge = box.lastElementChild?.getBoundingClientRect().right ?? 0;
  box.classList.toggle("vf-pop-end", box.open && edge > document.documentElement.clientWidth);
}

/** Fields of what the server did not understand are marked, and described by what it says of them. */
function markMisread() {
  for (const field of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[id^=filter-]"))) {
    const said = document.querySelector(`[data-misread="${CSS.escape(field.getAttribute("name") ?? "")}"]`);
    field.ariaInvalid = said ? "true" : null;
    const described = (field.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => !id.startsWith("misread-"));
    if (said) described.push(said.id);
    field.setAttribute("aria-describedby", described.join(" ").trim());
  }
}
markMisread();
document.addEventListener("htmx:afterSettle", markMisread);

document.addEventListener("click", (event) => {
  if (/** @type {HTMLElement} */ (event.target).closest(".vf-refused a")) return; // it leads into a box
  for (const box of open()) if (!box.contains(/** @type {Node} */ (event.target))) box.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const box of open()) {
    box.open = false;
    box.querySelector("summary")?.focus();
  }
});
