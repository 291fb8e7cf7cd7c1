// The buyer's page of a lot: where and at which minute it was picked, the facts, the air of that hour, the chain of records, the label.
import { useData } from "/static/lib/data.js";
import { clock, date, instant, massText, num, percent, shortDay, UNKNOWN } from "/static/lib/format.js";
import { has, lang, t } from "/static/lib/i18n.js";
import { session } from "/static/lib/store.js";
import { html, useEffect, useState } from "/static/lib/ui.js";
import { bedName, segmentName, siteName, unitName } from "/static/lib/words.js";
import { LanguageButton, ThemeButton } from "/static/parts/frame.js";
import { Icon } from "/static/parts/icon.js";
import { Blank, Failure } from "/static/parts/sheet.js";

/** What is shown of an hour's air: metric, digits, unit as on the wire. */
const AIR = /** @type {[string, number, string][]} */ ([["air_temperature", 1, "Cel"], ["relative_humidity", 0, "%"], ["co2", 0, "[ppm]"], ["ppfd", 0, "umol/(m2.s)"]]);
const PARTS = /** @type {[number, string][]} */ ([[5, "night"], [8, "dawn"], [11, "morning"], [13, "noon"], [17, "afternoon"], [20, "evening"], [24, "night"]]);

/** @param {{route: import("/static/lib/router.js").Route}} props */
function Trace({ route }) {
  const { data, error, again } = useData(`/trace/${encodeURIComponent(route.rest[0])}`);
  const [known, setKnown] = useState(false);
  useEffect(() => {
    document.body.classList.add("buyer");
    return () => document.body.classList.remove("buyer");
  }, []);
  useEffect(() => {
    if (!data) return;
    session.set({ site: { ...data.site, id: "" } }); // times are the farm's, not the buyer's
    setKnown(true);
  }, [data]);
  return html`<div class="trace">
    <header class="t-top"><span class="brand"><${Icon} name="logo" />${data ? siteName({ id: "", ...data.site }) : "BerryBrain"}</span>
      <span class="spring"></span><${LanguageButton} /><${ThemeButton} /></header>
    <main id="main">${data && known ? html`<${Leaf} lot=${data} />` : error ? html`<${Missing} error=${error} again=${again} />` : html`<div class="waiting"><span class="bone long"></span><span class="bone block"></span></div>`}</main>
  </div>`;
}

/** @param {{error: any, again: () => void}} props */
function Missing({ error, again }) {
  if (error.code !== "unknown_lot") return html`<${Failure} error=${error} again=${again} />`;
  return html`<${Blank} title=${t("trace.none")} text=${t("trace.none.text")} drawing="bed" />`;
}

/** @param {{lot: any}} props */
function Leaf({ lot }) {
  const zone = siteName({ id: "", name: lot.zone });
  const beds = /** @type {string[]} */ ([...new Set(lot.rows.map((/** @type {any} */ row) => row.bed))]);
  const where = [siteName({ id: "", ...lot.site }), zone, beds.map(bedName).join(lang() === "zh" ? "、" : ", ")];
  const ripeness = lot.ripeness.length ? lot.ripeness.reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b, 0) / lot.ripeness.length : null;
  const cultivars = lot.cultivars.map(cultivar).join(lang() === "zh" ? "、" : ", ");
  const facts = [
    ["cultivar", cultivars || t("trace.unknown")],
    ["mass", `≈ ${massText(lot.mass)}`], // no punnet is weighed
    ["berries", t("trace.berries.n", { n: lot.berries })],
    ["ripeness", percent(ripeness)],
  ];
  return html`<div class="t-hero"><img class="hero-b" src="/static/berry.svg" alt="" width="300" height="290" />
      <div><p class="lot">${t("trace.lot", { lot: lot.lot })}</p><h1>${headline(lot.first_pick_at)}</h1>
        <p class="where">${where.join(" · ")}</p><${Beds} lot=${lot} /></div></div>
    <dl class="t-facts">${facts.map(([key, value]) => html`<div><dt>${t(`trace.${key}`)}</dt><dd>${value}</dd></div>`)}</dl>
    <div class="t-cols">
      <section class="t-sec"><h2>${t("trace.air")}</h2>${lot.climate.map((/** @type {any} */ hour) => html`<${Hour} hour=${hour} />`)}<p class="t-note">${t("trace.air.note")}</p></section>
      <section class="t-sec"><h2>${t("trace.chain")}</h2><${Chain} lot=${lot} /></section>
    </div>
    <${Label} lot=${lot} beds=${beds} ripeness=${ripeness} />
    <footer class="t-foot"><${Icon} name=${lot.chain?.intact === false ? "minor" : "i-ok"} /><p>${verdict(lot.chain)} ${t("trace.privacy")}</p></footer>`;
}

/** @param {string} key */
const cultivar = (key) => (has(`trace.cultivar.${key}`) ? t(`trace.cultivar.${key}`) : key);

/** Place and minute, broken into lines as a page of a book would be. @param {number} at */
function headline(at) {
  const hour = Number(clock(at).slice(0, 2));
  const part = t(`trace.part.${PARTS.find(([until]) => hour < until)?.[1] ?? "night"}`);
  const [month, day] = lang() === "zh" ? shortDay(at).split("/") : ["", shortDay(at)];
  const date = lang() === "zh" ? `${month} 月 ${day} 日` : new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", timeZone: session.get().site.timezone }).format(at * 1000);
  const lines = t("trace.headline", { day: date, part, clock: clock(at).replace(/^0/, "") }).split(" / ");
  return lines.map((line) => html`<span class="line">${line}</span>`);
}

