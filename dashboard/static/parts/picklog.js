// What became of each berry: the log with reasons in words, why some were not picked, and the punnets they lie in.
import { now } from "/static/lib/clock.js";
import { clock, instant, massText, num } from "/static/lib/format.js";
import { has, t } from "/static/lib/i18n.js";
import { html } from "/static/lib/ui.js";
import { placeName } from "/static/lib/words.js";
import { Bone } from "/static/parts/figure.js";
import { Icon } from "/static/parts/icon.js";
import { Blank, Failure, Sheet } from "/static/parts/sheet.js";
import { StageIcon, STAGES } from "/static/parts/stage.js";

/** Left on the plant on purpose, without a try. */
const SKIPPED = ["not_ripe", "unreachable", "ik_fail", "collision_risk"];
const SHOWN = 8;

/** @param {string} result */
function reason(result) {
  return has(`robot.result_${result}`) ? t(`robot.result_${result}`) : result;
}

/** @param {{picks: {data: any, error: any, again: () => void}, morning: any, more: boolean, onMore: () => void}} props */
export function PickLog({ picks, morning, more, onMore }) {
  const { data, error, again } = picks;
  const total = morning ? t("robot.log_today", { attempted: num(morning.attempted), picked: num(morning.picked) }) : "";
  const end = data?.length >= SHOWN && html`<button class="link plain" type="button" aria-expanded=${more} onClick=${onMore}>${t(more ? "robot.log_less" : "robot.log_more")}</button>`;
  return html`<${Sheet} title=${t("robot.log")} note=${total} end=${end} order=${7}>
    ${!data ? (error ? html`<${Failure} error=${error} again=${again} />` : html`<${Bone} />`) : data.length === 0
      ? html`<${Blank} title=${t("robot.log_none")} text=${t("robot.log_none_why")} drawing="bed" />`
      : html`<ol class="log">${data.slice(0, more ? data.length : SHOWN).map((/** @type {any} */ pick) => html`<li key=${`${pick.at}${pick.berry_id}`}><${Line} pick=${pick} /></li>`)}</ol>`}
  <//>`;
}

/** @param {{pick: any}} props */
function Line({ pick }) {
  const ok = pick.result === "ok";
  const skipped = !ok && (pick.attempt === 0 || SKIPPED.includes(pick.result));
  const icon = ok ? "i-ok" : skipped ? "i-skip" : "i-x";
  const facts = [
    placeName({ zone: "", ...pick }),
    pick.ripeness !== null && (!ok || pick.mass === null) ? t("robot.log_ripeness", { n: num(pick.ripeness, 2) }) : "",
    ok && pick.mass !== null ? `≈ ${massText(pick.mass)}` : "",
    pick.attempt > 0 && pick.seconds !== null ? t("robot.log_seconds", { n: num(pick.seconds, 1) }) : "",
    pick.attempt > 0 && pick.peak_force !== null ? `${num(pick.peak_force, 2)} N` : "",
    pick.attempt > 1 ? t("robot.log_attempt", { n: pick.attempt }) : "",
  ];
  return html`<span class="shot">${STAGES.includes(pick.stage) && html`<${StageIcon} of=${pick.stage} />`}</span>
    <div><b class=${icon}><${Icon} name=${icon} />${ok ? t(pick.stage === "overripe" ? "robot.log_overripe" : "robot.log_picked") : t(skipped ? "robot.log_left" : "robot.log_missed", { why: reason(pick.result) })}</b>
      <span>${facts.filter(Boolean).join(" · ")}</span></div>
    <time>${now() - pick.at < 86400 ? clock(pick.at, true) : instant(pick.at, now())}</time>`;
}

/** @param {{counts: Record<string, number> | undefined}} props */
export function WhyNot({ counts }) {
  const rows = Object.entries(counts ?? {}).filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1]);
  const most = rows[0]?.[1] ?? 1;
  return html`<${Sheet} title=${t("robot.why")} note=${t("robot.today")} order=${8}>
    ${counts === undefined ? html`<${Bone} />` : rows.length === 0
      ? html`<p class="note-p">${t("robot.why_none")}</p>`
      : html`<ul class="why">${rows.map(([result, n]) => html`<li><span>${reason(result)}</span><i style=${{ width: `${(n / most) * 100}%` }}></i><b>${num(n)}</b></li>`)}</ul>`}
  <//>`;
}

/** Punnets of this robot, the newest eight, the oldest left. @param {{robot: string, lots: any, children?: any}} props */
export function Punnets({ robot, lots, children }) {
  const mine = (lots ?? []).filter((/** @type {any} */ lot) => lot.robot === robot).slice(0, 8).reverse();
  const most = Math.max(1, ...mine.map((/** @type {any} */ lot) => lot.berries));
  const last = mine[mine.length - 1];
  const words = last && t(last.closed ? "robot.punnet_full" : "robot.punnet_open", { n: last.berries, mass: massText(last.mass), time: instant(last.last_pick_at, now()) });
  return html`<${Sheet} title=${t("robot.punnets")} note=${mine.length ? t("robot.punnets_note", { n: mine.length }) : ""} order=${5}>
    ${lots === undefined ? html`<${Bone} />` : !last
      ? html`<p class="note-p">${t("robot.punnets_none")}</p>`
      : html`<ul class="punnets">${mine.map((/** @type {any} */ lot) => html`<li class=${lot.closed ? "" : "open"} style=${{ "--f": `${(lot.berries / most) * 100}%` }}><span>${num(lot.berries)}</span><span class="sr">${t("robot.punnet_berries", { n: lot.berries })}</span></li>`)}</ul>
        <p class="note-p">${words}</p>
        <div class="btns"><a class="btn" href=${`/t/${encodeURIComponent(last.id)}`} target="_blank" rel="noopener"><${Icon} name="i-book" />${t("robot.punnet_trace")}</a></div>`}
    ${children}
  <//>`;
}
