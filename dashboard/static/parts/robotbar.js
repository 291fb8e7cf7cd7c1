// The robot bar, on every signed-in page: what the robot does, where, and Stop robot.
import { useNow } from "/static/lib/clock.js";
import { num } from "/static/lib/format.js";
import { t } from "/static/lib/i18n.js";
import { useLive } from "/static/lib/live.js";
import { stopRobots, stopping } from "/static/lib/stop.js";
import { session, useStore } from "/static/lib/store.js";
import { html } from "/static/lib/ui.js";
import { Icon } from "/static/parts/icon.js";
import { Dial, robotWords } from "/static/parts/robotstate.js";

/** The robot that most needs to be seen comes first. */
const URGENT = ["fault", "red_switch", "stopped_itself", "blocked", "stopped", "page_lost", "lost", "silent", "waits", "hold", "manual", "picking"];

export function RobotBar() {
  useNow(); // silence is counted in seconds
  const robots = useLive((now) => now.robots);
  const { connected, lostAt, heardAt } = useLive((now) => now);
  const stop = useStore(stopping, (value) => value);
  const farm = useStore(session, (value) => value.farm);
  const silence = connected || lostAt === null ? 0 : (performance.now() - (heardAt ?? lostAt)) / 1000;
  const rows = Object.entries(robots).map(([id, robot]) => {
    const unheard = connected ? (robot.age ?? 0) + (performance.now() - robot.heard) / 1000 : silence;
    return { id, robot, words: robotWords(id, robot, connected, unheard) };
  });
  const rank = (/** @type {string} */ key) => (URGENT.indexOf(key) + URGENT.length + 1) % (URGENT.length + 1);
  rows.sort((a, b) => rank(a.words.key) - rank(b.words.key));
  const first = rows[0];
  const shown = stopWords(stop) ?? first?.words ?? nothing(connected);
  const bed = first && farm?.beds.find((/** @type {any} */ row) => row.id === first.robot.bed);
  const share = shown.key === "picking" && bed ? (first.robot.segment + 1) / bed.segments : 0;
  const act = shown.tone === "berry" ? "act" : "";
  return html`<aside class="bar" aria-label=${t("bar.label")} data-state=${shown.key}>
    <a class="now" href="#/robot">
      <${Dial} icon=${shown.icon} tone=${shown.tone} share=${share} />
      <span aria-live=${stop.phase === "rest" ? "off" : "assertive"}><b class=${act}>${shown.title}</b><small>${shown.note}${rows.length > 1 ? ` · ${t("bar.more", { n: rows.length - 1 })}` : ""}</small></span>
    </a>
    <div class="prog">${bed && first.robot.segment >= 0 && html`<${Strip} segments=${bed.segments} segment=${first.robot.segment} />`}</div>
    <${StopButton} busy=${stop.phase === "stopping"} />
  </aside>`;
}

/** One tap, no question, every role, never disabled. @param {{busy?: boolean}} props */
export function StopButton({ busy = false }) {
  return html`<button class="btn stop" type="button" aria-keyshortcuts="Shift+Escape" aria-busy=${busy} onClick=${stopRobots}>
    ${busy ? html`<span class="spin"></span>` : html`<${Icon} name="i-stop" />`}<span>${t("stop.button")}</span>
  </button>`;
}

/** What became of a stop; it takes the place of the robot's state. @param {ReturnType<typeof stopping.get>} stop */
function stopWords({ phase, seconds, robots, failed }) {
  const names = (phase === "unconfirmed" ? failed : robots).join(", ");
  const stopped = { icon: "i-stop", tone: "berry", moving: false };
  if (phase === "stopping") return { ...stopped, key: "stopping", title: t("stop.stopping"), note: t("stop.stopping.note", { robots: names }) };
  if (phase === "confirmed") {
    return { ...stopped, key: "stop_confirmed", title: t("stop.confirmed"), note: t("stop.confirmed.note", { robots: names, seconds: num(seconds, 2) }) };
  }
  if (phase === "unconfirmed") {
    return { ...stopped, icon: "critical", key: "stop_unconfirmed", title: t("stop.unconfirmed"), note: t("stop.unconfirmed.note", { robots: names }) };
  }
  return null;
}

/** @param {boolean} connected */
function nothing(connected) {
  const key = connected ? "none" : "page_lost";
  const args = { robot: t("bar.label"), time: "", place: "", cause: "" };
  return { key, icon: "unknown", tone: "sev-unknown", title: t(connected ? "bar.none" : "bar.connecting"), note: connected ? t("bar.none.note", args) : "", moving: false };
}

/** The bed as a strip of segments, and where the robot stands. @param {{segments: number, segment: number}} props */
export function Strip({ segments, segment }) {
  const width = 480 / segments;
  const cells = Array.from({ length: segments }, (_, i) => i);
  return html`<svg class="chart strip" viewBox="0 0 480 40" preserveAspectRatio="none" aria-hidden="true">
    ${cells.map((i) =>
      i === segment
        ? html`<rect x=${i * width + 1} y="15" width=${width - 2} height="10" rx="2" fill="var(--leaf)" />`
        : html`<rect x=${i * width + 1.5} y="15.5" width=${width - 3} height="9" rx="2" fill="none" stroke="var(--edge)" vector-effect="non-scaling-stroke" />`,
    )}
    <rect x=${(segment + 0.5) * width - 1.5} y="9" width="3" height="22" rx="1.5" fill="var(--ink)" />
  </svg>`;
}
