// Severity as colour, shape and word, always the three together.
import { t } from "/static/lib/i18n.js";
import { html } from "/static/lib/ui.js";
import { Icon } from "/static/parts/icon.js";

/** The farm's faults know three grades; the design's shapes for them. @type {Record<string, string>} */
const SHAPES = { critical: "critical", major: "major", minor: "minor", warning: "major", info: "warning", notice: "warning" };

/** @param {string} severity as the API sends it @returns {string} the class and symbol: critical, major, minor, warning, unknown */
export function shapeOf(severity) {
  return SHAPES[severity] ?? "unknown";
}

/** @param {{of: string}} props */
export function Severity({ of }) {
  const shape = shapeOf(of);
  return html`<span class=${`sev ${shape}`}><${Icon} name=${shape} />${t(`severity.${shape}`)}</span>`;
}
