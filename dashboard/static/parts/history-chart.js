// The chart of one quantity: fetches what is seen, down-sampled; keeps its newest end up while it follows now.
import { get } from "/static/lib/api.js";
import { now as farmNow } from "/static/lib/clock.js";
import { clock, duration, instant, midnight, num, shortDay } from "/static/lib/format.js";
import { language, t } from "/static/lib/i18n.js";
import { session, useStore } from "/static/lib/store.js";
import { nights } from "/static/parts/nights.js";
import { theme } from "/static/lib/theme.js";
import { html, useEffect, useRef, useState } from "/static/lib/ui.js";
import { metricName, metricUnit } from "/static/lib/words.js";
import { Chart } from "/static/parts/chart.js";
import { columns, join, newerSpan } from "/static/parts/series.js";
import { Failure } from "/static/parts/sheet.js";

const SETTLE_MS = 180; // a hand that zooms is let finish
const REFRESH_S = 120;
const NIGHTS_UP_TO_S = 12 * 86400;

/** @typedef {{start: number, end: number, follow: boolean}} Range what is seen, UTC epoch [s]; `follow`: its end moves with time */

/** The histories of `rows` over `range`, and what is newer as time goes on. @param {any[]} rows @param {Range} range @param {number} points */
function useHistories(rows, range, points) {
  const [state, setState] = useState({ key: "", histories: /** @type {(import("/static/parts/series.js").History)[] | null} */ (null), error: /** @type {any} */ (null) });
  const [round, setRound] = useState(0);
  const who = rows.map((row) => `${row.zone} ${row.device}`).join("|");
  const span = Math.round(range.end - range.start);
  const key = `${who} ${range.follow ? `last ${span}` : `${Math.round(range.start)} ${span}`}`;
  useEffect(() => {
    const stop = new AbortController();
    let timer = 0;
    const ask = (/** @type {any} */ row, /** @type {Record<string, any>} */ query) =>
      get(`/history?${new URLSearchParams({ zone: row.zone, device: row.device, metric: row.metric, ...query })}`, { signal: stop.signal });
    const load = async () => {
      const end = Math.min(range.end, farmNow());
      const query = { start: range.start.toFixed(0), end: Math.max(end, range.start + 1).toFixed(0), points: String(points) };
      try {
        const histories = await Promise.all(rows.map((row) => ask(row, query)));
        setState({ key, histories, error: null });
        if (range.follow) timer = window.setTimeout(() => newer(histories), wait(histories));
      } catch (error) {
        if (!stop.signal.aborted) setState((known) => ({ ...known, error }));
      }
    };
    const newer = async (/** @type {any[]} */ known) => {
      let histories = known;
      if (!document.hidden) {
        try {
          const got = await Promise.all(rows.map((row, i) => ask(row, asText(newerSpan(known[i], farmNow())))));
          histories = known.map((one, i) => (got[i].step === one.step ? join(one, got[i]) : one));
          setState({ key, histories, error: null });
        } catch {
          if (stop.signal.aborted) return; // what is shown stays, with its age; asked again below
        }
      }
      timer = window.setTimeout(() => newer(histories), wait(histories));
    };
    timer = window.setTimeout(load, state.histories ? SETTLE_MS : 0);
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [key, round]);
  return { histories: state.histories?.length === rows.length ? state.histories : null, error: state.error, again: () => setRound((n) => n + 1) };
}

/** @param {any[]} histories */
const wait = (histories) => 1000 * Math.max(REFRESH_S, ...histories.map((history) => history.step / 2));

/** @param {Record<string, number>} query */
const asText = (query) => Object.fromEntries(Object.entries(query).map(([name, value]) => [name, value.toFixed(0)]));

/**
 * @param {{quantity: import("/static/parts/quantities.js").Quantity, rows: any[], range: Range, now: number,
 *   onZoom: (from: number, to: number) => void, onReset: () => void}} props `rows`: the series, as /last tells them
 */
export function HistoryChart({ quantity, rows, range, now, onZoom, onReset }) {
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  const read = useRef(/** @type {HTMLElement | null} */ (null));
  const chart = useRef(/** @type {Chart | null} */ (null));
  const colours = useStore(theme, (value) => value.name);
  const words = useStore(language, (value) => value.lang);
  const [broken, setBroken] = useState(/** @type {any} */ (null));
  const points = Math.min(600, Math.max(240, Math.round((root.current?.clientWidth ?? 600) * 0.75)));
  const { histories, error, again } = useHistories(rows, range, points);
  const picture = draw(quantity, rows, histories, range, now);
  const latest = useRef({ picture, onZoom, onReset });
  latest.current = { picture, onZoom, onReset };
  useEffect(() => {
    let here = true;
    const on = {
      zoom: (/** @type {number} */ from, /** @type {number} */ to) => latest.current.onZoom(from, to),
      reset: () => latest.current.onReset(),
      point: (/** @type {number|null} */ at) => read.current && (read.current.textContent = at === null ? "" : reading(latest.current.picture, at, quantity)),
    };
    Chart.create(/** @type {HTMLElement} */ (root.current), latest.current.picture, on).then(
      (made) => (here ? (chart.current = made) : made.destroy()),
      (problem) => here && setBroken(problem),
    );
    return () => {
      here = false;
      chart.current?.destroy();
      chart.current = null;
    };
  }, [colours, words]);
  useEffect(() => chart.current?.show(picture));
  const name = metricName(quantity.metric);
  const csv = (/** @type {any} */ row) => {
    const query = { zone: row.zone, device: row.device, metric: row.metric, start: range.start.toFixed(0), end: Math.min(range.end, now).toFixed(0), format: "csv" };
    const label = rows.length > 1 ? t("climate.csv.of", { device: shortName(row.device, rows) }) : t("climate.csv");
    return html`<a class="link" download href=${`/api/v1/history?${new URLSearchParams(query)}`} aria-label=${`${name} ${label}`}>${label}</a>`;
  };
  const failed = broken ?? (histories ? null : error);
  return html`<figure class="quantity" data-metric=${quantity.metric}>
    <figcaption><h3 class="ch">${name} <small>${metricUnit(quantity.metric)}</small></h3>
      <output class="reading" ref=${read}></output><span class="csv">${rows.map(csv)}</span></figcaption>
    <div class="plot" ref=${root} role="img" aria-label=${summary(name, picture, quantity)}></div>
    ${!histories && !failed && html`<p class="over">${t("climate.loading")}</p>`}
    ${failed && html`<div class="over"><${Failure} error=${failed} again=${broken ? undefined : again} /></div>`}
  </figure>`;
}

/** @param {import("/static/parts/quantities.js").Quantity} quantity @param {any[]} rows @param {any[] | null} histories @param {Range} range @param {number} now @returns {import("/static/parts/chart.js").Picture} */
function draw(quantity, rows, histories, range, now) {
  const { site } = session.get().farm;
  const dark = nights(range.start, range.end, site.latitude, site.longitude);
  const seen = range.end - range.start <= NIGHTS_UP_TO_S;
  return {
    color: quantity.color,
    dash: quantity.dash ?? [],
    digits: quantity.digits,
    zero: quantity.zero === true,
    area: quantity.area === true && rows.length === 1,
    timezone: site.timezone,
    wanted: bands(quantity, dark, range, seen),
    limits: (quantity.limits ?? []).map(({ value, high, fault }) => ({ value, high, label: t(`climate.limit.${fault}`, { value }) })),
    nights: seen ? dark : [],
    now,
    range: [range.start, range.end],
    lines: (histories ?? []).map((history, i) => {
      const row = rows[i];
      const known = row.at !== null && row.at <= now && row.at >= range.start && !(row.quality & 0b111);
      const { mean, ...rest } = columns(history);
      const last = /** @type {[number, number] | null} */ (known ? [row.at, row.value] : null);
      return { ...rest, mean, name: shortName(row.device, rows), banded: history.step > 0, gaps: history.gaps, rejected: history.rejected, last, stale: row.state === "stale" ? t("climate.stale", { time: duration(now - row.at) }) : "" };
    }),
    words: { gap: t("climate.gap"), now: clock(now), left: t("climate.left_out"), empty: histories ? t("climate.empty") : "" },
    tick: (at) => (Math.abs(at - midnight(at)) < 60 ? shortDay(at) : clock(at)),
  };
}

/** What tells one device from the others: "import-house-2" beside "import-house" is "2". @param {string} device @param {any[]} rows */
function shortName(device, rows) {
  const base = device.replace(/-\d+$/, "");
  if (rows.some((row) => row.device === base) && base !== device) return device.slice(base.length + 1);
  return rows.some((row) => row.device.startsWith(`${device}-`)) ? "1" : device;
}

/** Wanted ranges as soft bands: one where the day's holds by night too, or where nights are too many to tell apart. @param {import("/static/parts/quantities.js").Quantity} quantity @param {[number, number][]} dark @param {Range} range @param {boolean} seen @returns {[number, number, number, number][]} */
function bands({ day, night }, dark, range, seen) {
  if (!day) return [];
  if (!night || !seen) return [[range.start, range.end, ...day]];
  const out = /** @type {[number, number, number, number][]} */ ([]);
  let from = range.start;
  for (const [dusk, dawn] of dark) {
    out.push([from, dusk, ...day], [dusk, dawn, ...night]);
    from = dawn;
  }
  out.push([from, range.end, ...day]);
  return out.filter(([a, b]) => b > a);
}

/** What the lines say at an instant. @param {import("/static/parts/chart.js").Picture} picture @param {number} at @param {import("/static/parts/quantities.js").Quantity} quantity */
function reading(picture, at, quantity) {
  const width = (picture.range[1] - picture.range[0]) / 50;
  const said = [];
  for (const line of picture.lines) {
    let near = -1;
    line.x.forEach((x, i) => {
      if (line.mean[i] !== null && Math.abs(x - at) < width && (near < 0 || Math.abs(x - at) < Math.abs(line.x[near] - at))) near = i;
    });
    if (near < 0) continue;
    const range = line.banded && line.low[near] !== line.high[near] ? ` (${num(line.low[near], quantity.digits)}–${num(line.high[near], quantity.digits)})` : "";
    said.push(`${picture.lines.length > 1 ? `${line.name} ` : ""}${num(line.mean[near], quantity.digits)}${range}`);
  }
  const values = said.join(", ") || t("climate.gap");
  return t("climate.read", { clock: instant(at, picture.now), values });
}

/** The chart in a sentence, for those who cannot see it. @param {string} name @param {import("/static/parts/chart.js").Picture} picture @param {import("/static/parts/quantities.js").Quantity} quantity */
function summary(name, picture, quantity) {
  const values = picture.lines.flatMap((line) => [...line.low, ...line.high]).filter((value) => value !== null);
  const unit = metricUnit(quantity.metric);
  if (!values.length) return `${name}: ${t("climate.empty")}`;
  const lowest = values.reduce((a, b) => Math.min(a, b));
  const highest = values.reduce((a, b) => Math.max(a, b));
  return `${name}: ${num(lowest, quantity.digits)}–${num(highest, quantity.digits)} ${unit}, ${duration(picture.range[1] - picture.range[0])}`;
}
