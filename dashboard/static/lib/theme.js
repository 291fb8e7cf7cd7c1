// Light or dark: a choice kept on this device. Pictures on a canvas keep their old colours and are drawn anew.
import { remember } from "/static/lib/i18n.js";
import { Store } from "/static/lib/store.js";

const root = document.documentElement;
export const theme = new Store({ name: root.dataset.theme ?? "light" });

export function toggleTheme() {
  const name = root.dataset.theme === "dark" ? "light" : "dark";
  root.dataset.theme = name;
  remember("bb.theme", name);
  theme.set({ name });
}

/** Return a colour or size of css/tokens.css as it is now. @param {string} name such as "--c-temp" */
export function token(name) {
  return getComputedStyle(root).getPropertyValue(name).trim();
}
