// Climate: what the air wants now, the figures against the wanted range, and the charts that prove it.
import { useNow } from "/static/lib/clock.js";
import { useData } from "/static/lib/data.js";
import { duration, num } from "/static/lib/format.js";
import { t } from "/static/lib/i18n.js";
import { useLive } from "/static/lib/live.js";
import { go } from "/static/lib/router.js";
import { session } from "/static/lib/store.js";
import { nights } from "/static/parts/nights.js";
import { html, useState } from "/static/lib/ui.js";
import { metricName, metricUnit, zoneName } from "/static/lib/words.js";
import { Imports, isImported, Sensors, sourceOf } from "/static/pages/climate_sensors.js";
import { Age } from "/static/parts/age.js";
import { Figure } from "/static/parts/figure.js";
import { HistoryChart } from "/static/parts/history-chart.js";
import { FIGURES, QUANTITIES } from "/static/parts/quantities.js";
import { Blank, Failure, Sheet } from "/static/parts/sheet.js";

const DAY_S = 86400;
const WEEK_S = 7 * DAY_S;
const PRESETS = /** @type {[string, number][]} */ ([["day", DAY_S], ["week", WEEK_S], ["month", 40 * DAY_S]]);
const SHORTEST_S = 600;
const LONGEST_S = 400 * DAY_S;
const AHEAD = 0.04; // a little room to the right of now
const WET_LONG_H = 12;
const SETTLED_S = 3 * 3600;
const MOST_LINES = 4;
const BRAIN = "brain";

/** The newest values of a zone: what the API told last, overtaken by what came over the live socket. @param {string} zone */
function useRows(zone) {
  const { data, error, again } = useData("/last", 30);
  const last = useLive((now) => now.last);
  const rows = data
    ?.filter((/** @type {any} */ row) => row.zone === zone)
    .map((/** @type {any} */ row) => {
      const newer = last[`${row.device}|${row.metric}`];
      return newer && newer.zone === zone && newer.at !== null && newer.at >= (row.at ?? 0) ? { ...row, ...newer } : row;
    });
  return { rows, error, again };
}

/** @param {{route: import("/static/lib/router.js").Route}} props */
function Climate({ route }) {
  const { farm } = session.get();
  const zone = farm.zones.find((/** @type {any} */ one) => one.id === route.rest[0])?.id ?? farm.zones[0].id;
  const now = useNow(5);
  const { rows, error, again } = useRows(zone);
  if (!rows) return error ? html`<${Failure} error=${error} again=${again} />` : html`<div class="waiting"><span class="bone long"></span><span class="bone block"></span></div>`;
  return html`<${Shown} key=${zone} zone=${zone} rows=${rows} now=${now} />`;
}

/** @param {{zone: string, rows: any[], now: number}} props */
function Shown({ zone, rows, now }) {
  const { farm } = session.get();
  const [view, setView] = useState({ preset: "day", start: 0, end: 0, source: "" });
  const phase = phaseOf(now, farm.site);
  const own = rows.filter((row) => !isImported(row, now));
  const measured = rows.filter((row) => row.device !== BRAIN && QUANTITIES.some((quantity) => quantity.metric === row.metric));
  const sensors = measured.filter((row) => own.includes(row));
  const brought = measured.filter((row) => !own.includes(row));
  const devices = [...new Set(sensors.map((row) => row.device))];
  const span = PRESETS.find(([name]) => name === view.preset)?.[1];
  const range = span ? { start: now - span, end: now + span * AHEAD, follow: true } : { start: view.start, end: view.end, follow: false };
  const zoom = (/** @type {number} */ from, /** @type {number} */ to) => setView({ ...within(from, to, now), source: view.source });
  const back = (/** @type {string} */ preset) => setView({ preset, start: 0, end: 0, source: "" });
  const open = (/** @type {string} */ source, /** @type {number} */ at) => {
    setView({ ...within(at - WEEK_S, at + DAY_S / 4, now), source });
    scrollTo({ top: 0, behavior: "smooth" });
  };
  const shown = view.source ? brought.filter((row) => sourceOf(row.device, brought) === view.source) : own;
  const charts = QUANTITIES.map((quantity) => ({ quantity, rows: shown.filter((row) => row.metric === quantity.metric && row.at !== null).slice(0, MOST_LINES) }))
    .filter((chart) => chart.rows.length > 0);
  const speaking = sensors.filter((row) => row.at !== null);
  const newest = speaking.length ? Math.max(...speaking.map((row) => row.at)) : null;
  return html`<header class="head">
      <div class="when"><span>${zoneName(zone)}</span><span>${t("climate.sensors")} ${t("climate.sensors.count", { n: devices.length })}</span>
        <${Age} at=${newest} stale=${!speaking.some((row) => row.state === "live")} /></div>
      <h1>${sentence(zone, own, sensors, phase, now)}</h1>
    </header>
    <div class="scroll-x"><div class="kpi">${FIGURES.map((figure) => html`<${Kpi} figure=${figure} rows=${own} phase=${phase} now=${now} />`)}</div></div>
    <${Tools} zone=${zone} view=${view} range=${range} now=${now} onPreset=${back} onZoom=${zoom} />
    <div class="grid">
      ${charts.length === 0
        ? html`<div class="c8 o1"><${Blank} title=${t("climate.none")} text=${t("climate.none.text")} /></div>`
        : html`<section class="sheet c8 o1 charts">
            ${view.source && html`<p class="source">${view.source} · ${new Date(range.end * 1000).getFullYear()}</p>`}
            ${charts.map((chart) => html`<${HistoryChart} key=${`${view.source} ${chart.quantity.metric}`} ...${chart} range=${range} now=${now} onZoom=${zoom} onReset=${() => back("day")} />`)}
            <${Legend} /></section>`}
      <div class="c4 stack"><${Disease} rows=${own} /><${Sensors} devices=${devices} rows=${sensors} />
        <${Imports} rows=${brought} chosen=${view.source} onOpen=${open} /></div>
    </div>`;
}

