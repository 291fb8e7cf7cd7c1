// Today: the day's sentence, the instrument that proves it, and what to do about it.
import { now, useNow } from "/static/lib/clock.js";
import { useData } from "/static/lib/data.js";
import { clock, day, instant, mass, massText, midnight, num, percent } from "/static/lib/format.js";
import { lang, rich, t } from "/static/lib/i18n.js";
import { on } from "/static/lib/live.js";
import { session, useStore } from "/static/lib/store.js";
import { html, useEffect, useState } from "/static/lib/ui.js";
import { faultAdvice, faultName, placeName, zoneName } from "/static/lib/words.js";
import { Figure } from "/static/parts/figure.js";
import { Failure, Sheet } from "/static/parts/sheet.js";
import { DayChart } from "/static/pages/morning_chart.js";
import { AlarmList, PlanList, Stages, Things } from "/static/pages/morning_lists.js";

const OFTEN_S = 15;
const SELDOM_S = 300;
const POINTS = 200;
const OLD_S = 12 * 3600; // by then fruit has ripened that nobody counted

function Morning() {
  useNow(60);
  const { data, error, again } = useData("/morning", OFTEN_S);
  const hanging = useHanging();
  useEffect(() => {
    const ends = ["alarm", "ack"].map((type) => on(type, again));
    return () => ends.forEach((end) => end());
  }, []);
  if (!data) return error ? html`<${Failure} error=${error} again=${again} />` : html`<${Bones} />`;
  const critical = data.alarms.find((/** @type {any} */ alarm) => alarm.severity === "critical" && alarm.cleared_at === null);
  return html`<div class="head">
      <p class="when"><span>${day(now())}</span><span class=${error ? "warn" : ""}>${t(error ? "morning.kept" : "morning.at", { clock: clock(data.at) })}</span></p>
      <h1>${sentence(data.sentence)}</h1>
      ${critical && html`<p>${faultAdvice(critical.fault)}</p>`}
    </div>
    <div class="grid">
      <div class="c8 stack">
        <${Day} />
        <${Harvest} harvest=${data.harvest} hanging=${hanging} />
        <${Performance} robot=${data.robot} hanging=${hanging} />
        <${Stages} stages=${data.stages} />
        <${PlanList} plan=${data.plan} />
      </div>
      <div class="c4 stack">
        <${Things} things=${data.things} />
        <${AlarmList} alarms=${data.alarms} />
      </div>
    </div>`;
}

/** @param {{key: string, args: any}} said */
function sentence({ key, args }) {
  return rich(`morning.sentence.${key}`, {
    ...args,
    n: args.berries ?? args.left,
    berries: num(args.berries),
    left: num(args.left),
    kg: massText(args.kg),
    bed: args.bed ? placeName({ bed: args.bed }) : t("morning.some_bed"),
    fault: args.fault ? inSentence(faultName(args.fault)) : t("morning.some_fault"),
    place: [args.place?.zone && zoneName(args.place.zone), args.place?.device].filter(Boolean).join(" "),
  });
}

/** English: what stands inside a sentence begins small. @param {string} text */
function inSentence(text) {
  return lang() === "en" && /^[A-Z]([a-z]| [a-z])/.test(text) ? text[0].toLowerCase() + text.slice(1) : text;
}

/** Ripe fruit that was counted and not picked since: how much, and when the oldest of it was looked at. */
function useHanging() {
  const { data } = useData("/segments", 60);
  if (!data) return null;
  const seen = data.filter((/** @type {any} */ row) => row.at !== null);
  const sum = { berries: 0, kg: 0, at: /** @type {number|null} */ (null), seen: seen.length, all: data.length };
  for (const row of seen) {
    sum.berries += row.left ?? 0;
    if (row.in_window > 0) sum.kg += ((row.ripe_mass ?? 0) * (row.left ?? 0)) / row.in_window;
    if (sum.at === null || row.at < sum.at) sum.at = row.at;
  }
  return sum;
}

function Day() {
  const at = useNow(60);
  const farm = useStore(session, (value) => value.farm);
  const wide = useWide();
  const start = midnight(at);
  const device = farm.devices.find((/** @type {any} */ row) => row.metrics.includes("air_temperature"));
  // Whole five minutes, so that many viewers ask for the same thing.
  const end = Math.ceil(at / SELDOM_S) * SELDOM_S;
  const query = new URLSearchParams({ device: device?.id ?? "", metric: "air_temperature", start: String(start - 86400), end: String(end), points: String(POINTS) });
  const history = useKept(useData(device ? `/history?${query}` : null).data);
  const picks = useData("/picks?limit=1000", SELDOM_S).data ?? [];
  const robot = farm.robots[0]?.id ?? "";
  const today = picks.filter((/** @type {any} */ pick) => pick.at >= start && pick.attempt > 0);
  return html`<section class="block o3">
    <header><h2>${t("morning.day")}</h2><span class="note">${device ? t("morning.day.note", { zone: zoneName(device.zone) }) : t("morning.day.no_device")}</span></header>
    <${DayChart} wide=${wide} midnight=${start} now=${at} history=${history} picks=${today} robot=${robot} site=${farm.site} />
  </section>`;
}

