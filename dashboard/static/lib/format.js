// Numbers, times and places as the farm writes them: thin spaces, 24 h, the farm's own time zone.
import { lang, locale, t } from "/static/lib/i18n.js";
import { session } from "/static/lib/store.js";

export const UNKNOWN = "—";
const THIN = "\u202f"; // narrow, and no line breaks at it
/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** Write a number with `digits` after the point, "—" when there is none: 1 286, 15.4. @param {number|null|undefined} value @param {number} [digits] */
export function num(value, digits = 0) {
  if (value === null || value === undefined || !Number.isFinite(value)) return UNKNOWN;
  const [whole, part] = Math.abs(value).toFixed(digits).split(".");
  const sign = value < 0 && Number(value.toFixed(digits)) !== 0 ? "−" : "";
  return sign + whole.replace(/\B(?=(\d{3})+$)/g, THIN) + (part ? `.${part}` : "");
}

/** Write a mass for people: grams below 1 kg, else kilograms. @param {number|null|undefined} kg @returns {{value: string, unit: string}} */
export function mass(kg) {
  if (kg === null || kg === undefined) return { value: UNKNOWN, unit: "" };
  return kg < 1 ? { value: num(kg * 1000), unit: "g" } : { value: num(kg, kg < 100 ? 1 : 0), unit: "kg" };
}

/** Write a mass in one piece: "86 kg". @param {number|null|undefined} kg */
export function massText(kg) {
  const { value, unit } = mass(kg);
  return unit ? `${value} ${unit}` : value;
}

/** Write a share as per cent: 87 %. @param {number|null|undefined} share 0 … 1 @param {number} [digits] */
export function percent(share, digits = 0) {
  return share === null || share === undefined ? UNKNOWN : `${num(share * 100, digits)} %`;
}

/** Write how long something took or lasts: "8 s", "38 min", "5 h", "3 days". @param {number} seconds */
export function duration(seconds) {
  const s = Math.max(0, seconds);
  if (s < 60) return t("time.seconds", { n: Math.floor(s) });
  if (s < 3600) return t("time.minutes", { n: Math.floor(s / 60) });
  if (s < 48 * 3600) return t("time.hours", { n: Math.floor(s / 3600) });
  return t("time.days", { n: Math.floor(s / 86400) });
}

/** Write how long ago: "38 min ago". @param {number} seconds */
export function ago(seconds) {
  return t("time.ago", { time: duration(seconds) });
}

/** @param {Intl.DateTimeFormatOptions} options */
function format(options) {
  const { me, site } = session.get();
  const timeZone = me?.site?.timezone ?? site?.timezone;
  const key = JSON.stringify([locale(), timeZone, options]);
  let found = formats.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(locale(), { ...options, ...(timeZone ? { timeZone } : {}) });
    formats.set(key, found);
  }
  return found;
}

/** Write the time of day at the farm: 08:10. @param {number} at UTC epoch [s] @param {boolean} [seconds] */
export function clock(at, seconds = false) {
  const second = seconds ? /** @type {const} */ ({ second: "2-digit" }) : {};
  return format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...second }).format(at * 1000);
}

/** Write the day at the farm: "3 月 12 日 星期四", "Thursday 12 March". @param {number} at UTC epoch [s] */
export function day(at) {
  const parts = Object.fromEntries(
    format({ weekday: "long", day: "numeric", month: lang() === "zh" ? "numeric" : "long" })
      .formatToParts(at * 1000)
      .map((part) => [part.type, part.value]),
  );
  return t("time.day", { weekday: parts.weekday, day: parts.day, month: parts.month });
}

/** Return year, month and day at the farm, in words where the language has words. @param {number} at UTC epoch [s] @returns {Record<string, string>} */
export function date(at) {
  const parts = format({ year: "numeric", day: "numeric", month: lang() === "zh" ? "numeric" : "long" }).formatToParts(at * 1000);
  return Object.fromEntries(parts.map((part) => [part.type, part.value]));
}

/** Write a short day: "3/12", "12 Mar". @param {number} at UTC epoch [s] */
export function shortDay(at) {
  return format({ day: "numeric", month: lang() === "zh" ? "numeric" : "short" }).format(at * 1000);
}

/** Write an instant: the time today, day and time before. @param {number} at @param {number} now UTC epoch [s] */
export function instant(at, now) {
  return shortDay(at) === shortDay(now) ? clock(at) : `${shortDay(at)} ${clock(at)}`;
}

/** Return when the farm's day began. @param {number} at UTC epoch [s] */
export function midnight(at) {
  const [h, m, s] = clock(at, true).split(":").map(Number);
  return Math.floor(at) - h * 3600 - m * 60 - s;
}
