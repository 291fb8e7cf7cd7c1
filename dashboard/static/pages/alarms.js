// Alarms: what is wrong, where, what to do first, who has taken it.
import { post } from "/static/lib/api.js";
import { now, useNow } from "/static/lib/clock.js";
import { useData } from "/static/lib/data.js";
import { duration, instant, num } from "/static/lib/format.js";
import { lang, rich, t } from "/static/lib/i18n.js";
import { on, useLive } from "/static/lib/live.js";
import { session, useStore } from "/static/lib/store.js";
import { html, useEffect, useState } from "/static/lib/ui.js";
import { faultAdvice, faultName, metricName, siteName, unitName, zoneName } from "/static/lib/words.js";
import { useDesk } from "/static/parts/bed.js";
import { Command } from "/static/parts/button.js";
import { Figure } from "/static/parts/figure.js";
import { Icon } from "/static/parts/icon.js";
import { Severity, shapeOf } from "/static/parts/severity.js";
import { Blank, BottomSheet, Failure } from "/static/parts/sheet.js";
import { Trend } from "/static/parts/trend.js";

/**
 * @typedef {{id: string, fault: string, severity: string, place: {zone: string, device: string}, metric: string, since: number, raised_at: number,
 *   times: number, cleared_at: number|null, acknowledged_by: string|null, acknowledged_at: number|null, value: number|null, limit: number|null,
 *   args: Record<string, any>, active: boolean}} Alarm
 */

const FILTERS = ["active", "open", "taken", "all"];
const RANK = ["critical", "major", "minor", "warning", "unknown"];
const REFRESH_S = 60;
const BEFORE_S = 3600;
const AFTER_S = 1800;

const isOpen = (/** @type {Alarm} */ alarm) => alarm.acknowledged_at === null;
/** @type {Record<string, (alarm: Alarm) => boolean>} */
const CHOOSE = {
  active: (alarm) => alarm.active || isOpen(alarm),
  open: (alarm) => alarm.active && isOpen(alarm),
  taken: (alarm) => alarm.active && !isOpen(alarm),
  all: () => true,
};

function AlarmsPage() {
  const site = useStore(session, (value) => value.site);
  const [filter, setFilter] = useState("active");
  const [chosen, setChosen] = useState("");
  const count = useLive((value) => value.alarms);
  const standing = useData("/alarms?state=active", REFRESH_S);
  const none = standing.data?.length === 0;
  const past = useData(filter === "all" || none ? "/alarms?state=all" : null, REFRESH_S);
  const desk = useDesk();
  useNow(10);
  const again = () => {
    standing.again();
    past.again();
  };
  const news = useNews(again, `${count.active}/${count.critical}`);
  const all = /** @type {Alarm[] | undefined} */ (filter === "all" ? past.data : standing.data);
  const error = filter === "all" ? past.error : standing.error;
  const rows = all?.filter(CHOOSE[filter]);
  const groups = groupsOf(rows ?? []);
  const shown = rows?.find((row) => row.id === chosen) ?? (desk ? groups[0]?.rows[0] : undefined);
  const close = () => setChosen("");
  return html`<div class="sr" aria-live="assertive">${news}</div>
    <div class="head"><p class="when"><span>${siteName(site)}</span></p><h1>${standing.data ? sentence(standing.data) : html`<span class="bone long"></span>`}</h1></div>
    <div class="pick" role="group" aria-label=${t("alarms.filter")}>
      ${FILTERS.map((name) => html`<button type="button" aria-pressed=${name === filter} onClick=${() => setFilter(name)}>${t(`alarms.${name}`)}${
        name !== "all" && standing.data ? ` ${standing.data.filter(CHOOSE[name]).length}` : ""}</button>`)}</div>
    ${rows && error && html`<p class="notice" role="status">${error.text}</p>`}
    ${!rows
      ? error && html`<${Failure} error=${error} again=${again} />`
      : rows.length === 0
        ? html`<${Nothing} filter=${filter} past=${past.data} />`
        : html`<div class="grid alarmpage">
            <div class="c7">${groups.map((group) => html`<section key=${group.key}>
              <div class="placeh"><h2>${group.name}</h2><span>${t("alarms.count", { n: group.rows.length })}</span></div>
              <ul class="alarms">${group.rows.map((row) => html`<li key=${row.id}><${Card} alarm=${row} chosen=${desk && row.id === shown?.id} onChoose=${() => setChosen(row.id)} again=${again} /></li>`)}</ul>
            </section>`)}</div>
            ${desk && shown && html`<aside class="c5 sheet detail" aria-live="polite"><header><h2>${nameOf(shown)}</h2><${Severity} of=${shown.severity} /></header><${Detail} key=${shown.id} alarm=${shown} /></aside>`}
          </div>`}
    ${!desk && shown && html`<${BottomSheet} key=${shown.id} title=${nameOf(shown)} onClose=${close}><${Severity} of=${shown.severity} /><${Detail} alarm=${shown} /><//>`}`;
}