/** Hold the last data while the next is on its way. @param {any} data */
function useKept(data) {
  const [kept, keep] = useState(data);
  useEffect(() => {
    if (data) keep(data);
  }, [data]);
  return data ?? kept;
}

/** Is the page as wide as a desk or tablet? */
function useWide() {
  const [wide, setWide] = useState(() => matchMedia("(min-width: 40rem)").matches);
  useEffect(() => {
    const media = matchMedia("(min-width: 40rem)");
    const change = () => setWide(media.matches);
    media.addEventListener("change", change);
    return () => media.removeEventListener("change", change);
  }, []);
  return wide;
}

/** @param {{harvest: any, hanging: any}} props */
function Harvest({ harvest, hanging }) {
  const { value, unit } = mass(harvest.kg);
  const forecast = harvest.forecast
    ? t("morning.forecast", { p50: massText(harvest.forecast.p50), p10: num(harvest.forecast.p10), p90: num(harvest.forecast.p90) })
    : t("morning.forecast.none", { why: t(`morning.why.${harvest.forecast_why}`) });
  return html`<${Sheet} title=${t("morning.harvest")} note=${t("morning.harvest.note")} order=${1}>
    <div class="harvest">
      <${Figure} hero label=${html`<span class="sr">${t("morning.picked")}</span>`} value=${value} unit=${unit}
        state=${harvest.estimated ? "estimated" : "live"} sub=${t("morning.berries", { n: harvest.berries, count: num(harvest.berries) })} />
      <div class="kgbar"><${KgBar} picked=${harvest.kg} hanging=${hanging} /><p class="sub">${forecast}</p></div>
    </div>
  <//>`;
}

/** What was picked beside what still hangs ripe. @param {{picked: number, hanging: any}} props */
function KgBar({ picked, hanging }) {
  const left = hanging?.kg ?? 0;
  const all = picked + left;
  const done = all > 0 ? (picked / all) * 430 : 0;
  const old = hanging?.at != null && now() - hanging.at > OLD_S;
  const rest = !hanging ? t("figure.fetching") : !hanging.seen ? t("morning.hanging_unknown") : t(old ? "morning.hanging_old" : "morning.hanging", { kg: massText(left), at: instant(hanging.at, now()) });
  return html`<svg class="chart amounts" viewBox="0 0 430 14" preserveAspectRatio="none" role="img" aria-label=${`${t("morning.picked")} ${massText(picked)}, ${rest}`}>
      <rect width="430" height="14" fill="var(--sunken)" />
      ${left > 0 && html`<rect x=${done} width=${430 - done} height="14" fill="var(--berry)" opacity=".2" />`}
      ${done > 0 && html`<rect width=${Math.max(3, done - 2)} height="14" fill="var(--leaf)" />`}
    </svg>
    <p class="ends"><span class="up">${t("morning.robot_part", { kg: massText(picked) })}</span><span>${rest}</span></p>`;
}

/** @param {{robot: any, hanging: any}} props */
function Performance({ robot, hanging }) {
  const none = robot.attempted === 0 ? t("morning.no_tries") : undefined;
  const state = (/** @type {unknown} */ value) => (value === null ? "no_data" : "live");
  return html`<section class="sheet o4" aria-label=${t("morning.figures")}>
    <div class="figs">
      <${Figure} label=${t("morning.rate")} value=${robot.berries_per_hour} unit=${t("morning.per_hour")} state=${state(robot.berries_per_hour)}
        sub=${robot.seconds_per_berry === null ? (none ?? t("morning.no_rate")) : t("morning.seconds", { s: num(robot.seconds_per_berry, 1) })} />
      <${Figure} label=${t("morning.success")} value=${robot.success === null ? null : percent(robot.success).replace(" %", "")} unit="%" state=${state(robot.success)}
        sub=${none ?? t("morning.tries", { ok: num(robot.picked), all: num(robot.attempted) })} />
      <${Figure} label=${t("morning.ripe_now")} value=${hanging ? num(hanging.berries) : null} unit=${t("morning.pieces")} state=${!hanging ? "loading" : hanging.seen ? "live" : "no_data"}
        sub=${!hanging ? undefined : hanging.seen ? t("morning.looked", { clock: instant(hanging.at, now()) }) : t("morning.never_looked")} />
      <${Figure} label=${t("morning.tomorrow")} state="no_data" sub=${t("morning.why.not_enough_seasons")} />
    </div>
  </section>`;
}

function Bones() {
  return html`<div class="head" aria-busy="true"><span class="bone long"></span></div>
    <div class="grid"><div class="c8 stack"><span class="bone block"></span><span class="bone block"></span></div>
      <div class="c4 stack"><span class="bone block"></span></div></div>`;
}

/** @type {import("/static/lib/router.js").Page} */
export const page = { title: "nav.morning", css: "/static/css/morning.css", view: Morning };
