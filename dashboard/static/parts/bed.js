// The sign of the farm: beds as lanes of segments. One-hue ramp with the number printed, robots gliding along their lane.
import { now } from "/static/lib/clock.js";
import { midnight, num } from "/static/lib/format.js";
import { t } from "/static/lib/i18n.js";
import { html, useEffect, useRef, useState } from "/static/lib/ui.js";
import { bedName, segmentName } from "/static/lib/words.js";
import { Icon } from "/static/parts/icon.js";
import { Ribbon } from "/static/parts/stage.js";

/**
 * @typedef {{bed: string, side: string, segment: number, at: number|null, left: number|null, in_window: number|null,
 *   ripe_mass: number|null, picked_at: number|null, flower: number|null, green: number|null, white: number|null,
 *   turning: number|null, ripe: number|null, overripe: number|null}} Segment a row of /segments
 * @typedef {{bed: string, side: string, label: string, name: string, cells: Segment[]}} Lane one side of a bed
 * @typedef {{id: string, lane: number, along: number, segment: number, tone: string, words: string}} Marker
 */

export const LAYERS = ["ripe", "turning", "overripe", "age"];
const STEPS = 5;
const TOPS = [5, 10, 20, 35, 50, 100, 200, 500];
const MANY_OVERRIPE = 3;
const DESK = matchMedia("(min-width: 80rem)");

/** Is there room to lay the map down? Redraws when that changes. */
export function useDesk() {
  const [desk, setDesk] = useState(DESK.matches);
  useEffect(() => {
    const look = () => setDesk(DESK.matches);
    DESK.addEventListener("change", look);
    return () => DESK.removeEventListener("change", look);
  }, []);
  return desk;
}

/** What the map prints on a segment; null where it is not known. @param {Segment} row @param {string} layer @returns {number|null} */
export function valueOf(row, layer) {
  if (row.at === null) return null;
  if (layer === "age") return Math.max(0, (now() - row.at) / 3600);
  return layer === "ripe" ? row.left : row[/** @type {"turning"|"overripe"} */ (layer)];
}

/** The value from which the ramp is darkest, a round number: it stays the same as the day goes. @param {Segment[]} rows @param {string} layer */
export function topOf(rows, layer) {
  if (layer === "age") return 24;
  const most = Math.max(0, ...rows.map((row) => (layer === "ripe" ? row.in_window : valueOf(row, layer)) ?? 0));
  return TOPS.find((top) => top >= most) ?? TOPS[TOPS.length - 1];
}

/** @param {number} value @param {number} top @returns {number} 0 … 5 on the ramp */
export function levelOf(value, top) {
  return value < 0.5 ? 0 : Math.min(STEPS, Math.ceil((value / top) * STEPS));
}

/** @param {Segment} row */
export function pickedToday(row) {
  return row.picked_at !== null && row.picked_at >= midnight(now());
}

/** How much hangs there ripe, reckoned from the last count [kg]. @param {Segment} row */
export function massLeft(row) {
  return row.left && row.in_window ? ((row.ripe_mass ?? 0) * row.left) / row.in_window : 0;
}

/** Put segments into lanes, one per side of a bed. @param {any[]} beds @param {Segment[]} rows @returns {Lane[]} */
export function lanesOf(beds, rows) {
  return beds.flatMap((bed) =>
    bed.sides.map((/** @type {string} */ side) => {
      const cells = rows.filter((row) => row.bed === bed.id && row.side === side).sort((a, b) => a.segment - b.segment);
      const short = /^bed-(\d+)$/.exec(bed.id)?.[1] ?? bed.id;
      const more = bed.sides.length > 1 ? side : "";
      return { bed: bed.id, side, label: short + more, name: bedName(bed.id) + (more && ` ${more}`), cells };
    }),
  );
}

/**
 * @param {{lanes: Lane[], layer: string, top: number, chosen: string, onChoose: (key: string) => void, markers: Marker[], desk: boolean, label: string}} props
 *   `chosen`: as `keyOf`; arrows move through the map as it is seen
 */
