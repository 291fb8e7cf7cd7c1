// Who measures in a tunnel: sensor boxes that talk, and data that were brought in from files.
import { shortDay } from "/static/lib/format.js";
import { t } from "/static/lib/i18n.js";
import { session } from "/static/lib/store.js";
import { html } from "/static/lib/ui.js";
import { metricName } from "/static/lib/words.js";
import { Age } from "/static/parts/age.js";
import { Sheet } from "/static/parts/sheet.js";

const LONG_S = 7 * 86400;

/** Is this series from a file? Devices of the farm file are not, nor is anything that has spoken lately. @param {any} row of /last @param {number} now */
export function isImported(row, now) {
  const known = session.get().farm.devices.some((/** @type {any} */ device) => device.id === row.device);
  return !known && row.at !== null && now - row.at > LONG_S;
}

/** Several devices of one file are one source: "import-house-2" belongs to "import-house". @param {string} device @param {any[]} rows */
export function sourceOf(device, rows) {
  const base = device.replace(/-\d+$/, "");
  return rows.some((row) => row.device === base) ? base : device;
}

/** @param {any[]} rows */
const names = (rows) => [...new Set(rows.map((row) => metricName(row.metric)))].join(" · ");

/** Each sensor box: is it talking? @param {{devices: string[], rows: any[]}} props */
export function Sensors({ devices, rows }) {
  if (!devices.length) return null;
  const item = (/** @type {string} */ device) => {
    const mine = rows.filter((row) => row.device === device);
    const known = mine.filter((row) => row.at !== null);
    const at = known.length ? Math.max(...known.map((row) => row.at)) : null;
    return html`<li><b>${device}</b>
      <${Age} at=${at} stale=${!known.some((row) => row.state === "live")} none=${t("climate.why.never", { device: "" }).trim()} />
      <small>${names(mine)}</small></li>`;
  };
  return html`<${Sheet} title=${t("climate.sensors")} class="o3"><ul class="rows boxes">${devices.map(item)}</ul><//>`;
}

/** What was brought in from files; one of them is shown when asked for. @param {{rows: any[], chosen: string, onOpen: (source: string, at: number) => void}} props */
export function Imports({ rows, chosen, onOpen }) {
  const sources = [...new Set(rows.map((row) => sourceOf(row.device, rows)))];
  if (!sources.length) return null;
  const item = (/** @type {string} */ source) => {
    const mine = rows.filter((row) => sourceOf(row.device, rows) === source);
    const at = Math.max(...mine.map((row) => row.at));
    const year = new Date(at * 1000).getFullYear();
    return html`<li><b>${source.replace(/^import-/, "")}</b>
      <button class="link plain" type="button" aria-pressed=${String(source === chosen)} onClick=${() => onOpen(source, at)}>${t("climate.sensors.show", { day: `${shortDay(at)} ${year}` })}</button>
      <small>${names(mine)}</small></li>`;
  };
  return html`<${Sheet} title=${t("climate.imports")} note=${t("climate.sensors.count", { n: sources.length })} class="o4"><ul class="rows boxes">${sources.map(item)}</ul><//>`;
}
