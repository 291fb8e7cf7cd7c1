// A symbol of icons.svg; decoration only, the word stands beside it.
import { html } from "/static/lib/ui.js";

/** @param {{name: string, class?: string}} props */
export function Icon({ name, class: kind = "" }) {
  return html`<svg class=${kind} viewBox="0 0 24 24" aria-hidden="true"><use href=${`/static/icons.svg#${name}`} /></svg>`;
}