/** Fetch again when something came, and say what is critical. @param {() => void} again @param {string} counts */
function useNews(again, counts) {
  const [news, setNews] = useState("");
  useEffect(() => {
    const end = on("alarm", (alarm) => {
      again();
      if (alarm.severity === "critical" && alarm.active && isOpen(alarm)) setNews(`${t("severity.critical")}: ${faultName(alarm.fault)}`);
    });
    return () => void end();
  }, []);
  useEffect(again, [counts]);
  return news;
}

/** @param {Alarm[]} rows of what stands */
function sentence(rows) {
  const open = rows.filter((row) => row.active && isOpen(row));
  const unseen = rows.filter((row) => !row.active && isOpen(row));
  const worst = groupsOf(open)[0];
  if (open.length) return rich("alarms.sentence_open", { n: open.length, place: worst.name });
  if (unseen.length) return t("alarms.sentence_unseen", { n: unseen.length });
  if (rows.length) return t("alarms.sentence_taken", { n: rows.length });
  return t("alarms.sentence_none");
}

/** By place, the most severe first. @param {Alarm[]} rows @returns {{key: string, name: string, rows: Alarm[]}[]} */
function groupsOf(rows) {
  const farm = session.get().farm;
  /** @type {Map<string, {key: string, name: string, rows: Alarm[]}>} */
  const groups = new Map();
  const urgency = (/** @type {Alarm} */ row) => (row.active ? 0 : 20) + (isOpen(row) ? 0 : 10) + RANK.indexOf(shapeOf(row.severity));
  for (const row of [...rows].sort((a, b) => urgency(a) - urgency(b) || b.raised_at - a.raised_at)) {
    const robot = farm.robots.some((/** @type {any} */ one) => one.id === row.place.device);
    const device = farm.devices.some((/** @type {any} */ one) => one.id === row.place.device);
    const key = robot ? `robot/${row.place.device}` : device || !row.place.device ? row.place.zone : "system";
    const name = robot ? t("alarms.robot", { robot: row.place.device }) : key === "system" ? t("alarms.system") : zoneName(row.place.zone);
    const group = groups.get(key) ?? { key, name, rows: [] };
    group.rows.push(row);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** What is wrong, with the value that says so. @param {Alarm} alarm */
function nameOf(alarm) {
  const { value, limit, metric } = alarm;
  if (alarm.fault === "unknown_fault") return `${faultName(alarm.fault)}: ${alarm.args.key ?? "?"}`;
  if (value === null || !metric) return faultName(alarm.fault);
  const unit = unitName(alarm.args.unit ?? "");
  const written = `${num(value, 1)}${unit ? ` ${unit}` : ""}`;
  const args = { what: metricName(metric), value: written, limit: `${num(limit, 1)}${unit ? ` ${unit}` : ""}`, fault: faultName(alarm.fault) };
  return t(limit === null ? "alarms.name_value" : "alarms.name_limit", args);
}

/** @param {Alarm} alarm */
function since(alarm) {
  const at = instant(alarm.raised_at, now());
  if (alarm.cleared_at !== null) return t("alarms.cleared", { from: at, to: instant(alarm.cleared_at, now()) });
  return t("alarms.since", { at, time: duration(now() - alarm.raised_at) });
}

/** @param {{alarm: Alarm, chosen: boolean, onChoose: () => void, again: () => void}} props */
function Card({ alarm, chosen, onChoose, again }) {
  const shape = shapeOf(alarm.severity);
  const send = async () => {
    const answer = await post(`/alarms/${encodeURIComponent(alarm.id)}/acknowledge`);
    again();
    return answer;
  };
  const advice = faultAdvice(alarm.fault);
  const named = alarm.value !== null && alarm.metric;
  return html`<article class=${`al ${shape} ${alarm.active && isOpen(alarm) ? "" : "quiet"} ${chosen ? "chosen" : ""}`}>
    <div><div class="meta"><${Severity} of=${alarm.severity} /><span>${since(alarm)}</span>${alarm.times > 1 && html`<span>${t("alarms.times", { n: alarm.times })}</span>`}</div>
      <h3><button type="button" class="open" aria-pressed=${chosen} onClick=${onChoose}>${nameOf(alarm)}</button></h3>
      <p class="what">${named && html`${faultName(alarm.fault)} · `}<span class="nb">${alarm.place.device || zoneName(alarm.place.zone)}</span></p>
      ${advice && html`<p class="do"><b>${t("alarms.first")}</b>${advice}</p>`}</div>
    ${isOpen(alarm)
      ? html`<div class="btns"><${Command} label=${t(alarm.active ? "alarms.acknowledge" : "alarms.seen")} icon="i-ok" go=${alarm.active} role="grower" send=${send} confirmed=${t("alarms.noted")} />
          ${!alarm.active && html`<small class="unseen">${t("alarms.unseen")}</small>`}</div>`
      : html`<p class="taken"><span class="tag leaf"><${Icon} name="i-ok" />${t("alarms.by", { name: alarm.acknowledged_by, at: instant(alarm.acknowledged_at ?? 0, now()) })}</span></p>`}
  </article>`;
}

/** @param {{alarm: Alarm}} props */
function Detail({ alarm }) {
  const { place, metric, args } = alarm;
  const live = useLive((value) => value.last[`${place.device}|${metric}`]);
  const farm = useStore(session, (value) => value.farm);
  const robot = farm.robots.some((/** @type {any} */ one) => one.id === place.device);
  const unit = unitName(args.unit ?? "");
  const end = Math.min(now(), alarm.cleared_at === null ? Infinity : alarm.cleared_at + AFTER_S);
  const span = useState({ start: Math.max(alarm.raised_at - BEFORE_S, end - 24 * 3600), end })[0];
  return html`${live && html`<${Figure} hero label=${t("alarms.now")} value=${live.value} digits=${1} unit=${unitName(live.unit)} at=${live.at}
      state=${live.state === "live" ? "live" : live.value === null ? "no_data" : "stale"} />`}
    ${metric && place.device && html`<h3 class="ch">${metricName(metric)}${live?.unit && html` <small>${unitName(live.unit)}</small>`}</h3>
      <${Trend} device=${place.device} metric=${metric} zone=${place.zone} ...${span} limit=${["low", "high"].includes(args.side) ? alarm.limit : null} mark=${alarm.raised_at} title=${metricName(metric)} />`}
    <hr class="rule" />
    <dl class="kv">
      <dt>${t("alarms.what")}</dt><dd>${faultName(alarm.fault)}</dd>
      <dt>${t("alarms.where")}</dt><dd>${[zoneName(place.zone), place.device].filter(Boolean).join(" · ")}</dd>
      ${args.side && alarm.limit !== null && html`<dt>${t("alarms.rule")}</dt><dd>${t(`alarms.rule_${args.side}`, { limit: `${num(alarm.limit, 1)} ${unit}`, time: duration(args.seconds ?? 0) })}</dd>`}
      ${"last_at" in args && html`<dt>${t("alarms.last_word")}</dt><dd>${args.last_at === null ? t("alarms.never") : instant(args.last_at, now())}</dd>`}
      ${alarm.times > 1 && html`<dt>${t("alarms.how_often")}</dt><dd>${t("alarms.times", { n: alarm.times })}</dd>`}
    </dl>
    <hr class="rule" />
    <ol class="said">${story(alarm).map(([at, text]) => html`<li><time>${instant(at, now())}</time><span>${text}</span></li>`)}</ol>
    <p class="note-p">${t("alarms.meaning")}</p>
    ${(robot || metric) && html`<div class="btns">${robot
      ? html`<a class="btn" href=${`#/robot/${encodeURIComponent(place.device)}`}><${Icon} name="i-robot" />${t("alarms.see_robot")}</a>`
      : html`<a class="btn" href="#/climate"><${Icon} name="i-climate" />${t("alarms.see_climate")}</a>`}</div>`}`;
}

/** What happened, in order. @param {Alarm} alarm @returns {[number, string][]} */
function story(alarm) {
  /** @type {[number, string][]} */
  const lines = [[alarm.since, t("alarms.raised")]];
  if (alarm.raised_at > alarm.since) lines.push([alarm.raised_at, t("alarms.again")]);
  if (alarm.acknowledged_at !== null) lines.push([alarm.acknowledged_at, t("alarms.seen_by", { name: alarm.acknowledged_by })]);
  if (alarm.cleared_at !== null) lines.push([alarm.cleared_at, t("alarms.cleared_itself")]);
  return lines.sort((a, b) => a[0] - b[0]);
}

/** Nothing to show, and how one knows that something would be shown. @param {{filter: string, past: Alarm[] | undefined}} props */
function Nothing({ filter, past }) {
  const last = useLive((value) => value.last);
  const farm = useStore(session, (value) => value.farm);
  const talking = new Set(Object.values(last).flatMap((row) => (row.state === "live" ? [row.device] : [])));
  const sensors = farm.devices.filter((/** @type {any} */ device) => talking.has(device.id)).length;
  const newest = past?.[0];
  const proof = t("alarms.talking", { n: sensors, all: farm.devices.length });
  const before = newest ? t("alarms.last_one", { at: instant(newest.raised_at, now()), what: faultName(newest.fault) }) : past ? t("alarms.never_any") : "";
  return html`<${Blank} title=${t(filter === "taken" ? "alarms.none_taken" : "alarms.none")} text=${[before, proof].filter(Boolean).join(lang() === "zh" ? "" : " ")} />`;
}

/** @type {import("/static/lib/router.js").Page} */
export const page = { title: "alarms.title", css: "/static/css/alarms.css", view: AlarmsPage };
