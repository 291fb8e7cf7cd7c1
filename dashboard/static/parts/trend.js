// A small chart of one series: a gap is a gap, the limit is a dotted line with its value on it, the end says its time.
import { useData } from "/static/lib/data.js";
import { clock, num } from "/static/lib/format.js";
import { t } from "/static/lib/i18n.js";
import { html } from "/static/lib/ui.js";
import { Bone } from "/static/parts/figure.js";

const WIDTH = 420;
const HEIGHT = 150;
const BOX = { left: 38, right: 412, top: 16, bottom: 122 };
const POINTS = 160;

/**
 * @param {{device: string, metric: string, zone: string, start: number, end: number, limit?: number|null, mark?: number, title: string}} props
 *   `mark`: an instant to point at [UTC epoch s]
 */
export function Trend({ device, metric, zone, start, end, limit = null, mark, title }) {
  const query = new URLSearchParams({ device, metric, zone, start: start.toFixed(0), end: end.toFixed(0), points: String(POINTS) });
  const { data, error } = useData(`/history?${query}`);
  if (!data) return error ? html`<p class="note-p">${error.text}</p>` : html`<${Bone} />`;
  const values = data.mean.filter((/** @type {number|null} */ v) => v !== null);
  if (!values.length) return html`<p class="note-p">${t("figure.no_data")}</p>`;
  const [low, high] = room([...values, ...(limit === null ? [] : [limit])]);
  const x = (/** @type {number} */ at) => BOX.left + ((at - start) / (end - start)) * (BOX.right - BOX.left);
  const y = (/** @type {number} */ v) => BOX.bottom - ((v - low) / (high - low)) * (BOX.bottom - BOX.top);
  const digits = high - low < 3 ? 1 : 0;
  const ticks = [low, (low + high) / 2, high];
  const hours = [0, 1, 2, 3].map((i) => start + ((i + 0.5) / 4) * (end - start));
  return html`<svg class="chart trend" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label=${title}>
    ${data.gaps.map(([from, to]) => html`<rect class="gap" x=${x(Math.max(from, start))} y=${BOX.top} width=${Math.max(1, x(Math.min(to, end)) - x(Math.max(from, start)))} height=${BOX.bottom - BOX.top} />`)}
    ${ticks.map((v) => html`<line class="grid-l" x1=${BOX.left} x2=${BOX.right} y1=${y(v)} y2=${y(v)} /><text class="axis" x=${BOX.left - 6} y=${y(v) + 4.5} text-anchor="end">${num(v, digits)}</text>`)}
    ${hours.map((at) => html`<text class="axis" x=${x(at)} y=${HEIGHT - 6} text-anchor="middle">${clock(at)}</text>`)}
    ${mark !== undefined && mark > start && mark < end && html`<line class="mark" x1=${x(mark)} x2=${x(mark)} y1=${BOX.top} y2=${BOX.bottom} />`}
    <path class="ln" d=${line(data, x, y)} />
    ${limit !== null && html`<line class="thr" x1=${BOX.left} x2=${BOX.right} y1=${y(limit)} y2=${y(limit)} />
      <text class="lab limit" x=${BOX.right} y=${y(limit) - 5} text-anchor="end">${t("alarms.limit", { value: num(limit, digits) })}</text>`}
  </svg>`;
}

/** @param {number[]} values @returns {[number, number]} */
function room(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = Math.max((high - low) * 0.12, Math.abs(high) * 0.01, 0.1);
  return [low - margin, high + margin];
}

/** @param {any} data @param {(at: number) => number} x @param {(value: number) => number} y */
function line(data, x, y) {
  let path = "";
  let before = NaN;
  data.at.forEach((/** @type {number} */ at, /** @type {number} */ i) => {
    const value = data.mean[i];
    if (value === null) {
      before = NaN;
      return;
    }
    const torn = data.gaps.some(([from, to]) => before < to && at > from);
    path += `${Number.isNaN(before) || torn ? "M" : "L"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    before = at;
  });
  return path;
}
