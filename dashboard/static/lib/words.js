// Names of things of the farm as people say them: zones, beds, segments, devices, metrics, faults.
import { lang, t } from "/static/lib/i18n.js";
import { session } from "/static/lib/store.js";

const farm = () => session.get().farm;

/** Names of farm files may hold both languages, "一号棚 Tunnel 1": take the part in the user's. @param {string} name */
function inLanguage(name) {
  const both = /^([^\x00-\x7f]+(?:\s*\d+)?)\s+([A-Za-z].*)$/.exec(name ?? "");
  return both ? (lang() === "zh" ? both[1] : both[2]) : (name ?? "");
}

/** @param {{id: string, name?: string} | null | undefined} site */
export function siteName(site) {
  return inLanguage(site?.name || site?.id || "");
}

/** @param {string} id */
export function zoneName(id) {
  return inLanguage(farm()?.zones.find((/** @type {any} */ zone) => zone.id === id)?.name || id || "");
}

/** "bed-3" is 3 架 / bed 3; other names stay as they are. @param {string} id */
export function bedName(id) {
  const number = /^bed-(\d+)$/.exec(id ?? "");
  return number ? t("place.bed", { n: number[1] }) : (id ?? "");
}

/** Segments are counted from 0 on the wire and from 1 by people. @param {number} index */
export function segmentName(index) {
  return t("place.segment", { n: index + 1 });
}

/** Several segments of one bed: "3、4 段". @param {number[]} indices */
export function segmentsName(indices) {
  return t("place.segments", { list: indices.map((index) => index + 1).join(t("place.and")) });
}

/** Where a robot is or something hangs: "一号棚 1 架 3 段". @param {{zone?: string, bed?: string, segment?: number}} place */
export function placeName(place) {
  const zone = place.zone ?? farm()?.beds.find((/** @type {any} */ bed) => bed.id === place.bed)?.zone;
  const parts = [zone ? zoneName(zone) : "", place.bed ? bedName(place.bed) : ""];
  if (place.segment !== undefined && place.segment >= 0) parts.push(segmentName(place.segment));
  return parts.filter(Boolean).join(" ");
}

/** @param {string} key */
export function metricName(key) {
  const row = farm()?.metrics[key];
  return row ? row[`label_${lang()}`] : key;
}

/** UCUM codes that people write otherwise. @type {Record<string, string>} */
const UNITS = {
  Cel: "°C",
  "1": "",
  "[ppm]": "ppm",
  "[pH]": "pH",
  "dB[mW]": "dBm",
  "umol/(m2.s)": "µmol/m²s",
  "W/m2": "W/m²",
  "mol/m2": "mol/m²",
  "K.d": "°C·d",
};

/** Write a unit of the API for people. @param {string} code */
export function unitName(code) {
  return UNITS[code] ?? code;
}

/** @param {string} key */
export function metricUnit(key) {
  return unitName(farm()?.metrics[key]?.unit ?? "");
}

/** What a fault is, in the words of telemetry/messages/faults.toml. @param {string} key */
export function faultName(key) {
  return farm()?.faults[key]?.[lang()] ?? key;
}

/** What to do about a fault first. @param {string} key */
export function faultAdvice(key) {
  return farm()?.faults[key]?.[`do_${lang()}`] ?? "";
}
