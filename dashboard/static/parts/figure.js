// One figure: label, value, unit, and below it its age, its range, or why there is none.
import { num, UNKNOWN } from "/static/lib/format.js";
import { t } from "/static/lib/i18n.js";
import { html, useEffect, useState } from "/static/lib/ui.js";
import { Age } from "/static/parts/age.js";
import { Icon } from "/static/parts/icon.js";

/**
 * @param {{label: any, value?: number|string|null, unit?: string, digits?: number, sub?: any, hero?: boolean, class?: string,
 *   state?: "live"|"loading"|"stale"|"no_data"|"impossible"|"estimated"|"offline"|"locked", at?: number|null}} props
 *   `value`: a number or text already written; `at`: shows the age where `sub` says nothing
 */
export function Figure({ label, value = null, unit = "", digits = 0, sub, hero, state = "live", at, class: more = "" }) {
  const written = typeof value === "number" ? num(value, digits) : (value ?? UNKNOWN);
  const nothing = state === "no_data" || written === UNKNOWN;
  const old = nothing || state === "stale" || state === "offline" || state === "impossible";
  let shown = html`${state === "estimated" && !nothing ? html`<span class="about">≈</span> ` : ""}${written}${unit && !nothing ? html`<small>${unit}</small>` : ""}`;
  if (state === "loading") shown = html`<${Bone} />`;
  if (state === "impossible") shown = "?";
  if (state === "locked") shown = html`<${Icon} name="i-lock" class="lock" />`;
  let below = sub;
  if (below === undefined && at !== undefined) below = html`<${Age} at=${at} stale=${state === "stale" || state === "offline"} />`;
  if (state === "loading") below = html`<${Fetching} />`;
  return html`<dl class=${`fig ${hero ? "hero" : ""} ${more}`}>
    <dt>${label}</dt>
    <dd class=${old ? "old" : ""}>${shown}</dd>
    ${below !== undefined && html`<dd class=${`sub ${state === "impossible" ? "warn" : ""}`}>${below}</dd>`}
  </dl>`;
}

/** The place of a value that is on its way. */
export function Bone() {
  return html`<span class="bone"></span>`;
}

function Fetching() {
  const [long, setLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), 3000);
    return () => clearTimeout(timer);
  }, []);
  return long ? t("figure.fetching") : "\u00a0";
}
