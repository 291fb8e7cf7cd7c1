// The one live socket of a page: what the farm looks like now, the age of everything, and at once that it is lost.
import { fetchMe } from "/static/lib/api.js";
import { hearTime } from "/static/lib/clock.js";
import { Store, useStore } from "/static/lib/store.js";
import { useEffect } from "/static/lib/ui.js";

const PING_MS = 2000;
const LOST_MS = 5000; // a line that is open but dead: no answer to two pings
const RETRY_MS = [250, 500, 1000, 2000, 4000, 8000, 15000];
const NOT_SIGNED_IN = 4401;

/**
 * @typedef {{zone: string, state: string, safety: string, fault: string, causes: string[], due: string[], needs_reset: boolean, task: string,
 *   bed: string, side: string, segment: number, order_id: string, picked: number|null, placed: number|null,
 *   attempted: number|null, queued: number, at: number|null, link: "ok"|"silent"|"lost"|"unknown", age: number|null,
 *   heard: number}} RobotNow `heard`: when the page was told, performance.now() [ms]
 * @typedef {{zone: string, device: string, metric: string, at: number|null, value: number|null, unit: string,
 *   quality: unknown, age: number|null, state: "live"|"stale"|"no_data"}} LastRow
 */

export const live = new Store({
  connected: false,
  everConnected: false,
  lostAt: /** @type {number|null} */ (null), // performance.now() [ms]
  heardAt: /** @type {number|null} */ (null), // changes without redrawing anything: views that show it count seconds
  broker: "ok",
  brokerLostAt: /** @type {number|null} */ (null),
  robots: /** @type {Record<string, RobotNow>} */ ({}),
  last: /** @type {Record<string, LastRow>} */ ({}),
  alarms: { active: 0, critical: 0 },
});

/** @type {WebSocket | null} */
let socket = null;
let wanted = false;
let tries = 0;
let retryTimer = 0;
let pingTimer = 0;
/** @type {Map<string, number>} how many views watch a topic */
const watched = new Map();
/** @type {Map<string, Set<(message: any) => void>>} */
const hearers = new Map();

/** Open the socket and keep it open; ends with `disconnect`. */
export function connect() {
  if (wanted) return;
  wanted = true;
  tries = 0;
  open();
}

/** Close the socket for good: nobody is signed in. */
export function disconnect() {
  wanted = false;
  clearTimeout(retryTimer);
  socket?.close();
  drop();
  live.set({ connected: false, everConnected: false, lostAt: null, robots: {}, last: {} });
}

function open() {
  clearTimeout(retryTimer);
  if (!wanted || socket) return;
  const mine = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live`);
  mine.binaryType = "arraybuffer";
  socket = mine;
  mine.onopen = () => {
    tries = 0;
    sendWatch();
    pingTimer = window.setInterval(() => beat(mine), PING_MS);
    live.set({ connected: true, everConnected: true, lostAt: null, heardAt: performance.now() });
  };
  mine.onmessage = (event) => mine === socket && hear(event.data);
  mine.onclose = (event) => {
    if (mine !== socket) return;
    drop();
    if (event.code === NOT_SIGNED_IN) {
      wanted = false;
      fetchMe().then((me) => me && connect(), retry);
      return;
    }
    retry();
  };
}

function drop() {
  clearInterval(pingTimer);
  const old = socket;
  socket = null;
  if (old) old.onopen = old.onmessage = old.onclose = null;
  if (live.get().connected || live.get().lostAt === null) live.set({ connected: false, lostAt: performance.now() });
}

function retry() {
  if (!wanted) return;
  const wait = RETRY_MS[Math.min(tries, RETRY_MS.length - 1)];
  tries += 1;
  retryTimer = window.setTimeout(open, wait * (0.75 + Math.random() / 2));
}

/** Try at once: the network is back, or somebody looks at the page again. */
function hurry() {
  if (!wanted || socket || document.hidden) return;
  tries = 0;
  open();
}

addEventListener("online", hurry);
document.addEventListener("visibilitychange", hurry);

/** @param {WebSocket} mine */
function beat(mine) {
  const silent = performance.now() - (live.get().heardAt ?? 0);
  if (silent > LOST_MS) {
    mine.close();
    drop();
    retry();
  } else if (mine.readyState === WebSocket.OPEN) {
    mine.send('{"ping":1}');
  }
}

function sendWatch() {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ watch: ["state", ...watched.keys()] }));
}

/** @param {string | ArrayBuffer} data */
function hear(data) {
  const heardAt = performance.now();
  if (typeof data !== "string") {
    hearFrame(data);
    live.get().heardAt = heardAt;
    return;
  }
  const message = JSON.parse(data);
  if (message.type === "pulse" || message.type === "pong") hearTime(message.at);
  if (message.type === "state") hearState(message, heardAt);
  else live.get().heardAt = heardAt;
  for (const call of hearers.get(message.type) ?? []) call(message);
}

/** @param {any} message @param {number} heardAt */
function hearState(message, heardAt) {
  hearTime(message.at);
  const known = live.get();
  const robots = message.full ? {} : { ...known.robots };
  for (const [id, robot] of Object.entries(message.robots ?? {})) robots[id] = { .../** @type {any} */ (robot), heard: heardAt };
  const last = message.full ? {} : { ...known.last };
  for (const row of message.last ?? []) last[`${row.device}|${row.metric}`] = row;
  const broker = message.broker ?? known.broker;
  const brokerLostAt = broker === "ok" ? null : (known.brokerLostAt ?? heardAt);
  live.set({ heardAt, robots, last, broker, brokerLostAt, alarms: message.alarms ?? known.alarms });
}

/** A picture: 1 (one byte), its time (float64, UTC epoch [s]), the robot's name (length and UTF-8), the JPEG. @param {ArrayBuffer} data */
function hearFrame(data) {
  const view = new DataView(data);
  if (view.byteLength < 10 || view.getUint8(0) !== 1) return;
  const end = 10 + view.getUint8(9);
  const robot = new TextDecoder().decode(new Uint8Array(data, 10, end - 10));
  const frame = { robot, at: view.getFloat64(1), jpeg: new Blob([new Uint8Array(data, end)], { type: "image/jpeg" }) };
  for (const call of hearers.get("frame") ?? []) call(frame);
}

/**
 * Ask for more than the state, such as "robot:berry-1" or "camera:berry-1"; returns how to end that.
 * @param {string[]} topics
 */
export function watch(topics) {
  const before = watched.size;
  for (const topic of topics) if (topic !== "state") watched.set(topic, (watched.get(topic) ?? 0) + 1);
  if (watched.size !== before) sendWatch();
  return () => {
    for (const topic of topics) {
      const left = (watched.get(topic) ?? 0) - 1;
      if (left > 0) watched.set(topic, left);
      else watched.delete(topic);
    }
    sendWatch();
  };
}

/** Watch while a view is shown. @param {string[]} topics */
export function useWatch(topics) {
  useEffect(() => watch(topics), [topics.join(" ")]);
}

/**
 * Hear messages of one type ("robot", "alarm", "ack", "state", or "frame" for pictures); returns how to end that.
 * @param {string} type @param {(message: any) => void} call
 */
export function on(type, call) {
  const calls = hearers.get(type) ?? new Set();
  hearers.set(type, calls.add(call));
  return () => calls.delete(call);
}

/** Return part of what is known live, redrawn when it changes. @template R @param {(now: ReturnType<typeof live.get>) => R} select */
export function useLive(select) {
  return useStore(live, select);
}
