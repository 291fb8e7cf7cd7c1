// What a robot does now, in words and as a sign: one table for the robot bar, the map and the robot page.
import { duration } from "/static/lib/format.js";
import { t } from "/static/lib/i18n.js";
import { faultName, placeName } from "/static/lib/words.js";
import { html } from "/static/lib/ui.js";

/** @typedef {import("/static/lib/live.js").RobotNow} RobotNow */
/** @typedef {{key: string, icon: string, tone: string, title: string, note: string, moving: boolean}} RobotWords */

/** key → symbol and colour of the ring. @type {Record<string, [string, string]>} */
const SIGNS = {
  page_lost: ["unknown", "sev-unknown"],
  silent: ["unknown", "sev-unknown"],
  lost: ["unknown", "sev-unknown"],
  unknown: ["unknown", "sev-unknown"],
  off: ["i-x", "ink-3"],
  idle: ["i-x", "ink-3"],
  manual: ["i-hold", "sev-warning"],
  blocked: ["major", "sev-major"],
  red_switch: ["critical", "berry"],
  fault: ["critical", "berry"],
  stopped: ["i-stop", "berry"],
  stopped_itself: ["major", "sev-major"],
  hold: ["i-hold", "sev-warning"],
  waits: ["i-hold", "sev-warning"],
  ready: ["i-ok", "leaf"],
  picking: ["i-play", "leaf"],
  free: ["i-ok", "leaf"],
};

/** Which of the signs stands for a robot now. @param {RobotNow} robot @param {boolean} connected is this page in touch with the dashboard? */
function keyOf(robot, connected) {
  if (!connected) return "page_lost";
  if (robot.link === "lost" || robot.link === "silent") return robot.link;
  if (robot.safety === "ESTOP") return "red_switch";
  if (robot.safety === "FAULT") return "fault";
  if (robot.safety === "PSTOP") return causeOf(robot) === "operator_stop" || !causeOf(robot) ? "stopped" : "stopped_itself";
  if (robot.safety === "HOLD") return ["operator_hold", ""].includes(causeOf(robot)) ? "hold" : "waits";
  if (robot.safety === "READY") return "ready";
  if (robot.safety === "OFF" || robot.state === "offline") return "off";
  if (robot.safety === "IDLE") return "idle";
  if (robot.safety === "MANUAL_REDUCED") return "manual";
  if (robot.safety !== "RUN") return "unknown";
  return { working: "picking", holding: "waits", blocked: "blocked" }[/** @type {"working"} */ (robot.state)] ?? "free";
}

/** @param {RobotNow} robot */
function causeOf(robot) {
  return robot.causes?.[0] || robot.fault || "";
}

/**
 * Say what a robot does. @param {string} id @param {RobotNow} robot @param {boolean} connected
 * @param {number} silence how long nothing was heard [s] @returns {RobotWords}
 */
export function robotWords(id, robot, connected, silence) {
  const key = keyOf(robot, connected);
  const [icon, tone] = SIGNS[key];
  const place = robot.bed ? placeName(robot) : "";
  const cause = causeOf(robot);
  const args = { robot: id, time: duration(silence), place, cause: cause ? faultName(cause) : "" };
  let note = t(`robot.${key}.note`, args);
  if (["picking", "hold"].includes(key) && place) note = place;
  return { key, icon, tone, title: t(`robot.${key}`, args), note, moving: key === "picking" || key === "manual" };
}

/** The ring with the sign in it; `share`: how far it is, 0 … 1. @param {{icon: string, tone: string, share?: number}} props */
export function Dial({ icon, tone, share = 0 }) {
  const round = 2 * Math.PI * 17;
  return html`<svg class=${`dial ink-${tone}`} viewBox="0 0 40 40" aria-hidden="true">
    <circle cx="20" cy="20" r="17" fill="none" stroke="var(--sunken)" stroke-width="4" />
    ${share > 0 &&
    html`<circle cx="20" cy="20" r="17" fill="none" stroke="currentColor" stroke-width="4" stroke-linecap="round"
      stroke-dasharray=${`${(share * round).toFixed(1)} ${round.toFixed(1)}`} transform="rotate(-90 20 20)" />`}
    <svg x="11" y="11" width="18" height="18" viewBox="0 0 24 24"><use href=${`/static/icons.svg#${icon}`} /></svg>
  </svg>`;
}