/** What is printed and stuck on the punnet: its code and, in words, what the page says. @param {{lot: any, beds: string[], ripeness: number | null}} props */
function Label({ lot, beds, ripeness }) {
  const { year, month, day } = date(lot.first_pick_at);
  const facts = [t("trace.label.mass", { mass: massText(lot.mass) }), ripeness === null ? "" : t("trace.label.ripeness", { share: percent(ripeness) })];
  const local = ["localhost", "127.0.0.1", "[::1]"].includes(new URL(lot.address).hostname);
  return html`<section class="t-sec t-print"><h2>${t("trace.label")}</h2>
    <div class="t-label"><img src=${`/t/${encodeURIComponent(lot.lot)}/qr.svg`} alt=${t("trace.label.code", { address: lot.address })} width="160" height="160" />
      <div><b>${siteName({ id: "", ...lot.site })}</b><p>${beds.map(bedName).join(lang() === "zh" ? "、" : ", ")}</p>
        <p>${t("trace.label.date", { year, month, day, clock: clock(lot.first_pick_at) })}</p>
        ${facts.filter(Boolean).map((fact) => html`<p>${fact}</p>`)}<p class="lot">${t("trace.lot", { lot: lot.lot })}</p></div></div>
    ${!lot.closed && html`<p class="t-note">${t("trace.label.open")}</p>`}${local && html`<p class="t-note">${t("trace.label.local")}</p>`}
    <div class="btns"><button class="btn" type="button" onClick=${() => print()}>${t("trace.label.print")}</button></div></section>`;
}

/** The beds of the tunnel as strips; the segments this lot comes from are red. @param {{lot: any}} props */
function Beds({ lot }) {
  const beds = lot.beds ?? [...new Set(lot.rows.map((/** @type {any} */ row) => row.bed))].map((id) => ({ id, segments: 1 + Math.max(...lot.rows.filter((/** @type {any} */ row) => row.bed === id).map((/** @type {any} */ row) => row.segment)) }));
  const longest = Math.max(...beds.map((/** @type {any} */ bed) => bed.segments));
  const [width, high] = [640 / longest, 18];
  const picked = (/** @type {string} */ bed, /** @type {number} */ segment) => lot.rows.some((/** @type {any} */ row) => row.bed === bed && row.segment === segment);
  const said = lot.rows.map((/** @type {any} */ row) => `${bedName(row.bed)} ${segmentName(row.segment)}`).join(", ");
  return html`<div class="t-bed"><svg class="chart" viewBox=${`0 0 640 ${beds.length * high}`} role="img" aria-label=${said}>
    ${beds.map((/** @type {any} */ bed, /** @type {number} */ row) =>
      Array.from({ length: bed.segments }, (_, i) => html`<rect x=${i * width} y=${row * high} width=${width - 2.5} height=${high - 3} rx="2" class=${picked(bed.id, i) ? "from" : ""} />`))}</svg></div>`;
}

/** @param {{hour: any}} props */
function Hour({ hour }) {
  const at = Date.parse(hour.hour) / 1000;
  const shown = AIR.map(([metric, digits, unit]) => [metric, hour.kpis[metric]?.value ?? null, digits, unit]);
  const known = shown.some(([, value]) => value !== null);
  return html`<div class="t-hour"><h3>${t("trace.air.hour", { from: clock(at), to: clock(at + 3600) })}</h3>
    ${known ? html`<dl>${shown.map(([metric, value, digits, unit]) => html`<div><dt>${t(`trace.air.${metric}`)}</dt>
      <dd>${value === null ? UNKNOWN : num(value, digits)}${value !== null && html`<small>${unitName(unit)}</small>`}</dd></div>`)}</dl>` : html`<p class="t-note">${t("trace.air.none")}</p>`}</div>`;
}

/** What is on record, oldest first. @param {{lot: any}} props */
function Chain({ lot }) {
  const steps = [["g-ripe", t("trace.chain.first", { clock: clock(lot.first_pick_at, true) })]];
  if (lot.last_pick_at > lot.first_pick_at) steps.push(["g-ripe", t("trace.chain.last", { clock: clock(lot.last_pick_at, true) })]);
  steps.push(["i-book", lot.closed ? t("trace.chain.closed") : t("trace.chain.open")]);
  return html`<ol class="t-life">${steps.map(([icon, text]) => html`<li><${Icon} name=${icon} class="g" /><p>${text}</p></li>`)}</ol>
    <details><summary>${t("trace.rows", { n: lot.rows.length })}</summary><ul>${lot.rows.map((/** @type {any} */ row) =>
      html`<li>${t("trace.segment", { place: `${bedName(row.bed)} ${segmentName(row.segment)}`, n: row.berries })}</li>`)}</ul></details>
    <p class="t-note">${t("trace.chain.why")}</p>`;
}

/** @param {any} chain what the last check of the whole log found */
function verdict(chain) {
  if (!chain || chain.intact === null) return t("trace.chain.unknown");
  return chain.intact ? t("trace.chain.intact", { at: instant(chain.checked_at, chain.checked_at + 86400 * 2), n: num(chain.entries) }) : t("trace.chain.broken");
}

/** @type {import("/static/lib/router.js").Page} */
export const page = { title: "trace.title", css: "/static/css/trace.css", view: Trace };
