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
    else stopping.set({ phase: "confirmed", seconds, failed: [] });
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

/** Forget a stop that is over: the robot was reset since, or it says itself that it stands still. */
export function settle() {
  const { phase, robots } = stopping.get();
  if (!live.get().connected || (phase !== "confirmed" && phase !== "unconfirmed")) return;
  const now = robots.map((id) => live.get().robots[id]);
  const still = now.every((robot) => robot && robot.link === "ok" && ["PSTOP", "ESTOP", "FAULT", "OFF"].includes(robot.safety));
  const moved = now.some((robot) => robot && robot.link === "ok" && ["READY", "RUN"].includes(robot.safety));
  if (phase === "unconfirmed" ? still : seenStill && moved) {
    stopping.set({ phase: "rest", robots: [], failed: [] });
  }
  seenStill = phase === "confirmed" && (seenStill || still);
}

let seenStill = false;
stopping.subscribe(() => {
  if (stopping.get().phase === "stopping") seenStill = false;
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
