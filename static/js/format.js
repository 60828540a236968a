// Figures with their units, as the template filters of the same names write them.
// @ts-check

/** 83.2 as 1:23. @param {number} seconds */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const rest = String(whole % 60).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${rest}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}

const language = document.documentElement.lang || "en";
/** 12345.6 as 12,346, or as the language groups it. @param {number} value @param {number} [decimals] */
export function number(value, decimals = 0) {
  return new Intl.NumberFormat(language, {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  }).format(value);
}

/** The words of an element for a count: data-one, data-other, and more where the language has more forms.
 * @param {DOMStringMap} words @param {number} count @param {string} [prefix] of the attributes' names */
export function plural(words, count, prefix = "") {
  const form = new Intl.PluralRules(language).select(count);
  const named = (/** @type {string} */ name) => words[prefix ? prefix + name[0].toUpperCase() + name.slice(1) : name];
  return filled(named(form) ?? named("other") ?? "", { count: number(count) });
}

/** 820 as 820 ms, 1240 as 1.24 s. @param {number | null | undefined} value */
export function milliseconds(value) {
  if (value === null || value === undefined) return "–";
  const whole = Math.round(value);
  if (whole < 1000) return filled(labels.units.milliseconds, { n: whole });
  return filled(labels.units.seconds, { n: number(whole / 1000, 2) });
}

/** A number in groups; anything else as it is. @param {string} number */
export function phone(number) {
  const american = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(number);
  if (american) return `+1 ${american[1]}-${american[2]}-${american[3]}`;
  return /^\+\d{7,}$/.test(number) ? number.replace(/(\+\d{2})(?=\d)|(\d{3})(?=\d{2})/g, "$1$2 ") : number;
}

/** @param {number[]} values */
export function median(values) {
  if (!values.length) return null;
  const ordered = [...values].sort((a, b) => a - b);
  const middle = ordered.length >> 1;
  return ordered.length % 2 ? ordered[middle] : (ordered[middle - 1] + ordered[middle]) / 2;
}

/** Writes only what differs, so that selections and screen readers are left in peace.
 * @param {Element | null} element @param {string} text */
export function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/** "Pressed {digits}" with its values. @param {string} text @param {Record<string, any>} values */
export function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** The words for codes, put into the page by the server. */
export const labels = JSON.parse(document.getElementById("labels")?.textContent ?? "{}");

/** Who operates a call, as people know them. @param {string} username */
export const personName = (username) => labels.people?.[username] ?? username;
