// The arm as it stands now: three dimensions where the browser can, else a drawn side view; measured joints, glided between.
import { ApiError, get } from "/static/lib/api.js";
import { now, useNow } from "/static/lib/clock.js";
import { duration, num } from "/static/lib/format.js";
import { t } from "/static/lib/i18n.js";
import { useStore } from "/static/lib/store.js";
import { theme } from "/static/lib/theme.js";
import { html, useEffect, useRef, useState } from "/static/lib/ui.js";
import { axles, between, compose, linkPoses, place, shapesOf } from "/static/parts/chain.js";
import { useSeen } from "/static/parts/robotlive.js";
import { Blank, Sheet } from "/static/parts/sheet.js";

const GLIDE_MS = 220;
const OLD_S = 2;
const AGAIN_MS = 5000;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** @typedef {import("/static/lib/store.js").Store<import("/static/parts/robotlive.js").RobotShown>} Shown */

/** @param {{robot: string, store: Shown}} props */
export function Arm({ robot, store }) {
  const { model, error } = useModel(robot);
  const [flat, setFlat] = useState(false);
  useNow(1);
  const { at, joints } = store.get();
  const age = at === null ? null : now() - at;
  const { speed } = store.get();
  const note = age === null ? t("robot.arm_waiting") : age > OLD_S ? t("robot.arm_old", { time: duration(age) }) : speed === null ? t("robot.arm_live") : t("robot.arm_speed", { v: num(speed, 2) });
  const facts = [["rail_joint", 1, 2, "robot.arm_rail"], ["gripper_joint", 1000, 0, "robot.arm_gripper"]].filter(([name]) => joints[name] !== undefined);
  return html`<${Sheet} title=${t("robot.arm")} note=${note} class="armsheet" order=${6}>
    ${!model
      ? html`<${Blank} title=${t("robot.arm_no_model")} text=${error?.text ?? ""} drawing="bed" />`
      : flat
        ? html`<${SideView} model=${model} store=${store} />`
        : html`<${Solid} model=${model} store=${store} onFail=${() => setFlat(true)} />`}
    ${facts.length > 0 && html`<p class="note-p">${facts.map(([name, scale, digits, key]) => t(key, { n: num(joints[name] * scale, digits) })).join(" · ")}</p>`}
  <//>`;
}

/** @param {string} robot */
function useModel(robot) {
  const [state, setState] = useState({ model: /** @type {any} */ (null), error: /** @type {ApiError|null} */ (null) });
  useEffect(() => {
    let here = true;
    let timer = 0;
    const ask = async () => {
      try {
        const model = await get(`/robots/${encodeURIComponent(robot)}/model`);
        if (here) setState({ model, error: null });
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (here) setState((known) => ({ ...known, error }));
        if (here && error.code === "network") timer = window.setTimeout(ask, AGAIN_MS);
      }
    };
    ask();
    return () => {
      here = false;
      clearTimeout(timer);
    };
  }, [robot]);
  return state;
}

/** @param {{model: any, store: Shown, onFail: () => void}} props */
function Solid({ model, store, onFail }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const arm = useRef(/** @type {any} */ (null));
  const seen = useSeen(canvas);
  const colours = useStore(theme, (value) => value.name);
  const [ready, setReady] = useState(false);
  useEffect(() => {
    let here = true;
    const begin = async () => {
      const { Arm3d, hasWebGL } = await import("/static/parts/arm3d.js");
      if (!here || !canvas.current) return;
      if (!hasWebGL()) return onFail();
      arm.current = new Arm3d(canvas.current, model);
      arm.current.target(store.get().berry);
      arm.current.pose(store.get().joints);
      setReady(true);
    };
    const later = setTimeout(() => begin().catch(() => here && onFail()), 60); // after the page itself is there
    return () => {
      here = false;
      clearTimeout(later);
      arm.current?.dispose();
      arm.current = null;
    };
  }, [model]);
  useEffect(() => {
    arm.current?.recolour();
    arm.current?.draw();
  }, [colours, ready]);
  useEffect(() => (ready && seen ? glide(store, (joints) => {
    arm.current?.target(store.get().berry);
    arm.current?.pose(joints);
  }) : undefined), [ready, seen]);
  useEffect(() => {
    const fit = () => arm.current?.draw();
    addEventListener("resize", fit);
    return () => removeEventListener("resize", fit);
  }, []);
  return html`<canvas class="arm" ref=${canvas} tabindex="0" role="img" aria-label=${t("robot.arm_label")} data-ready=${ready || undefined} ...${useOrbit(arm)}></canvas>`;
}

