// State of a robot and what one may do about it: hold and resume; after a stop look, reset, and only then resume.
import { post } from "/static/lib/api.js";
import { now } from "/static/lib/clock.js";
import { ago, clock, num } from "/static/lib/format.js";
import { t } from "/static/lib/i18n.js";
import { stopping } from "/static/lib/stop.js";
import { may, useStore } from "/static/lib/store.js";
import { html } from "/static/lib/ui.js";
import { faultAdvice, faultName, placeName } from "/static/lib/words.js";
import { Command } from "/static/parts/button.js";
import { Icon } from "/static/parts/icon.js";
import { Dial } from "/static/parts/robotstate.js";
import { stageName } from "/static/parts/stage.js";

/** States out of which only a person leads. */
export const STOPPED = ["stopped", "stopped_itself", "fault", "red_switch"];
const RESET_S = 2;
/** What a person answers once it is seen to: command and label. @type {Record<string, string>} */
const CARE = { blade_due: "blade_changed", cleaning_due: "cleaned" };

/**
 * @typedef {{id: string, robot: import("/static/lib/live.js").RobotNow, words: import("/static/parts/robotstate.js").RobotWords, ack: any}} Props
 */

/** @param {string} id @param {string} command */
const send = (id, command) => () => post(`/robots/${encodeURIComponent(id)}/${command}`);

/** How long ago the robot said what is shown here. @param {import("/static/lib/live.js").RobotNow} robot */
function heard(robot) {
  return robot.age === null ? t("robot.unheard") : ago(robot.age + (performance.now() - robot.heard) / 1000);
}

/** @param {Props & {share: number, issuer: string|null}} props */
export function Control({ id, robot, words, ack, share, issuer }) {
  const known = robot.link === "ok";
  const held = ["hold", "waits", "ready", "free"].includes(words.key) && robot.safety !== "RUN";
  const holder = robot.order_id ? (issuer === null ? t("robot.holder_unknown") : issuer === "brain" ? t("robot.holder_plan") : issuer) : t("robot.holder_none");
  return html`<section class="sheet o4" aria-labelledby="state-title">
    <div class="state-big"><${Dial} icon=${words.icon} tone=${words.tone} share=${share} />
      <div><h2 id="state-title" class=${words.tone === "berry" ? "act" : ""}>${t(`robot.big_${words.key}`)}</h2><span>${words.note ? `${words.note} · ` : ""}${heard(robot)}</span></div></div>
    <hr class="rule" />
    <dl class="kv">
      <dt>${t("robot.holder")}</dt><dd>${holder}</dd>
      <dt>${t("robot.order")}</dt><dd class="code">${robot.order_id || "—"}</dd>
      <dt>${t("robot.queued")}</dt><dd>${num(robot.queued)}</dd>
      <dt>${t("robot.counts")}</dt><dd>${t("robot.counts_of", { picked: num(robot.picked), attempted: num(robot.attempted) })}</dd>
      <dt>${t("robot.last_command")}</dt><dd>${ack ? acked(ack) : t("robot.no_command")}</dd>
    </dl>
    ${robot.causes.map((cause) => html`<p class="cause"><b>${faultName(cause)}</b> ${faultAdvice(cause)}</p>`)}
    ${robot.due.map((due) => html`<${Due} key=${due} id=${id} due=${due} known=${known} />`)}
    ${may("grower") ? html`<div class="btns fill">
      <${Command} key=${`hold${held}`} label=${t("robot.hold_button")} icon="i-hold" role="grower" disabled=${!known || robot.safety !== "RUN"} send=${send(id, "hold")} />
      <${Command} key=${`resume${held}`} label=${t("robot.resume_button")} icon="i-play" go=${held && known} role="grower" disabled=${!known || !held} send=${send(id, "resume")} />
    </div>` : html`<${Locked} what=${t("robot.locked_hold")} />`}
    <p class="note-p">${t(may("grower") ? "robot.hold_meaning" : "robot.viewer_may")}</p>
  </section>`;
}

/** What the machine needs from a person soon, and the word that it was done. @param {{id: string, due: string, known: boolean}} props */
function Due({ id, due, known }) {
  const done = CARE[due];
  return html`<p class="cause due"><b>${faultName(due)}</b> ${faultAdvice(due)}</p>
    ${done && may("grower") && html`<div class="btns"><${Command} label=${t(`robot.${done}_button`)} role="grower" disabled=${!known} send=${send(id, done)} /></div>`}`;
}

/** What another role may do here. @param {{what: string}} props */
function Locked({ what }) {
  return html`<div class="btns fill"><button class="btn" type="button" disabled><${Icon} name="i-lock" />${what}</button></div>`;
}

