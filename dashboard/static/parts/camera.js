// The hand camera: the newest JPEG on a canvas, what the robot sees drawn over it, its age, and what it costs.
import { now, useNow } from "/static/lib/clock.js";
import { duration, num } from "/static/lib/format.js";
import { remember, t } from "/static/lib/i18n.js";
import { on, watch } from "/static/lib/live.js";
import { useStore } from "/static/lib/store.js";
import { theme, token } from "/static/lib/theme.js";
import { html, useEffect, useRef, useState } from "/static/lib/ui.js";
import { Icon } from "/static/parts/icon.js";
import { useSeen } from "/static/parts/robotlive.js";
import { stageName } from "/static/parts/stage.js";

const KEPT = "bb.camera";
const OLD_S = 2.5;
const SPAN_MS = 5000;
const SAME_S = 0.5;
/** Colour over video and dash of each stage: told apart without colour too. @type {Record<string, [string, number[]]>} */
const STYLE = {
  flower: ["#ffffff", [1, 5]],
  green: ["#8fd1bb", [2, 4]],
  white: ["#f1eedf", [2, 4]],
  turning: ["#f3b27f", [8, 5]],
  ripe: ["#ff5d6c", []],
  overripe: ["#e39ac0", [3, 3]],
};

/** @param {{robot: string, store: import("/static/lib/store.js").Store<import("/static/parts/robotlive.js").RobotShown>}} props */
export function Camera({ robot, store }) {
  const [wanted, setWanted] = useState(startsOn);
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const seen = useSeen(box);
  const running = wanted && seen;
  const pictures = usePictures(robot, running, canvas, store);
  useNow(1);
  useStore(theme, (value) => value.name);
  const choose = (/** @type {boolean} */ next) => {
    remember(KEPT, next ? "on" : "off");
    setWanted(next);
  };
  const { at, fps, rate, asked } = pictures.now();
  const age = at === null ? Infinity : now() - at;
  const waiting = running && at === null && performance.now() - asked > 3000;
  const stale = at !== null && age > OLD_S;
  const cost = rate > 0 ? t("robot.cam_cost", { mb: num(rate) }) : t("robot.cam_cost_unknown");
  const state = !wanted
    ? t("robot.cam_off")
    : at === null
      ? t(waiting ? "robot.cam_silent" : "robot.cam_asking")
      : stale
        ? t("robot.cam_old", { time: duration(age) })
        : t("robot.cam_live", { fps: num(fps), age: age < 1 ? t("robot.ms", { n: num(Math.max(0, age) * 1000) }) : t("robot.log_seconds", { n: num(age, 1) }) });
  return html`<section class="o1 cam" ref=${box} aria-label=${t("robot.camera")} data-state=${wanted ? (at === null ? "waiting" : stale ? "stale" : "live") : "off"}>
    <canvas ref=${canvas} role="img" aria-label=${describe(store.get().berries)}></canvas>
    <div class="over-t"><span class=${`chip-d ${at !== null && !stale && wanted ? "" : "dull"}`}><i></i>${state}</span>
      ${wanted && html`<span class="chip-d cost">${cost}</span>`}</div>
    <button class="chip-b" type="button" aria-pressed=${wanted} onClick=${() => choose(!wanted)}><${Icon} name=${wanted ? "i-hold" : "i-play"} />${t(wanted ? "robot.cam_pause" : "robot.cam_show")}</button>
  </section>`;
}

/** Pictures come without asking, unless somebody paused them here or the network is counted. */
function startsOn() {
  try {
    const kept = localStorage.getItem(KEPT);
    if (kept) return kept === "on";
  } catch {
    return true; // storage is switched off
  }
  return !(/** @type {any} */ (navigator).connection?.saveData);
}

/** Draw pictures as they come, the newest only. @param {string} robot @param {boolean} running @param {{current: HTMLCanvasElement | null}} canvas @param {any} store */
function usePictures(robot, running, canvas, store) {
  const kept = useRef({ at: /** @type {number|null} */ (null), asked: 0, heard: /** @type {[number, number][]} */ ([]), image: /** @type {ImageBitmap|null} */ (null) });
  useEffect(() => {
    if (!running) return undefined;
    const mine = kept.current;
    Object.assign(mine, { at: null, asked: performance.now(), heard: [] });
    let busy = false;
    let newest = /** @type {any} */ (null);
    let here = true;
    const draw = () => canvas.current && mine.image && paint(canvas.current, mine.image, berriesIn(store.get(), mine.at ?? 0), store.get().target);
    const show = async () => {
      busy = true;
      while (newest && here) {
        const frame = newest;
        newest = null;
        const image = await createImageBitmap(frame.jpeg).catch(() => null);
        if (!image) continue; // not a picture: the age goes on counting
        if (!here) return image.close();
        mine.image?.close();
        Object.assign(mine, { image, at: frame.at });
        draw();
      }
      busy = false;
    };
    const unhear = on("frame", (frame) => {
      if (frame.robot !== robot) return;
      const heard = performance.now();
      mine.heard = [...mine.heard.filter(([at]) => heard - at < SPAN_MS), [heard, frame.jpeg.size]];
      newest = frame;
      if (!busy) show();
    });
    const unwatch = watch([`camera:${robot}`]);
    addEventListener("resize", draw);
    return () => {
      here = false;
      unwatch();
      unhear();
      removeEventListener("resize", draw);
    };
  }, [robot, running]);
  useEffect(() => () => kept.current.image?.close(), []);
  return {
    now() {
      const { at, asked, heard } = kept.current;
      const span = heard.length > 1 ? (heard[heard.length - 1][0] - heard[0][0]) / 1000 : 0;
      const bytes = heard.slice(1).reduce((sum, [, size]) => sum + size, 0);
      return { at, asked, fps: span ? (heard.length - 1) / span : 0, rate: span ? (bytes / span) * 3.6e-3 : 0 };
    },
  };
}