/** Turn with a finger, the mouse or the arrow keys; a double click goes back. @param {{current: any}} arm */
function useOrbit(arm) {
  const held = useRef(/** @type {[number, number] | null} */ (null));
  const keys = /** @type {Record<string, [number, number]>} */ ({ ArrowLeft: [-0.15, 0], ArrowRight: [0.15, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] });
  return {
    onPointerDown: (/** @type {PointerEvent} */ event) => {
      held.current = [event.clientX, event.clientY];
      /** @type {Element} */ (event.target).setPointerCapture(event.pointerId);
    },
    onPointerMove: (/** @type {PointerEvent} */ event) => {
      if (!held.current) return;
      arm.current?.orbit((held.current[0] - event.clientX) * 0.008, (event.clientY - held.current[1]) * 0.006);
      held.current = [event.clientX, event.clientY];
    },
    onPointerUp: () => (held.current = null),
    onPointerCancel: () => (held.current = null),
    onDblClick: () => arm.current?.home(),
    onKeyDown: (/** @type {KeyboardEvent} */ event) => {
      const step = keys[event.key];
      if (!step || event.shiftKey) return;
      event.preventDefault();
      arm.current?.orbit(...step);
    },
  };
}

/** Move between the poses that arrive; ends with the returned call. @param {Shown} store @param {(joints: Record<string, number>) => void} show */
function glide(store, show) {
  let shown = store.get().joints;
  let frame = 0;
  let heard = store.get().at;
  const end = store.subscribe(() => {
    const { joints, at } = store.get();
    if (at === heard) return;
    heard = at;
    cancelAnimationFrame(frame);
    const from = shown;
    if (calm.matches || !Object.entries(joints).some(([name, value]) => Math.abs(value - (from[name] ?? Infinity)) > 1e-4)) {
      if (joints !== shown && calm.matches) show(joints);
      shown = joints;
      return;
    }
    const began = performance.now();
    const step = () => {
      const share = Math.min(1, (performance.now() - began) / GLIDE_MS);
      shown = between(from, joints, share);
      show(shown);
      if (share < 1) frame = requestAnimationFrame(step);
    };
    step();
  });
  return () => {
    end();
    cancelAnimationFrame(frame);
  };
}

/** Seen along the rail: the aisle left, the plants right. Lengths in cm. @param {{model: any, store: Shown}} props */
function SideView({ model, store }) {
  const joints = useStore(store, (value) => value.joints);
  const poses = linkPoses(model, joints);
  const flat = (/** @type {number[]} */ [, y, z]) => `${(y * 100).toFixed(1)} ${(-z * 100).toFixed(1)}`;
  return html`<svg class="chart arm" viewBox="-60 -150 150 105" role="img" aria-label=${t("robot.arm_label")}>
    ${[-140, -110, -80, -50].map((z) => html`<line class="grid-l" x1="-60" x2="90" y1=${z} y2=${z} />`)}
    ${shapesOf(model).map(({ link, local, shape }) => {
      const pose = compose(poses.get(link) ?? local, local);
      const half = (shape.length ?? Math.max(...(shape.size ?? [0]))) / 2;
      const wide = shape.radius ? shape.radius * 200 : Math.min(...(shape.size ?? [0.02])) * 100;
      return html`<path class="rod" d=${`M${flat(place(pose, [0, 0, -half]))}L${flat(place(pose, [0, 0, half]))}`} stroke-width=${wide} />`;
    })}
    ${axles(model).map(({ link, from, to, radius }) => {
      const pose = poses.get(link) ?? [];
      return html`<path class="rod knot" d=${`M${flat(place(pose, from))}L${flat(place(pose, to))}`} stroke-width=${radius * 200} />`;
    })}
    <text class="axis" x="-58" y="-52">${t("robot.arm_aisle")}</text><text class="axis" x="88" y="-52" text-anchor="end">${t("robot.arm_plants")}</text>
  </svg>`;
}
