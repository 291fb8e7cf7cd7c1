// Robot: what it does now, what it sees, what one may do about it, and what became of each berry.
import { now, useNow } from "/static/lib/clock.js";
import { useData } from "/static/lib/data.js";
import { num } from "/static/lib/format.js";
import { rich, t } from "/static/lib/i18n.js";
import { useLive } from "/static/lib/live.js";
import { session, useStore } from "/static/lib/store.js";
import { html, useEffect, useRef, useState } from "/static/lib/ui.js";
import { placeName, unitName } from "/static/lib/words.js";
import { Arm } from "/static/parts/arm.js";
import { Camera } from "/static/parts/camera.js";
import { Control, Stopped, STOPPED, ThisBerry } from "/static/parts/control.js";
import { Figure } from "/static/parts/figure.js";
import { PickLog, Punnets, WhyNot } from "/static/parts/picklog.js";
import { STEPS, useRobotShown } from "/static/parts/robotlive.js";
import { robotWords } from "/static/parts/robotstate.js";
import { Blank } from "/static/parts/sheet.js";

const REFRESH_S = 60;
const COUNT_HOLDS_S = 1800; // while a robot works on a segment, an older count is of an earlier visit
const SETTLE_MS = 1500; // what the robot did is on record a moment after it says so

/** @param {{route: import("/static/lib/router.js").Route}} props */
function RobotPage({ route }) {
  const farm = useStore(session, (value) => value.farm);
  const ids = farm.robots.map((/** @type {any} */ robot) => robot.id);
  if (!ids.length) return html`<div class="head"><h1>${t("robot.none")}</h1></div><${Blank} title=${t("bar.none")} text=${t("bar.none.note")} />`;
  const id = ids.includes(route.rest[0]) ? route.rest[0] : ids[0];
  return html`${ids.length > 1 && html`<nav class="pick" aria-label=${t("robot.which")}>${ids.map((/** @type {string} */ one) => html`<a href=${`#/robot/${encodeURIComponent(one)}`} aria-current=${one === id ? "true" : undefined}>${one}</a>`)}</nav>`}
    <${OneRobot} key=${id} id=${id} farm=${farm} />`;
}

/** A robot that the socket has not told about yet. */
const UNHEARD = { zone: "", state: "unknown", safety: "unknown", fault: "", causes: [], due: [], needs_reset: false, task: "", bed: "", side: "", segment: -1, order_id: "", picked: null, placed: null, attempted: null, queued: 0, at: null, link: "unknown", age: null, heard: 0 };

/** @param {{id: string, farm: any}} props */
function OneRobot({ id, farm }) {
  useNow(1);
  const robot = useLive((value) => value.robots[id]) ?? UNHEARD;
  const { connected, heardAt, lostAt } = useLive((value) => value);
  const store = useRobotShown(id);
  const ack = useStore(store, (value) => value.ack);
  const [more, setMore] = useState(false);
  const picks = useData(`/picks?limit=${more ? 60 : 12}`, REFRESH_S);
  const morning = useData("/morning", REFRESH_S);
  const lots = useData("/lots", REFRESH_S * 5);
  const plan = useData("/plan", REFRESH_S);
  const segments = useData("/segments", REFRESH_S);
  const told = useStore(store, (value) => `${value.counts.picked}/${value.counts.attempted}`);
  useAgain(`${robot.picked}/${robot.attempted}/${told}`, [picks, segments]);
  useAgain(robot.order_id, [plan, lots]);
  const silence = connected ? (robot.age ?? 0) + (performance.now() - robot.heard) / 1000 : (performance.now() - (heardAt ?? lostAt ?? performance.now())) / 1000;
  const words = robotWords(id, /** @type {any} */ (robot), connected, silence);
  const bed = farm.beds.find((/** @type {any} */ row) => row.id === robot.bed);
  const here = segments.data?.find((/** @type {any} */ row) => row.bed === robot.bed && row.side === robot.side && row.segment === robot.segment);
  const left = here && here.at !== null && now() - here.at < COUNT_HOLDS_S ? here.left : null;
  const issuer = plan.data?.entries.find((/** @type {any} */ entry) => entry.order_id && entry.order_id === robot.order_id)?.issuer ?? null;
  const needsPerson = STOPPED.includes(words.key) || words.key === "ready";
  const counts = { picked: store.get().counts.picked ?? robot.picked, attempted: store.get().counts.attempted ?? robot.attempted };
  const shown = { id, robot: /** @type {any} */ ({ ...robot, ...counts }), words, ack };
  const day = morning.data?.robot;
  return html`<div class="head"><p class="when"><span>${id}</span>${bed && html`<span>${placeName(robot)}</span>`}</p>
      <h1>${sentence(words.key, left, robot)}</h1></div>
    <div class="grid robotpage">
      ${needsPerson && html`<${Stopped} ...${shown} />`}
      <div class="c8 stack">
        <${Camera} robot=${id} store=${store} />
        ${!needsPerson && html`<${ThisBerry} store=${store} steps=${STEPS} />`}
        <${PickLog} picks=${picks} morning=${day} more=${more} onMore=${() => setMore(!more)} />
      </div>
      <div class="c4 stack">
        ${!needsPerson && html`<${Control} ...${shown} share=${words.key === "picking" && bed ? (robot.segment + 1) / bed.segments : 0} issuer=${issuer} />`}
        <${Arm} robot=${id} store=${store} />
        <${Punnets} robot=${id} lots=${lots.data}>
          <hr class="rule" /><div class="figs two">
            <${Figure} label=${t("robot.rate")} value=${day?.berries_per_hour ?? null} unit=${t("robot.per_hour")} sub=${t("robot.today")} state=${morning.data ? "live" : "loading"} />
            <${Figure} label=${t("robot.success")} value=${day?.success == null ? null : day.success * 100} unit="%" sub=${t("robot.success_of", { n: num(day?.attempted) })} state=${morning.data ? "live" : "loading"} />
            <${Measured} id=${id} metric="seconds_per_berry" digits=${1} label=${t("robot.per_berry")} />
            <${Measured} id=${id} metric="peak_force" digits=${2} label=${t("robot.force")} />
          </div>
        <//>
        <${WhyNot} counts=${morning.data ? (day?.not_picked ?? {}) : undefined} />
      </div>
    </div>`;
}

/** The newest of what the robot measures about itself, with its age. @param {{id: string, metric: string, label: string, digits: number}} props */
function Measured({ id, metric, label, digits }) {
  const row = useLive((value) => value.last[`${id}|${metric}`]);
  const state = !row || row.state === "no_data" ? "no_data" : row.state;
  return html`<${Figure} label=${label} value=${row?.value ?? null} unit=${unitName(row?.unit ?? "")} digits=${digits} state=${state} at=${row?.at ?? null} />`;
}

/** Fetch again when what the robot says makes it old. @param {string} signature @param {{again: () => void}[]} sources */
function useAgain(signature, sources) {
  const known = useRef(signature);
  useEffect(() => {
    if (known.current === signature) return undefined;
    known.current = signature;
    const timer = setTimeout(() => sources.forEach((source) => source.again()), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [signature]);
}

/** @param {string} key of the robot's state @param {number|null} left @param {any} robot */
function sentence(key, left, robot) {
  if (key !== "picking") return t(`robot.says_${key}`);
  if (!robot.bed) return t("robot.says_picking");
  const place = placeName({ ...robot, zone: "" });
  if (robot.task === "survey" || robot.task === "count") return t("robot.says_looking", { place }); // the last count is old by now
  // It picks what an earlier count did not hold: only the count at the segment's end may say that nothing is left.
  return left ? rich("robot.says_picking_left", { place, n: left }) : t("robot.says_picking_at", { place });
}

/** @type {import("/static/lib/router.js").Page} */
export const page = { title: "robot.title", css: "/static/css/robot.css", view: RobotPage };
