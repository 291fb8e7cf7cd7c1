// Where each link of an arm is, from the chain its robot description tells and the measured joints.

/**
 * @typedef {{xyz: number[], rpy: number[]}} Origin m, rad
 * @typedef {{name: string, type: string, parent: string, child: string, origin: Origin, axis: number[], lower: number|null, upper: number|null,
 *   mimic: {joint: string, multiplier: number, offset: number}|null}} Joint
 * @typedef {{type: "capsule"|"cylinder"|"sphere"|"box", origin: Origin, radius?: number, length?: number, size?: number[]}} Shape
 *   capsule and cylinder lie along z; the length of a capsule is that between its balls' centres
 * @typedef {{name: string, root: string, joints: Joint[], links: {name: string, shapes: Shape[]}[]}} Model as GET /robots/{id}/model tells it
 * @typedef {number[]} Pose rotation by rows, then position: r00 r01 r02 r10 … r22 x y z
 */

const STILL = [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0];

/** `a` then, in its frame, `b`. @param {Pose} a @param {Pose} b @returns {Pose} */
export function compose(a, b) {
  const out = new Array(12);
  for (let row = 0; row < 3; row++) {
    for (let column = 0; column < 3; column++) {
      out[3 * row + column] = a[3 * row] * b[column] + a[3 * row + 1] * b[3 + column] + a[3 * row + 2] * b[6 + column];
    }
  }
  const [x, y, z] = place(a, b.slice(9));
  out.splice(9, 3, x, y, z);
  return out;
}

/** A point of the frame `pose`, seen from outside. @param {Pose} pose @param {number[]} point @returns {[number, number, number]} */
export function place(pose, [x, y, z]) {
  const at = (/** @type {number} */ row) => pose[3 * row] * x + pose[3 * row + 1] * y + pose[3 * row + 2] * z + pose[9 + row];
  return [at(0), at(1), at(2)];
}

/** URDF's fixed axes: roll about x, then pitch about y, then yaw about z [rad]. @param {number[]} xyz @param {number[]} rpy @returns {Pose} */
export function fromOrigin(xyz, [r, p, y]) {
  const [cr, sr, cp, sp, cy, sy] = [Math.cos(r), Math.sin(r), Math.cos(p), Math.sin(p), Math.cos(y), Math.sin(y)];
  return [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr, sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr, -sp, cp * sr, cp * cr, ...xyz];
}

/** @param {Joint} joint @param {number} value rad or m @returns {Pose} */
function motion({ type, axis }, value) {
  if (type === "prismatic") return [1, 0, 0, 0, 1, 0, 0, 0, 1, ...axis.map((part) => part * value)];
  if (type !== "revolute" && type !== "continuous") return STILL;
  const [x, y, z] = axis;
  const [c, s] = [Math.cos(value), Math.sin(value)];
  const d = 1 - c;
  return [c + x * x * d, x * y * d - z * s, x * z * d + y * s, y * x * d + z * s, c + y * y * d, y * z * d - x * s, z * x * d - y * s, z * y * d + x * s, c + z * z * d, 0, 0, 0];
}

/**
 * Return the pose of each link in the world.
 * @param {Model} model parents before children
 * @param {Record<string, number>} values joint → rad or m; what is missing counts as 0 @returns {Map<string, Pose>}
 */
export function linkPoses(model, values) {
  /** @type {Map<string, Pose>} */
  const poses = new Map([[model.root, STILL]]);
  for (const joint of model.joints) {
    const { mimic, origin } = joint;
    const value = mimic ? (values[mimic.joint] ?? 0) * mimic.multiplier + mimic.offset : (values[joint.name] ?? 0);
    const base = poses.get(joint.parent) ?? STILL;
    poses.set(joint.child, compose(compose(base, fromOrigin(origin.xyz, origin.rpy)), motion(joint, value)));
  }
  return poses;
}

/** All shapes of a model with their pose in their link. @param {Model} model @returns {{link: string, shape: Shape, local: Pose}[]} */
export function shapesOf(model) {
  return model.links.flatMap((link) => link.shapes.map((shape) => ({ link: link.name, shape, local: fromOrigin(shape.origin.xyz, shape.origin.rpy) })));
}

/**
 * What a joint turns on, for the eye: along its axis between the bodies that meet there. In the frame of the link it moves [m].
 * @param {Model} model @returns {{link: string, from: number[], to: number[], radius: number}[]}
 */
export function axles(model) {
  const shapes = shapesOf(model).filter(({ shape }) => shape.type === "capsule" || shape.type === "cylinder");
  const turning = model.joints.filter((joint) => joint.type === "revolute" || joint.type === "continuous");
  return turning.map((joint) => {
    const parent = inverse(fromOrigin(joint.origin.xyz, joint.origin.rpy));
    const ends = shapes.flatMap(({ link, shape, local }) => {
      const here = link === joint.child ? local : link === joint.parent ? compose(parent, local) : null;
      if (!here) return [];
      const half = (shape.length ?? 0) / 2;
      return [place(here, [0, 0, -half]), place(here, [0, 0, half])].map((point) => ({ point, radius: shape.radius ?? 0 }));
    });
    const along = ({ point }) => point[0] * joint.axis[0] + point[1] * joint.axis[1] + point[2] * joint.axis[2];
    const near = ends.filter((end) => Math.hypot(...end.point.map((v, i) => v - along(end) * joint.axis[i])) < NEAR_M);
    const [low, high] = near.length ? [Math.min(...near.map(along)), Math.max(...near.map(along))] : [0, 0];
    const radius = near.length ? Math.min(...near.map((end) => end.radius)) * 0.85 : 0.04;
    return { link: joint.child, from: joint.axis.map((v) => v * low), to: joint.axis.map((v) => v * high), radius };
  });
}

const NEAR_M = 0.03;

/** @param {Pose} pose @returns {Pose} */
function inverse([a, b, c, d, e, f, g, h, i, x, y, z]) {
  return [a, d, g, b, e, h, c, f, i, -(a * x + d * y + g * z), -(b * x + e * y + h * z), -(c * x + f * y + i * z)];
}

/** Between two sets of joints. @param {Record<string, number>} a @param {Record<string, number>} b @param {number} share 0 … 1 */
export function between(a, b, share) {
  return Object.fromEntries(Object.entries(b).map(([name, value]) => [name, (a[name] ?? value) + (value - (a[name] ?? value)) * share]));
}
