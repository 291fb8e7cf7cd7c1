// Map: every segment by what hangs there, the robot on it, and what is known about the chosen one.
import { now, useNow } from "/static/lib/clock.js";
import { useData } from "/static/lib/data.js";
import { ago, duration, instant, massText, num } from "/static/lib/format.js";
import { lang, rich, say, t } from "/static/lib/i18n.js";
import { live, useLive } from "/static/lib/live.js";
import { session, useStore } from "/static/lib/store.js";
import { html, useEffect, useRef, useState } from "/static/lib/ui.js";
import { placeName, siteName, zoneName } from "/static/lib/words.js";
import { Field, keyOf, lanesOf, LAYERS, massLeft, Mini, pickedToday, topOf, useDesk } from "/static/parts/bed.js";
import { Figure } from "/static/parts/figure.js";
import { Icon } from "/static/parts/icon.js";
import { robotWords } from "/static/parts/robotstate.js";
import { Blank, BottomSheet, Failure } from "/static/parts/sheet.js";
import { StageIcon, stageName, STAGES, stageShape } from "/static/parts/stage.js";

/** @typedef {import("/static/parts/bed.js").Segment} Segment @typedef {import("/static/parts/bed.js").Lane} Lane */

const REFRESH_S = 30;
const RAIL_FRESH_S = 20;
const MOST_OF_IT = 0.6;
const OLD_S = 12 * 3600; // by then fruit has ripened that nobody counted

/** @param {{route: import("/static/lib/router.js").Route}} props */
function MapPage({ route }) {
  const { farm, site } = useStore(session, (value) => value);
  const robots = useLive((value) => value.robots);
  const connected = useLive((value) => value.connected);
  const { data: rows, error, again } = useData("/segments", REFRESH_S);
  const [layer, setLayer] = useState("ripe");
  const [chosen, setChosen] = useState("");
  const desk = useDesk();
  useNow(5);
  useRefetch(again, Object.values(robots).map((robot) => `${robot.bed}${robot.segment}`).join());
  const zone = zoneOf(route.rest[0], farm, robots);
  const beds = farm.beds.filter((/** @type {any} */ bed) => bed.zone === zone);
  if (!rows) return error ? html`<${Failure} error=${error} again=${again} />` : html`<${Head} site=${site} zone=${zone} />`;
  const lanes = lanesOf(beds, rows);
  const cells = lanes.flatMap((lane) => lane.cells);
  const markers = markersOf(lanes, robots, farm, connected);
  const shown = cells.find((row) => keyOf(row) === chosen) ?? (desk ? standing(cells, markers, lanes) : undefined);
  return html`<${Head} site=${site} zone=${zone} lanes=${lanes} />
    ${farm.zones.length > 1 && html`<${Zones} farm=${farm} rows=${rows} current=${zone} robots=${robots} />`}
    ${cells.length === 0
      ? html`<${Blank} title=${t("map.no_beds")} text=${t("map.no_beds_why")} drawing="bed" />`
      : html`<div class="grid map">
        <section class="c9 sheet mapsheet" aria-labelledby="map-title">
          <header><h2 id="map-title">${t(`map.title_${layer}`)}</h2><span class="note">${counted(cells)}</span>
            <div class="pick end" role="group" aria-label=${t("map.layer")}>
              ${LAYERS.map((name) => html`<button type="button" aria-pressed=${name === layer} onClick=${() => setLayer(name)}>
                ${name !== "age" && html`<${StageIcon} of=${name} />`}${t(`map.layer_${name}`)}</button>`)}</div></header>
          ${error && html`<p class="notice" role="status">${error.text}</p>`}
          <${Field} lanes=${lanes} layer=${layer} top=${topOf(rows, layer)} chosen=${shown ? keyOf(shown) : ""} onChoose=${setChosen} markers=${markers} desk=${desk}
            label=${t("map.label", { zone: zoneName(zone), beds: lanes.length, segments: cells.length })} />
          <p class="door"><span aria-hidden="true">${desk ? "▶" : "▲"}</span> ${t("map.door")}</p>
          <${Legend} layer=${layer} top=${topOf(rows, layer)} markers=${markers} />
        </section>
        ${desk && html`<aside class="c3 sheet detail" aria-live="polite">${shown && html`<${Detail} row=${shown} markers=${markers} lanes=${lanes} heading />`}</aside>`}
      </div>`}
    ${!desk && shown && html`<${BottomSheet} key=${keyOf(shown)} title=${placeName({ zone: "", ...shown })} onClose=${() => setChosen("")}>
      <${Detail} row=${shown} markers=${markers} lanes=${lanes} /><//>`}`;
}

/** Ask again when what the robots say makes the counts old. @param {() => void} again @param {string} signature */
function useRefetch(again, signature) {
  const known = useRef(signature);
  useEffect(() => {
    if (known.current !== signature) again();
    known.current = signature;
  }, [signature]);
}

