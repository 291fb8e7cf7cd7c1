// Stop robot: sent at once to every robot of the site, again until each acknowledges; nothing is claimed before that.
import { ApiError, get, post } from "/static/lib/api.js";
import { live, on } from "/static/lib/live.js";
import { session, Store } from "/static/lib/store.js";

const UNCONFIRMED_MS = 1000;
const AGAIN_MS = 250;
const GIVE_UP_MS = 30000;
const CONFIRMED = ["done", "accepted"];
const KEPT = "bb.robots";

/** `rest`, `stopping`, `confirmed` (every robot said so), `unconfirmed` (1 s has passed without that). */
export const stopping = new Store({
  phase: /** @type {"rest"|"stopping"|"confirmed"|"unconfirmed"} */ ("rest"),
  seconds: 0,
  confirmedAt: 0, // performance.now() [ms]
  robots: /** @type {string[]} */ ([]),
  failed: /** @type {string[]} */ ([]),
});

let press = 0;

/** The robots of the site: as known now, else as this device knew them last. @returns {string[]} */
function known() {
  const ids = session.get().farm?.robots.map((/** @type {any} */ robot) => robot.id) ?? Object.keys(live.get().robots);
  try {
    if (ids.length) localStorage.setItem(KEPT, JSON.stringify(ids));
    else return JSON.parse(localStorage.getItem(KEPT) ?? "[]");
  } catch {
    return ids; // storage is switched off
  }
  return ids;
}

/** Send the stop. Each press begins anew; an earlier one goes on until it is answered. */
export async function stopRobots() {
  const mine = ++press;
  const began = performance.now();
  const left = new Set(known());
  stopping.set({ phase: "stopping", seconds: 0, robots: [...left], failed: [] });
  const late = setTimeout(() => mine === press && left.size && stopping.set({ phase: "unconfirmed", failed: [...left] }), UNCONFIRMED_MS);
  if (!left.size) for (const robot of await askForRobots(mine, began)) left.add(robot);
  const confirm = (/** @type {string} */ robot) => {
    if (!left.delete(robot) || mine !== press) return;
    const seconds = (performance.now() - began) / 1000;
    if (left.size) stopping.set({ failed: stopping.get().phase === "unconfirmed" ? [...left] : [] });
    else stopping.set({ phase: "confirmed", seconds, failed: [], confirmedAt: performance.now() });
  };
  const unhear = on("ack", (ack) => ack.command === "stop" && CONFIRMED.includes(ack.status) && confirm(ack.robot));
  await Promise.all([...left].map((robot) => stopOne(robot, began, () => left.has(robot), confirm)));
  unhear();
  clearTimeout(late);
  if (mine === press && left.size) stopping.set({ phase: "unconfirmed", failed: [...left] });
}

/** @param {string} robot @param {number} began @param {() => boolean} open @param {(robot: string) => void} confirm */
async function stopOne(robot, began, open, confirm) {
  while (open() && performance.now() - began < GIVE_UP_MS) {
    try {
      const answer = await post(`/robots/${encodeURIComponent(robot)}/stop`, {}, { timeout: 2500 });
      if (CONFIRMED.includes(answer.status)) return confirm(robot);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return; // nobody may be heard from here any more
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

/** @param {number} mine @param {number} began @returns {Promise<string[]>} */
async function askForRobots(mine, began) {
  while (mine === press && performance.now() - began < GIVE_UP_MS) {
    try {
      const robots = (await get("/farm", { timeout: 2500 })).robots.map((/** @type {any} */ robot) => robot.id);
      stopping.set({ robots });
      return robots;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
  return [];
}

/** Robots that say so themselves stand still. */
const STILL = ["PSTOP", "ESTOP", "FAULT", "OFF"];
/** So long a robot may take to tell its new state after it confirmed [ms]. */
const TELL_MS = 3000;

/**
 * Let the robots' own word take over: a confirmed stop is shown while they say that they stand still, an unconfirmed one until
 * they say so. Nothing is claimed of a robot that is out of touch.
 */
function settle() {
  const { phase, robots, confirmedAt } = stopping.get();
  if (phase !== "confirmed" && phase !== "unconfirmed") return;
  const now = robots.map((id) => live.get().robots[id]);
  const inTouch = live.get().connected && now.every((robot) => robot?.link === "ok");
  const still = inTouch && now.every((robot) => STILL.includes(robot.safety));
  if (still) seenStill = true;
  const over = phase === "unconfirmed" ? still : !inTouch || (!still && (seenStill || performance.now() - confirmedAt > TELL_MS));
  if (over) stopping.set({ phase: "rest", robots: [], failed: [] });
}

let seenStill = false;
stopping.subscribe(() => {
  const { phase } = stopping.get();
  if (phase === "stopping") seenStill = false;
  if (phase === "confirmed") setTimeout(settle, TELL_MS + 50);
});
live.subscribe(settle);
addEventListener(
  "keydown",
  (event) => {
    if (event.shiftKey && event.key === "Escape" && session.get().me) {
      event.preventDefault();
      stopRobots();
    }
  },
  { capture: true },
);
