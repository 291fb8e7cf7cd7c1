// A command button: rest → sent → confirmed by the device, with its time → or failed, with "send again".
import { ApiError } from "/static/lib/api.js";
import { now } from "/static/lib/clock.js";
import { clock } from "/static/lib/format.js";
import { t } from "/static/lib/i18n.js";
import { may } from "/static/lib/store.js";
import { html, useEffect, useRef, useState } from "/static/lib/ui.js";
import { faultName } from "/static/lib/words.js";
import { Icon } from "/static/parts/icon.js";

const CONFIRMED = ["accepted", "done"];
const SHOWN_MS = 6000;

/**
 * @param {{label: any, icon?: string, go?: boolean, role?: "viewer"|"grower"|"admin", hold?: number, disabled?: boolean,
 *   send: () => Promise<{status?: string, reason?: string}>, confirmed?: string}} props
 *   `send` returns the device's answer; `hold`: press and hold this long [s]; `role`: who may; `confirmed`: words once it is done
 */
export function Command({ label, icon, go, role = "viewer", hold = 0, disabled = false, send, confirmed }) {
  const [state, setState] = useState({ phase: "rest", at: 0, reason: "" });
  const alive = useRef(true);
  useEffect(() => () => void (alive.current = false), []);
  const run = async () => {
    if (state.phase === "sent") return;
    setState({ phase: "sent", at: 0, reason: "" });
    let next;
    try {
      const answer = await send();
      const ok = answer.status === undefined || CONFIRMED.includes(answer.status);
      next = { phase: ok ? "done" : "failed", at: now(), reason: ok ? "" : (faultName(answer.reason ?? "") || t(`command.${answer.status}`)) };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      next = { phase: "failed", at: now(), reason: error.text };
    }
    if (!alive.current) return;
    setState(next);
    if (next.phase === "done") setTimeout(() => alive.current && setState({ phase: "rest", at: 0, reason: "" }), SHOWN_MS);
  };
  const press = useHold(hold, run);
  if (!may(role)) {
    return html`<button class="btn" type="button" disabled><${Icon} name="i-lock" />${t(`command.needs_${role}`)}</button>`;
  }
  if (state.phase === "done") {
    return html`<span class="tag leaf done"><${Icon} name="i-ok" />${confirmed ?? t("command.confirmed")} ${clock(state.at, true)}</span>`;
  }
  if (state.phase === "failed") {
    return html`<span class="failed"><button class="btn" type="button" ...${press}><${Icon} name="i-reset" />${t("command.again")}</button>
      <small role="alert">${state.reason}</small></span>`;
  }
  const busy = state.phase === "sent";
  return html`<button class=${`btn ${go ? "go" : ""} ${hold ? "hold" : ""}`} type="button" aria-busy=${busy} disabled=${disabled} ...${press}>
    ${busy ? html`<span class="spin"></span>` : icon && html`<${Icon} name=${icon} />`}
    <span>${busy ? t("command.sent") : label}</span>
  </button>`;
}

/** Handlers for a tap, or for press-and-hold with pointer and keyboard. @param {number} seconds @param {() => void} run */
function useHold(seconds, run) {
  const timer = useRef(0);
  const [held, setHeld] = useState(false);
  if (!seconds) return { onClick: run };
  const begin = () => {
    if (timer.current) return;
    setHeld(true);
    timer.current = window.setTimeout(() => {
      end();
      run();
    }, seconds * 1000);
  };
  const end = () => {
    clearTimeout(timer.current);
    timer.current = 0;
    setHeld(false);
  };
  const key = (/** @type {KeyboardEvent} */ event) => [" ", "Enter"].includes(event.key) && (event.preventDefault(), begin());
  return {
    onPointerDown: begin,
    onPointerUp: end,
    onPointerLeave: end,
    onPointerCancel: end,
    onContextMenu: (/** @type {Event} */ event) => event.preventDefault(),
    onKeyDown: key,
    onKeyUp: end,
    onBlur: end,
    "data-held": held || undefined,
    style: { "--hold": `${seconds}s` },
  };
}
