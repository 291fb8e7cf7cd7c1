// What one robot shows while somebody looks: joints, task, berries. Watched only while the page is seen.
import { on, watch } from "/static/lib/live.js";
import { Store } from "/static/lib/store.js";
import { useEffect, useMemo, useState } from "/static/lib/ui.js";

/**
 * @typedef {{id: number, stage: string, ripeness: number, box: number[]}} Berry `box`: x, y, width, height [px]
 * @typedef {{id: number, position: number[], ripeness: number, stage: string, diameter: number}} InHand lengths in m, in the world
 * @typedef {{at: number|null, joints: Record<string, number>, task: string, taskAt: number, done: Record<string, number>, berries: Berry[]|null,
 *   seenAt: number|null, target: number|null, berry: InHand|null, tool: number[]|null, speed: number|null,
 *   counts: {picked: number|null, attempted: number|null}, ack: any}} RobotShown
 *   `counts`: since its start; `taskAt`: since when it does that; `done`: seconds each step of this berry took; `seenAt`: the picture the berries are in; `target`: which of
 *   them it is at; `berry`: the one it is at; `tool`: where [m]; `speed`: how fast that moves [m/s]
 */

/** Steps of one berry, in order, as the robot names its tasks. */
export const STEPS = ["travel", "look_again", "approach", "grasp", "cut", "retract", "place"];
/** @type {RobotShown} */
const NOTHING = { at: null, joints: {}, task: "", taskAt: 0, done: {}, berries: null, seenAt: null, target: null, berry: null, tool: null, speed: null, counts: { picked: null, attempted: null }, ack: null };
const BEGIN = ["choose", "survey", "count"];

/** Follow a robot while the view is shown and the page is not hidden. @param {string} id @returns {Store<RobotShown>} */
export function useRobotShown(id) {
  const store = useMemo(() => new Store({ ...NOTHING }), [id]);
  const seen = usePageSeen();
  useEffect(() => {
    if (!seen) return undefined;
    const unwatch = watch([`robot:${id}`]);
    const unhear = on("robot", (message) => message.id === id && store.set(next(store.get(), message)));
    const unack = on("ack", (ack) => ack.robot === id && store.set({ ack }));
    return () => {
      unwatch();
      unhear();
      unack();
    };
  }, [id, seen]);
  return store;
}

/** @param {RobotShown} known @param {any} message @returns {Partial<RobotShown>} */
function next(known, message) {
  const task = message.task ?? "";
  const tool = message.tool?.position ?? null;
  const passed = known.at === null ? 0 : message.at - known.at;
  const speed = tool && known.tool && passed > 0.02 && passed < 2 ? Math.hypot(...tool.map((/** @type {number} */ v, /** @type {number} */ i) => v - known.tool[i])) / passed : null;
  /** @type {Berry[] | null} */
  const berries = Array.isArray(message.berries) ? message.berries : null;
  const berry = message.berry ?? null;
  const boxed = berries?.find((row) => row.id === message.target);
  const target = boxed && (!berry || boxed.stage === berry.stage) ? boxed.id : null; // a box of another stage is another berry, before it
  const counts = { picked: message.picked ?? known.counts.picked, attempted: message.attempted ?? known.counts.attempted };
  const shown = { at: message.at, joints: message.joints ?? known.joints, berries, seenAt: message.frame?.at ?? null, target, berry, tool, speed, counts };
  if (task === known.task) return shown;
  const anew = BEGIN.includes(task) || STEPS.indexOf(task) <= STEPS.indexOf(known.task);
  const done = anew ? {} : { ...known.done };
  if (!anew && known.taskAt && STEPS.includes(known.task)) done[known.task] = message.at - known.taskAt;
  return { ...shown, task, taskAt: known.at === null ? 0 : message.at, done };
}

/** Is the page looked at? */
export function usePageSeen() {
  const [seen, setSeen] = useState(!document.hidden);
  useEffect(() => {
    const look = () => setSeen(!document.hidden);
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);
  return seen;
}

/** Is the page looked at, and the element within what one sees of it? @param {{current: Element | null}} element */
export function useSeen(element) {
  const page = usePageSeen();
  const [inside, setInside] = useState(true);
  useEffect(() => {
    if (!element.current) return undefined;
    const watcher = new IntersectionObserver((entries) => setInside(entries[entries.length - 1].isIntersecting));
    watcher.observe(element.current);
    return () => watcher.disconnect();
  }, []);
  return page && inside;
}
