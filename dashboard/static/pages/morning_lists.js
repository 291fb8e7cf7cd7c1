// The lists of the morning page: what to do, alarms by place, the crop by stage, what the robot does next.
import { now } from "/static/lib/clock.js";
import { clock, duration, instant, massText, num } from "/static/lib/format.js";
import { has, say, t } from "/static/lib/i18n.js";
import { useLive } from "/static/lib/live.js";
import { session, useStore } from "/static/lib/store.js";
import { html } from "/static/lib/ui.js";
import { bedName, faultAdvice, faultName, placeName, segmentsName, zoneName } from "/static/lib/words.js";
import { Icon } from "/static/parts/icon.js";
import { Severity, shapeOf } from "/static/parts/severity.js";
import { Sheet } from "/static/parts/sheet.js";
import { StageIcon, stageName, STAGES } from "/static/parts/stage.js";

const SHOWN = 6;
/** action of a thing → page */
const OPENS = { open_robot: "robot", open_map: "map", open_alarms: "alarms", open_climate: "climate", open_plan: "plan" };

/** @param {{things: any[]}} props */
export function Things({ things }) {
  return html`<${Sheet} title=${t("morning.things")} order=${2}>
    ${things.length ? html`<ol class="todo">${things.map((thing, i) => html`<${Thing} thing=${thing} n=${i + 1} />`)}</ol>` : html`<${Quiet} />`}
  <//>`;
}

/** @param {{thing: any, n: number}} props */
function Thing({ thing, n }) {
  const { key, args } = thing;
  const farm = useStore(session, (value) => value.farm);
  const device = farm.devices.find((/** @type {any} */ row) => row.id === args.device);
  const words = {
    ...args,
    n: args.berries,
    berries: num(args.berries),
    kg: massText(args.kg),
    bed: args.bed ? placeName({ bed: args.bed }) : "",
    fault: args.fault ? faultName(args.fault) : "",
    advice: args.fault ? faultAdvice(args.fault) : "",
    place: placeOf(args.place),
    zone: device ? zoneName(device.zone) : "",
  };
  const opens = OPENS[/** @type {"open_robot"} */ (thing.action)];
  return html`<li><span class="n">${n}</span><div>
    <h3>${t(`morning.thing.${key}`, words)}</h3>
    <p>${t(`morning.thing.${key}.why`, words)}</p>
    ${opens && html`<div class="btns fill"><a class=${`btn ${n === 1 ? "go" : ""}`} href=${`#/${opens}`}>${t(`morning.open.${opens}`)}</a></div>`}
  </div></li>`;
}

/** Nothing to decide, with proof that the farm is alive. */
function Quiet() {
  const rows = useLive((value) => value.last);
  const devices = new Set(Object.values(rows).map((row) => row.device));
  const silent = new Set(Object.values(rows).filter((row) => row.state !== "live").map((row) => row.device));
  return html`<p class="quiet"><${Icon} name="i-ok" class="g" />${t("morning.quiet")}</p>
    <p class="note-p">${silent.size ? t("morning.quiet.some", { n: devices.size - silent.size, all: devices.size }) : t("morning.quiet.all", { n: devices.size })}</p>`;
}

/** @param {{zone?: string, device?: string} | null | undefined} place */
function placeOf(place) {
  return [place?.zone ? zoneName(place.zone) : "", place?.device ?? ""].filter(Boolean).join(" · ");
}

/** @param {{alarms: any[]}} props */
export function AlarmList({ alarms }) {
  const open = useLive((value) => value.alarms.active);
  const end = html`<a class="link" href="#/alarms">${t("morning.all")}</a>`;
  // By place; the place with the most severe alarm first, which is how they arrive.
  const zones = [...new Set(alarms.map((alarm) => alarm.place?.zone))];
  const sorted = zones.flatMap((zone) => alarms.filter((alarm) => alarm.place?.zone === zone));
  return html`<${Sheet} title=${t("nav.alarms")} note=${open ? t("morning.open_alarms", { n: open }) : ""} end=${end} order=${5}>
    ${sorted.length
      ? html`<ul class="rows">${sorted.map((alarm) => html`<li><a class=${`alarm-s ${shapeOf(alarm.severity)}`} href="#/alarms">
          <div><h3>${faultName(alarm.fault)}</h3><p>${placeOf(alarm.place)}${alarm.since ? ` · ${duration(now() - alarm.since)}` : ""}</p></div>
          <${Severity} of=${alarm.severity} /></a></li>`)}</ul>`
      : html`<p class="quiet"><${Icon} name="i-ok" class="g" />${t("morning.no_alarms")}</p>`}
  <//>`;
}

/** The crop on its way: six stages. @param {{stages: any}} props */
export function Stages({ stages }) {
  const none = stages.at === null;
  const note = none ? t("morning.never_looked") : t("morning.counted", { n: stages.segments, from: instant(stages.at, now()), to: clock(stages.newest_at) });
  const end = html`<a class="link" href="#/map">${t("nav.map")}</a>`;
  return html`<${Sheet} title=${t("morning.stages")} note=${note} end=${end} order=${6}>
    <ol class="way">${STAGES.map((stage) => html`<li class=${stage === "ripe" && !none ? "is-now" : ""}>
      <${StageIcon} of=${stage} /><b>${none ? num(null) : num(stages[stage])}</b><span>${stageName(stage)}</span></li>`)}</ol>
  <//>`;
}

/** What the brain chose to do next, and why. @param {{plan: any[]}} props */
export function PlanList({ plan }) {
  const end = html`<a class="link" href="#/plan">${t("morning.whole_plan")}</a>`;
  return html`<${Sheet} title=${t("nav.plan")} note=${plan.length ? t("morning.plan.note") : ""} end=${end} order=${7}>
    ${plan.length
      ? html`<ol class="rows next">${together(plan).slice(0, SHOWN).map(({ entry, segments }) => html`<li>
          <b>${bedName(entry.bed)} ${segmentsName(segments)}</b>
          <span class="why">${say(entry.reason)}</span>
          ${entry.status && has(`morning.order.${entry.status}`) && html`<span class="tag">${t(`morning.order.${entry.status}`)}</span>`}</li>`)}</ol>`
      : html`<p class="note-p">${t("morning.no_plan")}</p>`}
  <//>`;
}

/** Join neighbours in the list that are of one bed and have one reason. @param {any[]} plan @returns {{entry: any, segments: number[]}[]} */
function together(plan) {
  /** @type {{entry: any, segments: number[]}[]} */
  const rows = [];
  for (const entry of plan) {
    const last = rows.at(-1);
    const same = last && ["bed", "side", "status"].every((name) => last.entry[name] === entry[name]) && say(last.entry.reason) === say(entry.reason);
    if (same) last.segments.push(entry.segment);
    else rows.push({ entry, segments: [entry.segment] });
  }
  return rows;
}
