// Addresses inside the app, after "#": "#/map/bed-1?layer=ripe". Pages are fetched when they are first opened.
import { loadWords } from "/static/lib/i18n.js";
import { Store } from "/static/lib/store.js";

/** @typedef {{name: string, rest: string[], query: Record<string, string>}} Route */
/** @typedef {{title: string, css?: string, watch?: string[], view: (props: {route: Route}) => any}} Page */

/** @returns {Route} */
export function parse(hash = location.hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = path.split("/").map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return { name: name || "morning", rest, query: Object.fromEntries(new URLSearchParams(query)) };
}

export const route = new Store(parse());
addEventListener("hashchange", () => route.set(parse()));

/** Open a page of the app. @param {string} path such as "robot/berry-1" @param {Record<string, string>} [query] */
export function go(path, query) {
  location.hash = `#/${path}${query ? `?${new URLSearchParams(query)}` : ""}`;
}

/** @type {Map<string, Promise<Page>>} */
const pages = new Map();

/** Fetch a page with its style and words; a failed fetch is tried anew the next time. @param {string} name @returns {Promise<Page>} */
export function loadPage(name) {
  let found = pages.get(name);
  if (!found) {
    found = fetchPage(name);
    pages.set(name, found);
    found.catch(() => pages.delete(name));
  }
  return found;
}

/** @type {Map<string, number>} */
const attempts = new Map();

/** @param {string} name */
async function fetchPage(name) {
  const attempt = (attempts.get(name) ?? 0) + 1;
  attempts.set(name, attempt);
  // A module whose fetch failed stays failed under its address for as long as the document lives.
  const address = `/static/pages/${name}.js${attempt > 1 ? `?try=${attempt}` : ""}`;
  const [module] = await Promise.all([import(address), loadWords(name)]);
  if (module.page.css) await loadCss(module.page.css);
  return module.page;
}

/** @param {string} href */
function loadCss(href) {
  if (document.querySelector(`link[href="${href}"]`)) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = href;
    link.onload = resolve;
    link.onerror = () => {
      link.remove();
      reject(new Error(`style ${href} was not found`));
    };
    document.head.append(link);
  });
}