export function Field({ lanes, layer, top, chosen, onChoose, markers, desk, label }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const most = Math.max(1, ...lanes.map((lane) => lane.cells.length));
  const open = new Set(markers.map((marker) => marker.lane));
  const aisle = (/** @type {number} */ i, /** @type {string} */ wide, /** @type {string} */ small) => (open.has(i) ? wide : small);
  const style = {
    "--most": most,
    "--across-phone": `2rem ${lanes.map((_, i) => `minmax(2.75rem, 1fr) ${aisle(i, "26px", "3px")}`).join(" ")}`,
    "--across-desk": `1.5rem ${lanes.map((_, i) => `3.25rem ${aisle(i, "34px", "7px")}`).join(" ")}`,
  };
  const first = lanes.findIndex((lane) => lane.cells.length);
  const reach = lanes.some((lane) => lane.cells.some((row) => keyOf(row) === chosen)) ? chosen : keyOf(lanes[first]?.cells[0]);
  const move = (/** @type {KeyboardEvent} */ event) => {
    const at = /** @type {HTMLElement} */ (event.target).dataset;
    const step = STEP[event.key];
    if (!step || at.lane === undefined) return;
    event.preventDefault();
    const [across, along] = desk ? [step[1], step[0]] : [step[0], -step[1]];
    const lane = Math.min(lanes.length - 1, Math.max(0, Number(at.lane) + across));
    const segment = Math.min(lanes[lane].cells.length - 1, Math.max(0, Number(at.segment) + along));
    const next = /** @type {HTMLElement | null} */ (box.current?.querySelector(`[data-lane="${lane}"][data-segment="${segment}"]`));
    next?.focus();
    if (desk && next) onChoose(keyOf(lanes[lane].cells[segment]));
  };
  return html`<div class="field-scroll"><div class="field" role="group" aria-label=${label} style=${style} ref=${box} onKeyDown=${move}>
    ${Array.from({ length: most }, (_, i) => html`<span class="seglab" style=${{ "--s": i + 1 }} aria-hidden="true">${i + 1}</span>`)}
    ${lanes.map((lane, i) => html`<span class="bedlab" style=${{ "--b": i + 1 }} aria-hidden="true">${lane.label}</span>
      ${lane.cells.map((row) => html`<${Cell} key=${keyOf(row)} row=${row} lane=${lane} number=${i} layer=${layer} top=${top}
        pressed=${keyOf(row) === chosen} reach=${keyOf(row) === reach} onChoose=${onChoose} />`)}`)}
    ${markers.map((marker) => html`<${Bot} key=${marker.id} marker=${marker} length=${lanes[marker.lane].cells.length} />`)}
  </div></div>`;
}

/** key → across and along a map whose beds stand up: right, down. @type {Record<string, [number, number]>} */
const STEP = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

/** @param {{bed: string, side: string, segment: number} | undefined} row */
export function keyOf(row) {
  return row ? `${row.bed}/${row.side}/${row.segment}` : "";
}

/** @param {{row: Segment, lane: Lane, number: number, layer: string, top: number, pressed: boolean, reach: boolean, onChoose: (key: string) => void}} props */
function Cell({ row, lane, number, layer, top, pressed, reach, onChoose }) {
  const value = valueOf(row, layer);
  const picked = layer === "ripe" && pickedToday(row);
  const empty = picked && value === 0;
  const kind = value === null ? "none" : empty ? "done" : `h${levelOf(value, top)}${picked ? " part" : ""}`;
  const said = value === null ? t("map.no_data") : `${t(`map.layer_${layer}`)} ${num(value)}${picked ? ` · ${t("map.picked_today")}` : ""}`;
  const shown = value === null ? "–" : empty ? html`<${Icon} name="i-ok" class="tick" />` : layer === "age" ? t("map.hours", { n: num(value) }) : num(value);
  return html`<button class=${`cell ${kind}`} type="button" style=${{ "--b": number + 1, "--s": row.segment + 1 }} data-lane=${number} data-segment=${row.segment}
    tabindex=${reach ? 0 : -1} aria-pressed=${pressed} aria-label=${`${lane.name} ${segmentName(row.segment)} ${said}`} onClick=${() => onChoose(keyOf(row))}>
    <span class="face">${shown}${layer === "ripe" && (row.overripe ?? 0) >= MANY_OVERRIPE && html`<${Icon} name="g-over" class="over" />`}
    ${row.at !== null && html`<${Ribbon} counts=${row} />`}</span>
  </button>`;
}

/** A robot on its lane, and the way it has come from the door. @param {{marker: Marker, length: number}} props */
function Bot({ marker, length }) {
  const way = { "--b": marker.lane + 1, "--n": length, "--at": `${((marker.along / length) * 100).toFixed(2)}%` };
  return html`<div class="way" style=${way}>
    <span class="trail" aria-hidden="true"></span>
    <a class=${`bot ${marker.tone}`} href=${`#/robot/${encodeURIComponent(marker.id)}`}><${Icon} name="i-robot" /><span class="sr">${marker.words}</span></a>
  </div>`;
}

/** A zone as a small heat strip: beds are rows. @param {{lanes: Lane[], top: number}} props */
export function Mini({ lanes, top }) {
  const most = Math.max(1, ...lanes.map((lane) => lane.cells.length));
  return html`<svg class="mini" viewBox=${`0 0 ${most * 10} ${Math.max(1, lanes.length) * 10}`} preserveAspectRatio="none" aria-hidden="true">
    ${lanes.flatMap((lane, y) => lane.cells.map((row, x) => {
      const value = valueOf(row, "ripe");
      return value === null
        ? html`<rect x=${x * 10 + 1} y=${y * 10 + 1} width="8" height="8" fill="none" stroke="var(--edge)" stroke-dasharray="2 2" vector-effect="non-scaling-stroke" />`
        : html`<rect x=${x * 10} y=${y * 10} width="9.2" height="9.2" fill=${`var(--heat-${levelOf(value, top)})`} />`;
    }))}
  </svg>`;
}
