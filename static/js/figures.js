// Sizes that the server works out, `data-css="width: 40%"`: the policy of our pages takes no style attributes.
// @ts-check
new MutationObserver((changes) => {
  for (const { type, target, addedNodes } of changes) {
    for (const node of type === "attributes" ? [target] : addedNodes) apply(node);
  }
}).observe(document.documentElement, { subtree: true, childList: true, attributeFilter: ["data-css"] });
apply(document.documentElement);

/** @param {Node} node */
function apply(node) {
  if (!(node instanceof HTMLElement)) return;
  if (node.dataset.css) node.style.cssText = node.dataset.css;
  for (const each of /** @type {NodeListOf<HTMLElement>} */ (node.querySelectorAll("[data-css]"))) {
    each.style.cssText = each.dataset.css ?? "";
  }
}
