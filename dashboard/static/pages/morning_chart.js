// The day on one time axis: air temperature with the day before, the night, and what the robot picked where.
import { clock, num } from "/static/lib/format.js";
import { t } from "/static/lib/i18n.js";
import { sunTimes } from "/static/lib/sun.js";
import { html } from "/static/lib/ui.js";
import { bedName } from "/static/lib/words.js";

const DAY_S = 86400;
const PAUSE_S = 900; // picks further apart than this are two pieces of work

/**
 * @typedef {{device: string, at: number[], mean: (number|null)[], gaps: [number, number][], rejected: [number, number, number][], interval: number}} History
 * @typedef {{at: number, bed: string, result: string}} Pick
 * @typedef {{wide: boolean, midnight: number, now: number, history: History | undefined, picks: Pick[], robot: string, site: any}} Props
 */

/** @param {Props} props */
export function DayChart(props) {
  const { wide, midnight, now, history, picks, site } = props;
  const box = wide ? { width: 820, left: 44, right: 808, low: 150, row: 176, foot: 216 } : { width: 358, left: 30, right: 348, low: 136, row: 160, foot: 200 };
  const x = (/** @type {number} */ at) => box.left + ((at - midnight) / DAY_S) * (box.right - box.left);
  const lines = history ? split(history, midnight, now) : { today: [], before: [] };
  const scale = range([...lines.today, ...lines.before].flat());
  const y = (/** @type {number} */ value) => box.low - ((value - scale.min) / (scale.max - scale.min)) * (box.low - 18);
  const path = (/** @type {Point[]} */ line) => line.map(([at, value], i) => `${i ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  const hours = wide ? [0, 3, 6, 9, 12, 15, 18, 21, 24] : [0, 6, 12, 18, 24];
  return html`<svg class="chart day" viewBox=${`0 0 ${box.width} ${box.foot}`} role="img" aria-label=${t("morning.day.label")}>
    <defs><pattern id="gap" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
      <path d="M0 0V7" stroke="var(--c-stale)" stroke-width="1.5" /></pattern></defs>
    ${nights(site, midnight).map(([from, to]) => html`<rect x=${x(from)} y="18" width=${x(to) - x(from)} height=${box.low - 18} fill="var(--c-night)" />`)}
    ${scale.ticks.map(
      (tick) => html`<line class="grid-l" x1=${box.left} x2=${box.right} y1=${y(tick)} y2=${y(tick)} />
        <text x=${box.left - 6} y=${y(tick) + 4.5} class="axis" text-anchor="end">${num(tick)}°</text>`,
    )}
    ${(history?.gaps ?? []).filter(([, to]) => to > midnight).map(([from, to]) => {
      const begin = Math.max(from, midnight);
      return html`<rect x=${x(begin)} y="18" width=${Math.max(1, x(Math.min(to, now)) - x(begin))} height=${box.low - 18} fill="url(#gap)" />`;
    })}
    ${lines.before.map((line) => html`<path class="ln before" d=${path(line)} stroke="var(--c-compare)" />`)}
    ${lines.today.map((line) => html`<path class="ln" d=${path(line)} stroke="var(--c-temp)" stroke-width="2.5" />`)}
    ${(history?.rejected ?? []).filter(([at]) => at >= midnight).map(
      ([at, value]) => html`<g><title>${t("morning.day.rejected", { value: num(value, 1), clock: clock(at) })}</title>
        <circle cx=${x(at)} cy="24" r="4" fill="none" stroke="var(--sev-major)" stroke-width="2" /></g>`,
    )}
    ${html`<${Words} box=${box} lines=${lines} x=${x} y=${y} now=${now} history=${history} />`}
    ${html`<${Work} box=${box} x=${x} picks=${picks} now=${now} wide=${wide} robot=${props.robot} />`}
    ${hours.map((hour) => html`<text x=${x(midnight + hour * 3600)} y=${box.foot - 2} class="axis" text-anchor="middle">${String(hour).padStart(2, "0")}</text>`)}
    <${NowLine} box=${box} x=${x(now)} text=${clock(now)} />
  </svg>`;
}

/** Names and values on the lines; a line that has ended is grey with a ring. @param {any} props */
function Words({ box, lines, x, y, now, history }) {
  if (!history || (!lines.today.length && !lines.before.length)) {
    const text = t(history ? "morning.day.no_data" : "morning.day.fetching");
    return html`<text x=${(box.left + box.right) / 2} y=${box.low / 2 + 14} class="axis" text-anchor="middle">${text}</text>`;
  }
  const last = lines.today.at(-1)?.at(-1);
  const stale = last && now - last[0] > Math.max(3 * history.interval, 1800);
  const before = lines.before.at(-1)?.at(-1);
  const beforeShown = before && x(before[0]) > x(now) + 60;
  const side = last && x(last[0]) > box.right - (stale ? 120 : 66) ? "end" : "start";
  return html`
    ${last &&
    html`<circle cx=${x(last[0])} cy=${y(last[1])} r="5" fill=${stale ? "var(--sheet)" : "var(--c-temp)"} stroke=${stale ? "var(--c-stale)" : "var(--paper)"} stroke-width="2" />
      <text x=${x(last[0]) + (side === "end" ? -10 : 10)} y=${y(last[1]) - 8} class=${`lab lab-s halo ${stale ? "old" : "temp"}`} text-anchor=${side}>
        ${num(last[1], 1)} °C${stale ? ` · ${clock(last[0])}` : ""}</text>`}
    ${beforeShown && html`<text x=${box.right} y=${y(before[1]) - 8} class="axis halo" text-anchor="end">${t("morning.day.before")}</text>`}
  `;
}

/** What the robot picked: one piece of work is a bar. @param {any} props */
function Work({ box, x, picks, now, wide, robot }) {
  return html`<text x=${box.left - 6} y=${box.row + 15.5} class="axis" text-anchor="end">${wide ? t("morning.day.robot") : t("morning.day.r")}</text>
    <line class="grid-l" x1=${box.left} x2=${box.right} y1=${box.row + 26} y2=${box.row + 26} />
    ${pieces(picks).map(({ from, to, bed, count }) => {
      const width = Math.max(3, x(Math.min(to, now)) - x(from));
      const label = `${bedName(bed)} · ${num(count)}`;
      return html`<g><title>${`${robot} ${bedName(bed)} ${clock(from)}–${clock(to)} · ${count}`}</title>
        <rect x=${x(from)} y=${box.row} width=${width} height="22" rx="4" fill="var(--leaf)" />
        ${width > label.length * 8 + 12 && html`<text x=${x(from) + 7} y=${box.row + 15.5} class="lab lab-s on-leaf">${label}</text>`}</g>`;
    })}
    ${!picks.length && html`<text x=${box.left + 8} y=${box.row + 15.5} class="axis">${t("morning.day.no_picks")}</text>`}`;
}

/** @param {{box: any, x: number, text: string}} props */
function NowLine({ box, x, text }) {
  const middle = Math.min(Math.max(x, 25), box.width - 25);
  return html`<line class="now-l" x1=${x} x2=${x} y1="12" y2=${box.row + 30} />
    <rect x=${middle - 25} y="0" width="50" height="20" rx="10" fill="var(--ink)" />
    <text x=${middle} y="14.5" class="lab lab-s on-ink" text-anchor="middle">${text}</text>`;
}

/** @typedef {[number, number]} Point instant [s], value */

/**
 * Cut a history into unbroken lines: of today, and of the day before moved onto today.
 * @param {History} history @param {number} midnight @param {number} now the last bucket may reach past it @returns {{today: Point[][], before: Point[][]}}
 */
export function split(history, midnight, now) {
  /** @type {{today: Point[][], before: Point[][]}} */
  const lines = { today: [], before: [] };
  let cut = true;
  let lastAt = -Infinity;
  history.at.forEach((at, i) => {
    const value = history.mean[i];
    const isToday = at >= midnight;
    const gap = history.gaps.some(([from, to]) => lastAt <= from + 1 && to - 1 <= at);
    cut ||= gap || (isToday && lastAt < midnight);
    lastAt = at;
    if (value === null) {
      cut = true;
      return;
    }
    const line = isToday ? lines.today : lines.before;
    if (cut || !line.length) line.push([]);
    line.at(-1)?.push([isToday ? Math.min(at, now) : at + DAY_S, value]);
    cut = false;
  });
  return lines;
}

/** Whole tens or fives around the values, at most four ticks. @param {Point[]} points */
function range(points) {
  const values = points.map(([, value]) => value);
  const [least, most] = values.length ? [Math.min(...values), Math.max(...values)] : [10, 30];
  const step = [2, 5, 10, 20].find((size) => Math.ceil(most / size) - Math.floor(least / size) <= 4) ?? 50;
  const min = Math.floor(least / step) * step;
  const max = Math.max(Math.ceil(most / step), Math.floor(least / step) + 1) * step;
  const ticks = Array.from({ length: (max - min) / step + 1 }, (_, i) => min + i * step);
  return { min, max, ticks: ticks.length > 4 ? ticks.filter((_, i) => i % 2 === 0) : ticks };
}

/** The parts of the day without sun. @param {any} site @param {number} midnight @returns {[number, number][]} */
function nights(site, midnight) {
  const sun = site ? sunTimes(midnight + DAY_S / 2, site.latitude, site.longitude) : null;
  return sun ? [[midnight, Math.max(sun.rise, midnight)], [Math.min(sun.set, midnight + DAY_S), midnight + DAY_S]] : [];
}

/** Join picks of one bed without a long pause. @param {Pick[]} picks in any order */
export function pieces(picks) {
  /** @type {{from: number, to: number, bed: string, count: number}[]} */
  const found = [];
  for (const pick of [...picks].sort((a, b) => a.at - b.at)) {
    const last = found.at(-1);
    const ok = pick.result === "ok" ? 1 : 0;
    if (last && last.bed === pick.bed && pick.at - last.to < PAUSE_S) {
      last.to = pick.at;
      last.count += ok;
    } else found.push({ from: pick.at, to: pick.at, bed: pick.bed, count: ok });
  }
  return found;
}
