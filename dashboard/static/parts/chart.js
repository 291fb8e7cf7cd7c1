// One quantity over time on a canvas (uPlot): lines with their min–max band, gaps hatched, wanted range, limits, night, now.
import { token } from "/static/lib/theme.js";
import { hand } from "/static/parts/chart-hand.js";
import { clipped, LABEL_PX, nowLine, paints } from "/static/parts/chart-ink.js";

const LIBRARY = "/static/vendor/uplot-1.6.32.iife.min.js";
const STALE_TAIL = 0.06; // this share of what is shown turns grey where a series has fallen silent

/**
 * @typedef {{name: string, x: number[], mean: (number|null)[], low: (number|null)[], high: (number|null)[], banded: boolean, gaps: [number, number][],
 *   rejected: [number, number, number][], last: [number, number] | null, stale: string}} Line
 *   `last`: the newest value, kept up live; `stale`: how old it is in words, "" while it is fresh
 * @typedef {{color: string, dash: number[], digits: number, zero: boolean, area: boolean, timezone: string, wanted: [number, number, number, number][],
 *   limits: {value: number, label: string, high: boolean}[], nights: [number, number][], now: number, range: [number, number], lines: Line[],
 *   words: {gap: string, now: string, left: string, empty: string}, tick: (at: number) => string}} Picture
 *   `wanted`: soft bands as from, to, low, high; `tick`: how an instant is written below the chart
 */

/** @type {Promise<any> | null} */
let library = null;

/** Fetch the drawing library; it is a classic script and leaves its name on the window. @returns {Promise<any>} */
function loadLibrary() {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = LIBRARY;
    script.onload = () => resolve(/** @type {any} */ (window).uPlot);
    script.onerror = () => {
      library = null;
      script.remove();
      reject(new Error("the drawing library was not found"));
    };
    document.head.append(script);
  });
  return library;
}

/** A chart in `root`. Colours are read once: make a new one when the theme changes. */
export class Chart {
  /**
   * @param {HTMLElement} root @param {Picture} picture
   * @param {{zoom: (from: number, to: number) => void, reset: () => void, point: (at: number | null) => void}} on what people do with it
   */
  static async create(root, picture, on) {
    return new Chart(await loadLibrary(), root, picture, on);
  }

  /** @param {any} uPlot @param {HTMLElement} root @param {Picture} picture @param {any} on */
  constructor(uPlot, root, picture, on) {
    this.uPlot = uPlot;
    this.root = root;
    this.picture = picture;
    this.on = on;
    this.paint = paints(picture.color);
    this.plot = this.build();
    this.resizing = new ResizeObserver(() => {
      if (root.clientWidth && root.clientWidth !== this.plot.width) this.plot.setSize(this.size());
    });
    this.resizing.observe(root);
  }

  /** Draw anew with other data or another span. @param {Picture} picture */
  show(picture) {
    const same = picture.lines.length === this.picture.lines.length && picture.lines.every((line, i) => line.banded === this.picture.lines[i].banded);
    this.picture = picture;
    if (same) {
      this.plot.batch(() => {
        this.plot.setData(this.data(), false);
        this.plot.setScale("x", { min: picture.range[0], max: picture.range[1] });
      });
      this.plot.redraw(true);
    } else {
      this.plot.destroy();
      this.plot = this.build();
    }
  }

  destroy() {
    this.resizing.disconnect();
    this.plot.destroy();
  }

  size() {
    return { width: this.root.clientWidth, height: this.root.clientHeight };
  }

  /** Columns on one common x; where one line has no point of its own, undefined: no opening. */
  data() {
    const tables = this.picture.lines.map((line) => [line.x, line.mean, ...(line.banded ? [line.low, line.high] : [])]);
    if (!tables.length) return [[]];
    return tables.length === 1 ? tables[0] : this.uPlot.join(tables);
  }

