// What a chart is drawn with: colours as the theme has them now, and marks in the coordinates of the data.
import { token } from "/static/lib/theme.js";

export const LABEL_PX = 13;

/** @param {string} color */
export function paints(color) {
  const line = token(color);
  const names = { axis: "--ink-3", grid: "--c-grid", night: "--c-night", band: "--c-band", stale: "--c-stale", compare: "--c-compare", limit: "--sev-major" };
  const rest = Object.fromEntries(Object.entries(names).map(([name, key]) => [name, token(key)]));
  return /** @type {Record<string, string>} */ ({ ...rest, line, soft: `${line}2e`, ink: token("--ink"), ink2: token("--ink-2"), sheet: token("--sheet") });
}

/** The plotting area in data coordinates; nothing is drawn outside it. @param {any} u */
export function clipped(u) {
  const { ctx, bbox } = u;
  const scale = devicePixelRatio;
  const x = (/** @type {number} */ at) => u.valToPos(at, "x", true);
  const y = (/** @type {number} */ value) => u.valToPos(value, "y", true);
  const font = `${LABEL_PX * scale}px ${token("--font")}`;
  const words = (/** @type {string} */ said, /** @type {number} */ left, /** @type {number} */ top, /** @type {string} */ fill) => {
    ctx.lineWidth = 4 * scale; // a halo, so that lines do not run through words
    ctx.lineJoin = "round";
    ctx.strokeStyle = token("--sheet");
    ctx.strokeText(said, left, top);
    ctx.fillStyle = fill;
    ctx.fillText(said, left, top);
  };
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.font = font;
  ctx.textAlign = "left";
  const box = (/** @type {number} */ from, /** @type {number} */ to, /** @type {number|null} */ low, /** @type {number|null} */ high, /** @type {string} */ fill) => {
    ctx.fillStyle = fill;
    const top = high === null ? bbox.top : y(high);
    ctx.fillRect(x(from), top, x(to) - x(from), (low === null ? bbox.top + bbox.height : y(low)) - top);
  };
  const text = (/** @type {string} */ said, /** @type {number} */ at, /** @type {number|null} */ value, /** @type {string} */ fill, /** @type {{inside?: [number, number], aside?: boolean}} */ how = {}) => {
    ctx.textBaseline = value === null ? "bottom" : "middle";
    const width = ctx.measureText(said).width;
    if (how.inside && width > x(how.inside[1]) - x(how.inside[0]) + 40 * scale) return;
    let left = x(at) - width / 2;
    if (how.aside) left = x(at) + 9 * scale + width > bbox.left + bbox.width ? x(at) - width - 9 * scale : x(at) + 9 * scale;
    const top = value === null ? bbox.top + bbox.height - 4 * scale : y(value) - (how.aside && left < x(at) ? 12 * scale : 0);
    words(said, Math.max(bbox.left + 2, left), top, fill);
  };
  const ring = (/** @type {number} */ at, /** @type {number|null} */ value, /** @type {string} */ stroke, /** @type {number} */ radius) => {
    ctx.beginPath();
    ctx.arc(x(at), value === null ? bbox.top + 9 * scale : y(value), radius * scale, 0, 2 * Math.PI);
    ctx.fillStyle = token("--sheet");
    ctx.fill();
    ctx.lineWidth = 2 * scale;
    ctx.strokeStyle = stroke;
    ctx.stroke();
  };
  return {
    box,
    text,
    ring,
    /** @param {number} at @param {number} value @param {string} fill */
    dot(at, value, fill) {
      ctx.beginPath();
      ctx.arc(x(at), y(value), 4.5 * scale, 0, 2 * Math.PI);
      ctx.fillStyle = fill;
      ctx.fill();
      ctx.lineWidth = 1.5 * scale;
      ctx.strokeStyle = token("--sheet");
      ctx.stroke();
    },
    /** @param {number} from @param {number} to @param {string} ground @param {string} stroke */
    hatch(from, to, ground, stroke) {
      const [left, right] = [Math.max(bbox.left, x(from)), Math.min(bbox.left + bbox.width, x(to))];
      if (right - left < 1) return;
      ctx.save();
      ctx.beginPath();
      ctx.rect(left, bbox.top, right - left, bbox.height);
      ctx.clip();
      ctx.globalAlpha = 0.5;
      ctx.fillStyle = ground;
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
      ctx.globalAlpha = 0.7;
      ctx.strokeStyle = stroke;
      ctx.lineWidth = scale;
      ctx.beginPath();
      for (let i = left - bbox.height; i < right; i += 7 * scale) {
        ctx.moveTo(i, bbox.top + bbox.height);
        ctx.lineTo(i + bbox.height, bbox.top);
      }
      ctx.stroke();
      ctx.restore();
    },
    /** @param {{value: number, label: string, high: boolean}} limit @param {string} stroke @param {number} now its label ends there [UTC epoch s] */
    limit(limit, stroke, now) {
      const right = Math.min(bbox.left + bbox.width, x(now) < bbox.left + bbox.width / 2 ? Infinity : x(now));
      if (limit.value < u.scales.y.min || limit.value > u.scales.y.max) return;
      ctx.setLineDash([2 * scale, 3 * scale]);
      ctx.lineWidth = 1.25 * scale;
      ctx.strokeStyle = stroke;
      ctx.beginPath();
      ctx.moveTo(bbox.left, y(limit.value));
      ctx.lineTo(bbox.left + bbox.width, y(limit.value));
      ctx.stroke();
      ctx.setLineDash([]);
      const above = limit.high ? y(limit.value) - bbox.top > 20 * scale : bbox.top + bbox.height - y(limit.value) < 20 * scale;
      ctx.textBaseline = above ? "bottom" : "top";
      words(limit.label, right - ctx.measureText(limit.label).width - 4 * scale, y(limit.value) + (above ? -3 : 3) * scale, stroke);
    },
    /** The end of a line that is no longer true. @param {import("/static/parts/chart.js").Line} line @param {number} length [s] @param {number} width @param {Record<string, string>} paint */
    grey(line, length, width, paint) {
      const end = /** @type {[number, number]} */ (line.last);
      const from = line.x.findIndex((at) => at >= end[0] - length);
      if (from < 0) return;
      for (const [stroke, size] of /** @type {[string, number][]} */ ([[paint.sheet, width + 1], [paint.stale, width]])) {
        ctx.beginPath();
        let open = true;
        for (let i = from; i < line.x.length; i += 1) {
          const value = line.mean[i];
          if (value === null || value === undefined) open = true;
          else if (open) (ctx.moveTo(x(line.x[i]), y(value)), (open = false));
          else ctx.lineTo(x(line.x[i]), y(value));
        }
        if (!open) ctx.lineTo(x(end[0]), y(end[1]));
        ctx.lineWidth = size * scale;
        ctx.strokeStyle = stroke;
        ctx.stroke();
      }
    },
    /** @param {string} said @param {string} fill */
    corner(said, fill) {
      ctx.textBaseline = "top";
      words(said, bbox.left + 4 * scale, bbox.top + 4 * scale, fill);
    },
    /** @param {string} said @param {string} fill */
    middle(said, fill) {
      ctx.textBaseline = "middle";
      words(said, bbox.left + (bbox.width - ctx.measureText(said).width) / 2, bbox.top + bbox.height / 2, fill);
    },
    end: () => ctx.restore(),
  };
}