/** A span people asked for, kept within what there can be. @param {number} from @param {number} to @param {number} now */
function within(from, to, now) {
  const span = Math.min(LONGEST_S, Math.max(SHORTEST_S, to - from));
  const latest = now + span * AHEAD;
  const end = Math.min(latest, (from + to) / 2 + span / 2);
  return { preset: "", start: end - span, end };
}

/** Which tunnel, how long, nearer, earlier. @param {{zone: string, view: any, range: any, now: number, onPreset: (name: string) => void, onZoom: (from: number, to: number) => void}} props */
function Tools({ zone, view, range, onPreset, onZoom }) {
  const { zones } = session.get().farm;
  const span = range.end - range.start;
  const centre = (range.start + range.end) / 2;
  const shift = (/** @type {number} */ by) => onZoom(range.start + by * span, range.end + by * span);
  const scale = (/** @type {number} */ by) => (by < 1 && range.follow ? onZoom(range.end - span * by, range.end) : onZoom(centre - (span * by) / 2, centre + (span * by) / 2));
  const button = (/** @type {string} */ key, /** @type {string} */ sign, /** @type {() => void} */ press) =>
    html`<button type="button" aria-label=${t(`climate.${key}`)} title=${t(`climate.${key}`)} onClick=${press}>${sign}</button>`;
  return html`<div class="c-tools">
    ${zones.length > 1 && html`<select aria-label=${t("climate.zone")} onChange=${(/** @type {any} */ event) => go(`climate/${event.target.value}`)}>
      ${zones.map((/** @type {any} */ one) => html`<option value=${one.id} selected=${one.id === zone}>${zoneName(one.id)}</option>`)}</select>`}
    <div class="pick" role="group" aria-label=${t("climate.range")}>
      ${PRESETS.map(([name]) => html`<button type="button" aria-pressed=${String(view.preset === name)} onClick=${() => onPreset(name)}>${t(`climate.range.${name}`)}</button>`)}
    </div>
    <div class="pick zoomers">${button("earlier", "‹", () => shift(-0.5))}${button("less", "−", () => scale(2))}${button("more", "+", () => scale(0.5))}${button("later", "›", () => shift(0.5))}</div>
    ${!range.follow && html`<button class="btn plain" type="button" onClick=${() => onPreset("day")}>${t("climate.live")}</button>`}
    <p class="sr">${t("climate.zoom.help")}</p>
  </div>`;
}

/** Day or night, once it has been so for long enough to warm up or cool down; "turn" in between. @param {number} now @param {any} site @returns {"day"|"night"|"turn"} */
function phaseOf(now, site) {
  const dark = nights(now - SETTLED_S, now, site.latitude, site.longitude).reduce((sum, [from, to]) => sum + to - from, 0);
  return dark === 0 ? "day" : dark > SETTLED_S - 1 ? "night" : "turn";
}

/** Which of the wanted ranges holds now; none for what is wanted at another time only. @param {any} row of a table @param {string} phase @returns {[number, number] | null} */
const wantedNow = (row, phase) => row[phase] ?? null;

/** @param {number} value @param {[number, number] | null} wanted */
const side = (value, wanted) => (!wanted ? "" : value > wanted[1] ? "high" : value < wanted[0] ? "low" : "");

/** The measurement of a zone that speaks for it: one that is live, else the newest. @param {any[]} rows @param {string} metric */
function best(rows, metric) {
  const found = rows.filter((row) => row.metric === metric && row.at !== null);
  return found.find((row) => row.state === "live") ?? found.sort((a, b) => b.at - a.at)[0] ?? null;
}