/** @param {any} ack */
function acked(ack) {
  const done = ["done", "accepted"].includes(ack.status);
  const command = t(`robot.cmd_${ack.command}`);
  return t(done ? "robot.acked" : "robot.refused", { command, by: ack.by, at: clock(ack.at, true), seconds: num(ack.seconds, ack.seconds < 0.1 ? 3 : 2) });
}

/** After a stop: what is known, what to do in which order, reset, and then resume. @param {Props} props */
export function Stopped({ id, robot, words, ack }) {
  const ready = words.key === "ready";
  const known = robot.link === "ok";
  const stop = useStore(stopping, (value) => value);
  const own = stop.phase === "confirmed" && !ready ? t("robot.you_stopped", { seconds: num(stop.seconds, 2) }) : "";
  const since = robot.at === null ? "" : t("robot.stopped_at", { at: clock(robot.at, true) });
  const mine = ack && ["stop", "reset"].includes(ack.command) ? acked(ack) : own || since;
  const steps = [["still", true], ["look", ready], ["reset", ready], ["resume", false]];
  const place = robot.bed ? t("robot.stopped_where", { place: placeName(robot) }) : "";
  return html`<section class=${`sheet c12 after-stop ${ready ? "ready" : ""}`} aria-labelledby="stopped-title"><div class="split">
    <div>
      <div class="state-big"><${Dial} icon=${words.icon} tone=${words.tone} />
        <div><h2 id="stopped-title" class=${ready ? "" : "act"}>${t(`robot.big_${words.key}`)}</h2><span>${mine}${mine ? " · " : ""}${heard(robot)}</span></div></div>
      ${robot.causes.filter((cause) => cause !== "operator_stop").map((cause) => html`<p class="cause"><b>${faultName(cause)}</b> ${faultAdvice(cause)}</p>`)}
      ${robot.due.map((due) => html`<${Due} key=${due} id=${id} due=${due} known=${known} />`)}
      <p class="note-p">${place} ${t("robot.software_stop")}</p>
    </div>
    <div>
      <ol class="ladder">${steps.map(([name, done]) => html`<li class=${done ? "ok" : ""}><span>${t(`robot.ladder_${name}`)}</span></li>`)}</ol>
      ${may("grower") ? html`<div class="btns fill">
        <${Command} key=${`reset${ready}`} label=${t("robot.reset_button")} icon="i-reset" go=${!ready} role="grower" hold=${RESET_S} disabled=${!known || ready || words.key === "red_switch"} send=${send(id, "reset")} />
        <${Command} key=${`go${ready}`} label=${t("robot.resume_button")} icon="i-play" go=${ready} role="grower" disabled=${!known || !ready} send=${send(id, "resume")} />
      </div>` : html`<${Locked} what=${t("robot.locked_reset")} />`}
    </div>
  </div></section>`;
}

/** @param {{store: import("/static/lib/store.js").Store<import("/static/parts/robotlive.js").RobotShown>, steps: string[]}} props */
export function ThisBerry({ store, steps }) {
  const { task, taskAt, done, at, berry } = useStore(store, (value) => value);
  const current = steps.indexOf(task);
  const running = taskAt ? Math.max(0, now() - taskAt) : 0;
  const total = Object.values(done).reduce((sum, seconds) => sum + seconds, 0) + running;
  const note = at === null ? t("robot.arm_waiting") : current >= 0 ? (taskAt ? t("robot.berry_so_far", { n: num(total, 1) }) : "") : t(task in TASKS ? TASKS[task] : "robot.berry_none");
  return html`<section class="sheet o2" aria-labelledby="berry-title">
    <header><h2 id="berry-title">${t("robot.berry")}</h2><span class="note">${note}</span></header>
    <ol class="cycle">${steps.map((step, i) => html`<li class=${i < current ? "ok" : i === current ? "at" : ""} aria-current=${i === current ? "step" : undefined}>
      <span>${t(`robot.step_${step}`)}</span>${done[step] !== undefined && html`<b>${num(done[step], 1)} s</b>`}</li>`)}</ol>
    ${berry && html`<p class="note-p">${t("robot.berry_facts", { stage: stageName(berry.stage), ripeness: num(berry.ripeness, 2), mm: num(berry.diameter * 1000) })}</p>`}
  </section>`;
}

/** What it does when it is not at a berry. @type {Record<string, string>} */
const TASKS = {
  survey: "robot.task_survey",
  count: "robot.task_count",
  choose: "robot.task_choose",
  recover: "robot.task_recover",
};
