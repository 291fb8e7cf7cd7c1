// Plan: what the robot does next and why, what became of the orders sent, and "plan now" for those who may.
import { post } from "/static/lib/api.js";
import { useNow } from "/static/lib/clock.js";
import { useData } from "/static/lib/data.js";
import { duration } from "/static/lib/format.js";
import { rich, say, t } from "/static/lib/i18n.js";
import { html } from "/static/lib/ui.js";
import { bedName, placeName, segmentName } from "/static/lib/words.js";
import { Age } from "/static/parts/age.js";
import { Command } from "/static/parts/button.js";
import { Icon } from "/static/parts/icon.js";
import { Blank, Failure, Sheet } from "/static/parts/sheet.js";

const REFRESH_S = 10;
const STALE_S = 300;
const MARKS = /** @type {Record<string, string>} */ ({ done: "i-ok", accepted: "i-play", sent: "i-play", failed: "i-x", rejected: "i-x", expired: "i-x", lost: "unknown" });

function Plan() {
  useNow(5);
  const { data, error, again } = useData("/plan", REFRESH_S);
  if (!data) return error ? html`<${Failure} error=${error} again=${again} />` : html`<div class="waiting"><span class="bone long"></span><span class="bone block"></span></div>`;
  const due = data.entries.filter((/** @type {any} */ entry) => entry.chosen);
  const later = data.entries.filter((/** @type {any} */ entry) => !entry.chosen);
  const run = async () => {
    const answer = await post("/plan/run");
    again();
    return answer;
  };
  return html`<header class="head">
      <div class="when"><${Age} at=${data.at} limit=${STALE_S} none=${t("plan.say.wait")} /></div>
      <h1>${sentence(data, due)}</h1>
    </header>
    <div class="grid">
      <div class="c8 stack">
        ${data.entries.length === 0 && html`<div class="o2"><${Blank} title=${t("plan.empty")} text=${t("plan.empty.text")} drawing="bed" /></div>`}
        ${due.length > 0 && html`<${Sheet} title=${t("plan.next")} note=${t("plan.count", { n: due.length })} class="o2"><${Entries} entries=${due} at=${data.at} numbered /><//>`}
        ${later.length > 0 && html`<${Sheet} title=${t("plan.later")} note=${t("plan.count", { n: later.length })} class="o4"><${Entries} entries=${later} at=${data.at} /><//>`}
      </div>
      <div class="c4 stack">
        <section class="sheet o1"><p class="plan-note">${t("plan.now.note")}</p>
          <div class="btns"><${Command} label=${t("plan.now")} icon="i-plan" go role="grower" send=${run} confirmed=${t("plan.now.done")} /></div></section>
        <${Sheet} title=${t("plan.orders")} class="o3"><${Orders} orders=${data.orders} entries=${data.entries} /><//>
      </div>
    </div>`;
}

/** @param {any} plan @param {any[]} due */
function sentence(plan, due) {
  if (plan.at === null) return t("plan.say.wait");
  if (!due.length) {
    const reason = plan.reasons.map(say).filter(Boolean).join(" · ");
    return reason ? t("plan.say.none", { reason: reason[0].toUpperCase() + reason.slice(1) }) : t("plan.say.wait");
  }
  const ripe = due.reduce((sum, entry) => sum + Math.max(0, entry.ripe ?? 0), 0);
  const first = due[0];
  const args = { robot: first.robot, n: due.length, ripe, place: placeName({ bed: first.bed, segment: first.segment }) };
  return rich(ripe > 0 ? "plan.say.due" : "plan.say.unseen", args);
}

/** What was seen after the plan was made is newer than its reason; a look it does not know of was of an earlier farm. @param {{entries: any[], at: number, numbered?: boolean}} props */
function Entries({ entries, at, numbered = false }) {
  const now = useNow(5);
  const unknown = (/** @type {any} */ entry) => entry.ripe === null || entry.ripe < 0;
  const since = (/** @type {any} */ entry) => entry.last_visit !== null && entry.last_visit > at;
  const seen = (/** @type {any} */ entry) => entry.last_visit !== null && (since(entry) || !unknown(entry));
  const ripe = (/** @type {number|null} */ n) => (n === null || n < 0 ? t("plan.ripe.unknown") : n === 0 ? t("plan.ripe.none") : t("plan.ripe", { n }));
  const row = (/** @type {any} */ entry, /** @type {number} */ i) => html`<li>
    ${numbered && html`<span class="n">${i + 1}</span>`}
    <div><h3>${bedName(entry.bed)} ${segmentName(entry.segment)}</h3><p>${say(entry.reason)}</p>
      ${seen(entry) && html`<p class="seen">${t(since(entry) ? "plan.visited_since" : "plan.visited", { time: duration(now - entry.last_visit) })}</p>`}</div>
    <div class="ends">${!(since(entry) && unknown(entry)) && html`<b class=${entry.ripe > 0 ? "" : "none"}>${ripe(entry.ripe)}</b>`}${entry.status && html`<${Status} of=${entry.status} />`}</div>
  </li>`;
  return html`<ol class=${`rows entries ${numbered ? "numbered" : ""}`}>${entries.map(row)}</ol>`;
}

/** @param {{of: string}} props */
function Status({ of }) {
  const known = of in MARKS;
  return html`<span class=${`tag ${of === "done" ? "leaf" : ""}`} data-status=${of}><${Icon} name=${MARKS[of] ?? "unknown"} />${known ? t(`plan.status.${of}`) : of}</span>`;
}

/** @param {{orders: any[], entries: any[]}} props */
function Orders({ orders, entries }) {
  if (!orders.length) return html`<p class="plan-note">${t("plan.orders.none")}</p>`;
  const row = (/** @type {any} */ order) => {
    const of = entries.filter((entry) => entry.order_id === order.id);
    const issuer = of[0]?.issuer;
    const by = !issuer ? "" : issuer === "brain" ? t("plan.by.brain") : t("plan.by", { issuer });
    return html`<li><b>${order.robot}</b><${Status} of=${order.status} />
      <small>${[of.length ? t("plan.of_bed", { bed: bedName(of[0].bed), n: of.length }) : "", by, order.reason].filter(Boolean).join(" · ")}</small>
      <small class="id">${order.id}</small></li>`;
  };
  return html`<ul class="rows orders">${[...orders].reverse().slice(0, 12).map(row)}</ul>`;
}

/** @type {import("/static/lib/router.js").Page} */
export const page = { title: "plan.title", css: "/static/css/plan.css", view: Plan };