  build() {
    const { picture, paint } = this;
    const series = /** @type {any[]} */ ([{}]);
    const bands = /** @type {any[]} */ ([]);
    picture.lines.forEach((line, i) => {
      const width = i === 0 ? 2 : 1.25;
      const fill = i === 0 && picture.area ? paint.soft : undefined;
      series.push({ stroke: () => paint.line, width, fill, fillTo: 0, dash: i === 0 ? picture.dash : [2, 3], points: { show: false }, cap: "round" });
      if (!line.banded) return;
      const low = series.length;
      series.push({ width: 0, points: { show: false } }, { width: 0, points: { show: false } });
      bands.push({ series: [low + 1, low], fill: paint.soft });
    });
    const axis = { font: `${LABEL_PX}px ${token("--font")}`, stroke: paint.axis, ticks: { show: false }, border: { show: false } };
    const plot = new this.uPlot(
      {
        ...this.size(),
        series,
        bands,
        padding: [26, 12, 0, 0],
        legend: { show: false },
        tzDate: (/** @type {number} */ at) => this.uPlot.tzDate(new Date(at * 1000), picture.timezone),
        scales: {
          x: { time: true, auto: false, min: picture.range[0], max: picture.range[1] },
          y: { range: (/** @type {any} */ _, /** @type {number} */ low, /** @type {number} */ high) => this.span(low, high) },
        },
        axes: [
          { ...axis, space: 62, size: 26, gap: 6, grid: { show: false }, values: (/** @type {any} */ _, /** @type {number[]} */ at) => at.map((one) => this.picture.tick(one)) },
          { ...axis, space: 30, size: 46, gap: 8, grid: { stroke: paint.grid, width: 1 }, values: (/** @type {any} */ _, /** @type {number[]} */ v) => v.map(plain) },
        ],
        cursor: {
          y: false,
          points: { show: false },
          drag: { x: true, y: false, setScale: false, dist: 8 },
          sync: { key: "climate", scales: ["x", null], setSeries: false },
          bind: { dblclick: () => () => (this.on.reset(), null) },
        },
        hooks: {
          drawClear: [(/** @type {any} */ u) => this.under(u)],
          draw: [(/** @type {any} */ u) => this.over(u)],
          setSelect: [(/** @type {any} */ u) => this.selected(u)],
          setCursor: [(/** @type {any} */ u) => this.on.point(u.cursor.left >= 0 ? u.posToVal(u.cursor.left, "x") : null)],
        },
      },
      this.data(),
      this.root,
    );
    plot.setScale("x", { min: picture.range[0], max: picture.range[1] });
    hand(plot, this.on.zoom);
    return plot;
  }

  /** What the y axis covers: the data, limits and wanted ranges that are near it. @param {number|null} low @param {number|null} high */
  span(low, high) {
    const { zero, limits, wanted, lines, range } = this.picture;
    for (const { last } of lines) {
      if (!last || last[0] < range[0] || last[0] > range[1]) continue;
      low = Math.min(low ?? last[1], last[1]);
      high = Math.max(high ?? last[1], last[1]);
    }
    if (low === null || high === null) return [wanted[0]?.[2] ?? 0, wanted[0]?.[3] ?? 1];
    const reach = Math.max((high - low) * 0.4, Math.abs(high) * 0.03, 1e-3);
    const near = [...limits.map((limit) => limit.value), ...wanted.flatMap((band) => [band[2], band[3]])];
    const [first, second] = [low, high];
    for (const value of near) {
      if (value < first && first - value < reach) low = Math.min(low, value);
      if (value > second && value - second < reach) high = Math.max(high, value);
    }
    const pad = Math.max((high - low) * 0.08, Math.abs(high) * 0.004, 1e-3);
    return [zero && low >= 0 ? 0 : low - pad, high + pad];
  }

  /** Below the lines: night, wanted range, gaps. @param {any} u */
  under(u) {
    const { picture, paint } = this;
    const area = clipped(u);
    for (const [from, to] of picture.nights) area.box(from, to, null, null, paint.night);
    for (const [from, to, low, high] of picture.wanted) area.box(from, to, low, high, paint.band);
    for (const [from, to] of picture.lines[0]?.gaps ?? []) {
      area.hatch(from, to, paint.grid, paint.compare);
      area.text(picture.words.gap, (from + to) / 2, null, paint.ink2, { inside: [from, to] });
    }
    area.end();
  }

  /** Above the lines: limits, what was left out, the newest value, now. @param {any} u */
  over(u) {
    const { picture, paint } = this;
    const area = clipped(u);
    for (const limit of picture.limits) area.limit(limit, paint.limit, picture.now);
    picture.lines.forEach((line, i) => {
      const many = picture.lines.length > 1;
      if (line.stale && line.last) area.grey(line, (picture.range[1] - picture.range[0]) * STALE_TAIL, i === 0 ? 2 : 1.25, paint);
      for (const [at] of line.rejected) area.ring(at, null, paint.line, 4.5);
      if (!line.last) return;
      const name = many ? line.name : "";
      if (line.stale) {
        area.ring(line.last[0], line.last[1], paint.stale, 4.5);
        area.text([name, line.stale].filter(Boolean).join(" · "), ...line.last, paint.ink2, { aside: true });
      } else {
        area.dot(line.last[0], line.last[1], paint.line);
        if (name) area.text(name, ...line.last, paint.line, { aside: true });
      }
    });
    const left = picture.lines.reduce((n, line) => n + line.rejected.filter(([at]) => at >= picture.range[0] && at <= picture.range[1]).length, 0);
    if (left) area.corner(picture.words.left.replace("{n}", String(left)), paint.line);
    if (!picture.lines.some((line) => line.x.length || line.last)) area.middle(picture.words.empty, paint.ink2);
    area.end();
    if (picture.now >= picture.range[0] && picture.now <= picture.range[1]) nowLine(u, picture, paint);
  }

  /** @param {any} u */
  selected(u) {
    const { left, width } = u.select;
    if (width < 8) return;
    u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.on.zoom(u.posToVal(left, "x"), u.posToVal(left + width, "x"));
  }
}

/** @param {number} value */
function plain(value) {
  return String(value).replace("-", "−");
}
