// How old something is, as a dot and words: live, stale, none.
import { useNow } from "/static/lib/clock.js";
import { ago } from "/static/lib/format.js";
import { t } from "/static/lib/i18n.js";
import { html } from "/static/lib/ui.js";

/**
 * @param {{at: number|null|undefined, stale?: boolean, limit?: number, none?: string}} props
 *   `at`: UTC epoch [s]; `limit`: older than this is stale [s]; `none`: what to say when there is nothing
 */
export function Age({ at, stale = false, limit = Infinity, none }) {
  const seconds = useNow() - (at ?? 0);
  if (at === null || at === undefined) return html`<span class="age none">${none ?? t("figure.no_data")}</span>`;
  return html`<span class=${stale || seconds > limit ? "age stale" : "age"}>${ago(seconds)}</span>`;
}
