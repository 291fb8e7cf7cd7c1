// A history as the API sends it, made ready for a chart: gaps stay open, rejected points stand apart, what is newer is joined on.

const GAP_INTERVALS = 3;

/**
 * @typedef {{at: number[], mean: (number|null)[], min: (number|null)[], max: (number|null)[], gaps: [number, number][],
 *   rejected: [number, number, number][], step: number, start: number, end: number, interval: number, unit: string}} History
 * @typedef {{x: number[], mean: (number|null)[], low: (number|null)[], high: (number|null)[]}} Columns
 */

/** Put an opening where nothing was measured for long; leave out instants whose values were all rejected. @param {History} history @returns {Columns} */
export function columns(history) {
  const widest = Math.max(GAP_INTERVALS * history.interval, 1.5 * history.step);
  const out = /** @type {Columns} */ ({ x: [], mean: [], low: [], high: [] });
  const put = (/** @type {number} */ x, /** @type {number|null} */ mean, /** @type {number|null} */ low, /** @type {number|null} */ high) => {
    out.x.push(x);
    out.mean.push(mean);
    out.low.push(low);
    out.high.push(high);
  };
  let last = NaN;
  history.at.forEach((at, i) => {
    if (history.mean[i] === null) return;
    if (at - last > widest) put((at + last) / 2, null, null, null);
    put(at, history.mean[i], history.min[i], history.max[i]);
    last = at;
  });
  return out;
}

/** Return `old` with everything from the start of `newer` on replaced; both in the same steps. @param {History} old @param {History} newer @returns {History} */
export function join(old, newer) {
  const keep = old.at.findIndex((at) => at >= newer.start);
  const cut = keep < 0 ? old.at.length : keep;
  const column = (/** @type {"at"|"mean"|"min"|"max"} */ name) => /** @type {any} */ ([...old[name].slice(0, cut), ...newer[name]]);
  const before = /** @type {[number, number][]} */ (old.gaps.filter(([from]) => from < newer.start).map(([from, to]) => [from, Math.min(to, newer.start)]));
  return {
    ...newer,
    start: old.start,
    at: column("at"),
    mean: column("mean"),
    min: column("min"),
    max: column("max"),
    gaps: mend([...before, ...newer.gaps]),
    rejected: [...old.rejected.filter(([at]) => at < newer.start), ...newer.rejected],
  };
}

/** One gap that was cut in two is one gap. @param {[number, number][]} gaps */
function mend(gaps) {
  const out = /** @type {[number, number][]} */ ([]);
  for (const [from, to] of gaps) {
    const last = out.at(-1);
    if (last && from - last[1] < 1) last[1] = to;
    else out.push([from, to]);
  }
  return out;
}

/** Return the query for what is newer than `history`, in its own steps. @param {History} history @param {number} now */
export function newerSpan(history, now) {
  if (history.step <= 0) return { start: (history.at.at(-1) ?? history.start) - 10 * history.interval, end: now, points: 5000 };
  const start = Math.floor((history.at.at(-1) ?? history.start) / history.step - 10) * history.step;
  return { start, end: now, points: Math.max(10, Math.ceil((now - start) / history.step)) };
}