/** Now, as a line with the time on it. @param {any} u @param {import("/static/parts/chart.js").Picture} picture @param {Record<string, string>} paint */
export function nowLine(u, picture, paint) {
  const { ctx, bbox } = u;
  const scale = devicePixelRatio;
  const left = Math.round(u.valToPos(picture.now, "x", true));
  ctx.save();
  ctx.strokeStyle = paint.ink;
  ctx.lineWidth = 1.5 * scale;
  ctx.beginPath();
  ctx.moveTo(left, bbox.top);
  ctx.lineTo(left, bbox.top + bbox.height);
  ctx.stroke();
  ctx.textAlign = "left";
  ctx.font = `600 ${LABEL_PX * scale}px ${token("--font")}`;
  const width = ctx.measureText(picture.words.now).width + 14 * scale;
  const from = Math.min(left - width / 2, u.width * scale - width);
  ctx.fillStyle = paint.ink;
  ctx.beginPath();
  ctx.roundRect(from, bbox.top - 24 * scale, width, 20 * scale, 10 * scale);
  ctx.fill();
  ctx.fillStyle = paint.sheet;
  ctx.textBaseline = "middle";
  ctx.fillText(picture.words.now, from + 7 * scale, bbox.top - 13.5 * scale);
  ctx.restore();
}
