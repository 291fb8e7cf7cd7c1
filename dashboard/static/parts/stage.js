// The stages of a berry's life: colour, shape and word.
import { t } from "/static/lib/i18n.js";
import { html } from "/static/lib/ui.js";
import { Icon } from "/static/parts/icon.js";

/** In the order of life, as the API names them. */
export const STAGES = ["flower", "green", "white", "turning", "ripe", "overripe"];

/** @param {string} stage @returns {string} the class and symbol part: over for overripe */
export function stageShape(stage) {
  return stage === "overripe" ? "over" : stage;
}

/** @param {{of: string}} props */
export function StageIcon({ of }) {
  return html`<${Icon} name=${`g-${stageShape(of)}`} class="g" />`;
}

/** @param {string} stage */
export function stageName(stage) {
  return t(`stage.${stage}`);
}

/** A bar of how the stages are mixed; nothing when nothing was counted. @param {{counts: Record<string, number>}} props */
export function Ribbon({ counts }) {
  const shown = STAGES.slice(1).filter((stage) => counts[stage] > 0);
  return html`<span class="ribbon" aria-hidden="true">
    ${shown.map((stage) => html`<i class=${`s-${stageShape(stage)}`} style=${{ flexGrow: counts[stage] }}></i>`)}
  </span>`;
}
