// The nights that touch a span of time: the shaded part of a chart.
import { sunTimes } from "/static/lib/sun.js";

const DAY_S = 86400;

/**
 * @param {number} start @param {number} end UTC epoch [s] @param {number} latitude [°] @param {number} longitude [°]
 * @returns {[number, number][]} sunset to sunrise, cut to the span
 */
export function nights(start, end, latitude, longitude) {
  const found = /** @type {[number, number][]} */ ([]);
  let sunset = -Infinity;
  for (let at = start - DAY_S; at <= end + 2 * DAY_S; at += DAY_S) {
    const day = sunTimes(at, latitude, longitude);
    if (!day) continue;
    if (day.rise > start && sunset < end) found.push([Math.max(sunset, start), Math.min(day.rise, end)]);
    sunset = day.set;
  }
  return found.filter(([from, to]) => to > from);
}