/** The berries that belong to a picture: none when the robot looked at another moment, for then the camera stood elsewhere. @param {import("/static/parts/robotlive.js").RobotShown} shown @param {number} at */
function berriesIn(shown, at) {
  return shown.seenAt !== null && Math.abs(shown.seenAt - at) > SAME_S ? null : shown.berries;
}

/** @param {HTMLCanvasElement} canvas @param {ImageBitmap} image @param {import("/static/parts/robotlive.js").Berry[] | null} berries @param {number|null} target */
function paint(canvas, image, berries, target) {
  const ratio = Math.min(2, devicePixelRatio || 1);
  const width = canvas.clientWidth || image.width;
  const height = (width * image.height) / image.width;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.drawImage(image, 0, 0, width, height);
  const scale = width / image.width;
  const ordered = [...(berries ?? [])].filter((berry) => Array.isArray(berry.box)).sort((a, b) => Number(a.id === target) - Number(b.id === target));
  for (const berry of ordered) outline(pen, berry, berry.id === target, scale);
  /** @type {number[][]} */
  const taken = [];
  const area = (/** @type {any} */ berry) => (berry.id === target ? Infinity : berry.box[2] * berry.box[3]);
  for (const berry of ordered.sort((a, b) => area(b) - area(a))) name(pen, berry, berry.id === target, scale, width, taken);
}

/** One berry: an outline in the stage's colour and dash; the target in brackets. @param {CanvasRenderingContext2D} pen @param {import("/static/parts/robotlive.js").Berry} berry @param {boolean} target @param {number} scale */
function outline(pen, berry, target, scale) {
  const [x, y, w, h] = berry.box.map((value) => value * scale);
  const [colour, dash] = STYLE[berry.stage] ?? STYLE.green;
  const shape = () => {
    pen.beginPath();
    pen.ellipse(x + w / 2, y + h / 2, w / 2 + 4, h / 2 + 4, 0, 0, 2 * Math.PI);
  };
  pen.lineCap = "round";
  pen.setLineDash([]);
  pen.strokeStyle = "rgb(8 12 10 / .7)";
  pen.lineWidth = 5;
  shape();
  pen.stroke();
  pen.setLineDash(dash);
  pen.strokeStyle = colour;
  pen.lineWidth = 2.5;
  shape();
  pen.stroke();
  pen.setLineDash([]);
  if (target) brackets(pen, x - 12, y - 12, w + 24, h + 24);
}

/** The stage of a berry in words below it, unless the words of a larger one are there. @param {CanvasRenderingContext2D} pen @param {import("/static/parts/robotlive.js").Berry} berry @param {boolean} target @param {number} scale @param {number} width @param {number[][]} taken left and top, right and bottom of words drawn before */
function name(pen, berry, target, scale, width, taken) {
  const [x, y, w, h] = berry.box.map((value) => value * scale);
  const [colour] = STYLE[berry.stage] ?? STYLE.green;
  const text = t(target ? "robot.cam_target" : "robot.cam_berry", { stage: stageName(berry.stage in STYLE ? berry.stage : "green"), ripeness: num(berry.ripeness, 2) });
  pen.font = `600 13px ${token("--font")}`;
  const room = pen.measureText(text).width + 16;
  const left = Math.min(Math.max(4, x + w / 2 - room / 2), width - room - 4);
  const top = y + h + (target ? 18 : 8);
  if (taken.some(([l, t0, r, b]) => left < r && left + room > l && top < b && top + 22 > t0)) return;
  taken.push([left, top, left + room, top + 22]);
  pen.fillStyle = target ? "#cf2440" : "rgb(8 12 10 / .82)";
  pen.beginPath();
  pen.roundRect(left, top, room, 22, 11);
  pen.fill();
  pen.fillStyle = target ? "#ffffff" : colour;
  pen.textBaseline = "middle";
  pen.fillText(text, left + 8, top + 11.5);
}

/** @param {CanvasRenderingContext2D} pen @param {number} x @param {number} y @param {number} w @param {number} h */
function brackets(pen, x, y, w, h) {
  const arm = Math.min(18, w / 3, h / 3);
  pen.strokeStyle = "#ffffff";
  pen.lineWidth = 3;
  for (const [cx, cy, sx, sy] of [[x, y, 1, 1], [x + w, y, -1, 1], [x, y + h, 1, -1], [x + w, y + h, -1, -1]]) {
    pen.beginPath();
    pen.moveTo(cx + sx * arm, cy);
    pen.lineTo(cx, cy);
    pen.lineTo(cx, cy + sy * arm);
    pen.stroke();
  }
}

/** @param {import("/static/parts/robotlive.js").Berry[] | null} berries */
function describe(berries) {
  if (berries === null) return t("robot.cam_nothing_told");
  /** @type {Record<string, number>} */
  const counts = {};
  for (const berry of berries) counts[berry.stage] = (counts[berry.stage] ?? 0) + 1;
  const list = Object.entries(counts).filter(([stage]) => stage in STYLE).map(([stage, n]) => `${n} ${stageName(stage)}`);
  return t("robot.cam_sees", { list: list.join(", ") || "0" });
}
