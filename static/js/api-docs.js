// The page of the API: what is searched stays, and what an address names is open.

const search = /** @type {HTMLInputElement} */ (document.getElementById("api-search"));
const operations = [.../** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll("[data-api-operation]"))];

search.addEventListener("input", () => {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const each of operations) {
    const text = (each.textContent ?? "").toLowerCase();
    each.hidden = !words.every((word) => text.includes(word));
  }
  for (const tag of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-api-tag]"))) {
    tag.hidden = !tag.querySelector("[data-api-operation]:not([hidden])");
  }
  /** @type {HTMLElement} */ (document.getElementById("api-none")).hidden = operations.some((each) => !each.hidden);
});

function open() {
  const named = document.getElementById(location.hash.slice(1));
  if (named instanceof HTMLDetailsElement) named.open = true;
}
addEventListener("hashchange", open);
open();