/** The zone of the address ("#/map/tunnel-1" or "#/map/bed-1"), else where a robot is, else the first. @param {string|undefined} asked @param {any} farm @param {any} robots */
function zoneOf(asked, farm, robots) {
  const bed = farm.beds.find((/** @type {any} */ row) => row.id === asked);
  if (bed) return bed.zone;
  if (farm.zones.some((/** @type {any} */ zone) => zone.id === asked)) return asked;
  const busy = Object.values(robots).find((robot) => robot.bed);
  return farm.beds.find((/** @type {any} */ row) => row.id === busy?.bed)?.zone ?? farm.beds[0]?.zone ?? farm.zones[0]?.id;
}

/** @param {{site: any, zone: string, lanes?: Lane[]}} props */
function Head({ site, zone, lanes }) {
  return html`<div class="head"><p class="when"><span>${siteName(site)} › ${zoneName(zone)}</span></p>
    <h1>${lanes ? sentence(zone, lanes) : html`<span class="bone long"></span>`}</h1></div>`;
}

/** @param {string} zone @param {Lane[]} lanes */
function sentence(zone, lanes) {
  const cells = lanes.flatMap((lane) => lane.cells);
  const args = { zone: zoneName(zone) };
  if (!cells.some((row) => row.at !== null)) return t("map.nothing_counted", args);
  const total = cells.reduce((sum, row) => sum + massLeft(row), 0);
  if (total === 0) {
    const age = now() - Math.min(...cells.flatMap((row) => (row.at === null ? [] : [row.at])));
    return age > OLD_S ? t("map.nothing_ripe_old", { ...args, time: duration(age) }) : t("map.nothing_ripe", args);
  }
  const beds = [...new Set(lanes.map((lane) => lane.bed))];
  const parts = beds.length > 1 ? beds.map((bed) => ({ name: bed, mass: massOf(cells.filter((row) => row.bed === bed)) })) : cells.map((row) => ({ name: row.segment + 1, mass: massLeft(row) }));
  const list = most(parts, total);
  const named = beds.length > 1 && list.every((name) => /^bed-\d+$/.test(String(name)));
  const key = beds.length === 1 ? "map.in_segments" : named ? "map.in_beds" : "map.in_places";
  const names = list.map((name) => String(name).replace(/^bed-(?=\d+$)/, "")).sort((a, b) => Number(a) - Number(b));
  return rich("map.sentence", { ...args, mass: massText(total), where: t(key, { n: names.length, list: names.join(lang() === "zh" ? "、" : ", ") }) });
}

/** @param {Segment[]} rows */
const massOf = (rows) => rows.reduce((sum, row) => sum + massLeft(row), 0);

/** The fewest names that hold most of the mass, four at most. @param {{name: any, mass: number}[]} parts @param {number} total */
function most(parts, total) {
  const names = [];
  let sum = 0;
  for (const part of [...parts].sort((a, b) => b.mass - a.mass)) {
    if (sum >= total * MOST_OF_IT || names.length === 4) break;
    names.push(part.name);
    sum += part.mass;
  }
  return names;
}

/** @param {Segment[]} cells */
function counted(cells) {
  const times = cells.flatMap((row) => (row.at === null ? [] : [row.at]));
  if (!times.length) return t("map.never_counted");
  const [from, to] = [Math.min(...times), Math.max(...times)];
  return t(to - from < 60 ? "map.counted_at" : "map.counted", { from: instant(from, now()), to: instant(to, now()) });
}

/** @param {{farm: any, rows: Segment[], current: string, robots: any}} props */
function Zones({ farm, rows, current, robots }) {
  return html`<nav class="scroll-x" aria-label=${t("map.zones")}><div class="tunnels">
    ${farm.zones.map((/** @type {any} */ zone) => {
      const lanes = lanesOf(farm.beds.filter((/** @type {any} */ bed) => bed.zone === zone.id), rows);
      const cells = lanes.flatMap((lane) => lane.cells);
      const here = Object.entries(robots).find(([, robot]) => lanes.some((lane) => lane.bed === robot.bed));
      return html`<a href=${`#/map/${encodeURIComponent(zone.id)}`} aria-current=${zone.id === current ? "true" : undefined}>
        <b><span>${zoneName(zone.id)}</span><span>${cells.some((row) => row.at !== null) ? massText(massOf(cells)) : "–"}</span></b>
        <${Mini} lanes=${lanes} top=${topOf(rows, "ripe")} />
        <span class="k">${here ? t("map.robot_here", { robot: here[0] }) : cells.length ? t("map.ripe_mass") : t("map.no_beds")}</span></a>`;
    })}</div></nav>`;
}

/** Where each robot stands on the lanes: within its segment as its rail says, else in the middle. @param {Lane[]} lanes @param {any} robots @param {any} farm @param {boolean} connected */
function markersOf(lanes, robots, farm, connected) {
  return Object.entries(robots).flatMap(([id, robot]) => {
    const lane = lanes.findIndex((row) => row.bed === robot.bed && (row.side === robot.side || !robot.side));
    if (lane < 0 || robot.segment < 0 || robot.segment >= lanes[lane].cells.length) return [];
    const bed = farm.beds.find((/** @type {any} */ row) => row.id === robot.bed);
    const rail = live.get().last[`${id}|rail_position`];
    const fresh = rail?.value != null && rail.at !== null && now() - rail.at < RAIL_FRESH_S;
    const along = fresh ? Number(rail.value) / bed.segment_length : NaN;
    const near = Math.abs(along - robot.segment - 0.5) < 1.2; // the arm reaches sideways: the rail may stand beside the segment
    const words = robotWords(id, robot, connected, robot.age ?? 0);
    const at = Math.min(lanes[lane].cells.length, Math.max(0, near ? along : robot.segment + 0.5));
    return [{ id, lane, segment: robot.segment, along: at, tone: words.tone, words: words.title }];
  });
}

