// Words in the user's language: one file per page and language, flat keys, arguments in braces.
import { html } from "/static/lib/ui.js";
import { Store } from "/static/lib/store.js";

/** @typedef {"zh"|"en"} Language */
const LONG = 20; // an emphasis of more letters may break across lines: a phone is not wider
const PLURAL = "|"; // "{n} berry|{n} berries": the first for n = 1

export const language = new Store({ lang: /** @type {Language} */ (document.documentElement.lang === "en" ? "en" : "zh") });

/** @type {Record<string, string>} */
let words = {};
/** @type {Set<string>} */
const loaded = new Set();
/** @type {Set<string>} */
const missed = new Set();

/** Return the language now, "zh" or "en". */
export function lang() {
  return language.get().lang;
}

/** Return the browser's name for the language: for Intl. */
export function locale() {
  return lang() === "zh" ? "zh-CN" : "en-GB";
}

/** @param {string} page @param {Language} which */
async function read(page, which) {
  return (await import(`/static/i18n/${which}/${page}.js`)).default;
}

/** Fetch the words of a page (`i18n/<language>/<page>.js`). @param {string} page */
export async function loadWords(page) {
  if (loaded.has(page)) return;
  let which = lang();
  let found = await read(page, which);
  while (which !== lang()) {
    which = lang(); // changed meanwhile
    found = await read(page, which);
  }
  words = { ...words, ...found };
  loaded.add(page);
}

/** Change the language; all that is on the page is said anew. @param {Language} to */
export async function setLanguage(to) {
  const parts = await Promise.all([...loaded].map((page) => read(page, to)));
  words = Object.assign({}, ...parts);
  document.documentElement.lang = to;
  remember("bb.lang", to);
  language.set({ lang: to });
}

/** Keep a choice on this device; without storage it lasts as long as the page. @param {string} name @param {string} value */
export function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    console.info("this browser keeps no choices");
  }
}

/** Is there a text under this key, among the pages loaded so far? @param {string} key */
export function has(key) {
  return key in words;
}

/**
 * Return the text of `key` with `{name}` filled from `args`. A text "one|many" is chosen by `args.n`.
 * @param {string} key @param {Record<string, unknown>} [args] @returns {string}
 */
export function t(key, args = {}) {
  const text = words[key];
  if (text === undefined) {
    if (!missed.has(key)) console.error(`no text for '${key}' in '${lang()}'`);
    missed.add(key);
    return key;
  }
  const cut = text.indexOf(PLURAL);
  const chosen = cut < 0 ? text : Number(args.n) === 1 ? text.slice(0, cut) : text.slice(cut + 1);
  return chosen.replace(/\{(\w+)\}/g, (_, name) => (name in args ? String(args[name]) : `{${name}}`));
}

/** As `t`, but `*…*` in the text is emphasised. @param {string} key @param {Record<string, unknown>} [args] */
export function rich(key, args = {}) {
  return t(key, args)
    .split("*")
    .map((part, i) => (i % 2 ? html`<em class=${part.length > LONG ? "" : "nb"}>${part}</em>` : part));
}

/** Choose by language from a pair such as the API sends. @param {{zh?: string, en?: string} | null | undefined} pair */
export function say(pair) {
  return pair?.[lang()] ?? pair?.zh ?? pair?.en ?? "";
}