/** @param {{figure: typeof FIGURES[0], rows: any[], phase: string, now: number}} props */
function Kpi({ figure, rows, phase, now }) {
  const row = best(rows, figure.metric);
  const label = t(`climate.figure.${figure.metric}`);
  if (!row || (figure.inputs.length > 0 && row.state === "stale")) {
    return html`<${Figure} label=${label} state="no_data" sub=${why(figure, rows, now)} />`;
  }
  const wanted = wantedNow(figure, phase);
  const off = figure.sum || row.state !== "live" ? "" : side(row.value, wanted);
  const range = { low: wanted?.[0], high: wanted?.[1] };
  let sub = wanted ? t(`climate.figure.${figure.sum ? "today" : off || "wants"}`, range) : figure.sum ? t("climate.figure.today_only") : undefined;
  if (figure.sum && figure.day) sub = t("climate.figure.today", { low: figure.day[0], high: figure.day[1] });
  const air = best(rows, "air_temperature");
  if (figure.metric === "dew_point" && air?.state === "live") sub = t("climate.figure.margin", { n: num(air.value - row.value, 1) });
  if (row.state !== "live") sub = undefined;
  return html`<${Figure} label=${label} value=${row.value} digits=${figure.digits} unit=${metricUnit(figure.metric)} state=${row.state} at=${row.at} sub=${sub} class=${off ? "off" : ""} />`;
}

/** Why there is no such figure. @param {typeof FIGURES[0]} figure @param {any[]} rows @param {number} now */
function why(figure, rows, now) {
  for (const metric of figure.inputs.length ? figure.inputs : [figure.metric]) {
    const of = rows.filter((row) => row.metric === metric);
    if (!of.length) return t("climate.why.no_sensor", { metric: metricName(metric) });
    if (of.some((row) => row.state === "live")) continue;
    const known = of.find((row) => row.at !== null);
    return known ? t("climate.why.silent", { device: known.device, time: duration(now - known.at) }) : t("climate.why.never", { device: of[0].device });
  }
  return t("climate.why.wait");
}

/** The sentence, by rule: silence first, then wet leaves, then what is furthest from wanted. @param {string} zone @param {any[]} rows @param {any[]} sensors @param {string} phase @param {number} now */
function sentence(zone, rows, sensors, phase, now) {
  const air = best(sensors, "air_temperature") ?? best(sensors, "relative_humidity") ?? sensors.find((row) => row.at !== null);
  if (!air) return t("climate.say.none", { zone: zoneName(zone) });
  if (air.state !== "live") return t("climate.say.silent", { device: air.device, time: duration(now - air.at) });
  const wet = best(rows, "wet_hours");
  if (wet?.state === "live" && wet.value >= WET_LONG_H) return t("climate.say.wet", { hours: num(wet.value) });
  const compared = [];
  for (const metric of ["air_temperature", "relative_humidity", "vpd"]) {
    const figure = /** @type {typeof FIGURES[0]} */ (FIGURES.find((one) => one.metric === metric));
    const row = best(rows, metric);
    const wanted = wantedNow(figure, phase);
    if (!row || row.state !== "live" || !wanted) continue;
    compared.push(metric);
    const off = side(row.value, wanted);
    if (off) return t(`climate.say.${metric}.${off}`, { value: num(row.value, figure.digits), low: wanted[0], high: wanted[1] });
  }
  const judged = compared.includes("relative_humidity") ? "good" : compared.length ? "good_air" : "turn"; // only what was compared is praised
  return t(`climate.say.${judged}`);
}

/** @param {{rows: any[]}} props */
function Disease({ rows }) {
  const [index, wet] = [best(rows, "botrytis"), best(rows, "wet_hours")];
  if (!index && !wet) return null;
  return html`<${Sheet} title=${t("climate.botrytis")} class="o2">
    <div class="figs two">
      <${Figure} label=${t("climate.botrytis.index")} value=${index ? index.value * 100 : null} unit="%" state=${index?.state ?? "no_data"} at=${index?.at} />
      <${Figure} label=${t("climate.wet_hours")} value=${wet?.value ?? null} digits=${1} unit="h" state=${wet?.state ?? "no_data"} at=${wet?.at} />
    </div><p class="note-p">${t("climate.botrytis.note")}</p><//>`;
}

/** The signs of the charts, each with its word. */
function Legend() {
  const box = (/** @type {any} */ mark, /** @type {string} */ key) => html`<span><svg viewBox="0 0 24 12" aria-hidden="true">${mark}</svg>${t(`climate.legend.${key}`)}</span>`;
  const hatch = html`<path d="M0 12 12 0M6 12 18 0M12 12 24 0" stroke="var(--c-compare)" />`;
  return html`<div class="legend">
    ${box(html`<path d="M0 6h24" stroke="var(--ink-2)" stroke-width="2" />`, "line")}
    ${box(html`<rect width="24" height="12" fill="var(--ink-3)" opacity=".25" />`, "range")}
    ${box(html`<rect width="24" height="12" fill="var(--c-band)" />`, "band")}
    ${box(html`<path d="M0 6h24" stroke="var(--sev-major)" stroke-width="1.5" stroke-dasharray="2 3" />`, "limit")}
    ${box(html`<rect width="24" height="12" fill="var(--c-night)" />`, "night")}
    ${box(hatch, "gap")}
    ${box(html`<path d="M0 6h16" stroke="var(--c-stale)" stroke-width="2" /><circle cx="19" cy="6" r="4" fill="none" stroke="var(--c-stale)" stroke-width="2" />`, "stale")}
  </div>`;
}

/** @type {import("/static/lib/router.js").Page} */
export const page = { title: "climate.title", css: "/static/css/climate.css", view: Climate };