/** What the desk shows before anybody chose: where the robot is, else the ripest. @param {Segment[]} cells @param {any[]} markers @param {Lane[]} lanes */
function standing(cells, markers, lanes) {
  const marker = markers[0];
  if (marker) return lanes[marker.lane].cells[marker.segment];
  return [...cells].sort((a, b) => (b.left ?? -1) - (a.left ?? -1))[0];
}

/** @param {{layer: string, top: number, markers: any[]}} props */
function Legend({ layer, top, markers }) {
  return html`<div class="legend">
    <span><span class="ramp" aria-hidden="true">${[0, 1, 2, 3, 4, 5].map((n) => html`<i class=${`h${n}`}></i>`)}</span>${t(`map.ramp_${layer === "age" ? "age" : "berries"}`, { n: top })}</span>
    ${layer === "ripe" && html`<span><${Icon} name="g-over" class="g" />${t("map.many_overripe")}</span>
      <span><span class="key done"><${Icon} name="i-ok" /></span>${t("map.picked_today")}</span>`}
    <span><span class="key none" aria-hidden="true">–</span>${t("map.no_data")}</span>
    <span class="stagekey"><span class="ribbon" aria-hidden="true">${STAGES.slice(1).map((stage) => html`<i class=${`s-${stageShape(stage)}`}></i>`)}</span>${t("map.foot")}</span>
    ${markers.map((marker) => html`<span><span class=${`bot key ${marker.tone}`} aria-hidden="true"><${Icon} name="i-robot" /></span>${marker.words}</span>`)}
  </div>`;
}

/** @param {{row: Segment, markers: any[], lanes: Lane[], heading?: boolean}} props */
function Detail({ row, markers, lanes, heading }) {
  const { data: plan } = useData("/plan", 60);
  const marker = markers.find((found) => lanes[found.lane].bed === row.bed && found.segment === row.segment);
  const entry = plan?.entries.find((/** @type {any} */ found) => keyOf(found) === keyOf(row));
  const known = row.at !== null;
  const largest = Math.max(1, ...STAGES.map((stage) => row[/** @type {"ripe"} */ (stage)] ?? 0));
  const tags = html`${marker && html`<span class="tag leaf">${t("map.robot_here", { robot: marker.id })}</span>`}
    ${pickedToday(row) && html`<span class="tag"><${Icon} name="i-ok" />${t("map.picked_today")}</span>`}`;
  return html`${heading ? html`<header><h2>${placeName({ zone: "", ...row })}</h2>${tags}</header>` : html`<p class="tags">${tags}</p>`}
    <${Figure} hero label=${t("map.ripe_left")} value=${row.left} state=${known ? "live" : "no_data"}
      unit=${t("map.berries_mass", { n: row.left ?? 0, mass: massText(massLeft(row)) })}
      sub=${known ? t("map.counted_ago", { time: ago(now() - (row.at ?? 0)) }) : t("map.nobody_looked")} />
    ${known && html`<hr class="rule" /><ol class="stage-list">${STAGES.map((stage) => {
      const count = row[/** @type {"ripe"} */ (stage)] ?? 0;
      return html`<li><${StageIcon} of=${stage} /><span>${stageName(stage)}</span>
        <span class="barx"><i class=${`s-${stageShape(stage)}`} style=${{ width: `${(count / largest) * 100}%` }}></i></span><b>${num(count)}</b></li>`;
    })}</ol>`}
    <hr class="rule" />
    <dl class="kv">
      <dt>${t("map.last_count")}</dt><dd>${row.at === null ? t("map.never") : instant(row.at, now())}</dd>
      <dt>${t("map.last_pick")}</dt><dd>${row.picked_at === null ? t("map.never") : instant(row.picked_at, now())}</dd>
      <dt>${t("map.in_plan")}</dt><dd>${plan === undefined ? "…" : entry?.chosen ? t("map.planned") : t("map.not_planned")}</dd>
    </dl>
    ${entry && say(entry.reason) && html`<p class="note-p">${say(entry.reason)}</p>`}
    <div class="btns fill"><a class="btn" href="#/plan"><${Icon} name="i-plan" />${t("map.see_plan")}</a>
      ${marker && html`<a class="btn" href=${`#/robot/${encodeURIComponent(marker.id)}`}><${Icon} name="i-robot" />${t("map.see_robot")}</a>`}</div>`;
}

/** @type {import("/static/lib/router.js").Page} */
export const page = { title: "map.title", css: "/static/css/map.css", view: MapPage };
