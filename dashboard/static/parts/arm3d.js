// The arm in three dimensions, drawn only when it moves: capsules of its robot description at the measured joints.
import {
  BoxGeometry,
  BufferGeometry,
  CapsuleGeometry,
  CylinderGeometry,
  DirectionalLight,
  Float32BufferAttribute,
  HemisphereLight,
  LineBasicMaterial,
  LineSegments,
  Mesh,
  MeshLambertMaterial,
  PerspectiveCamera,
  Scene,
  SphereGeometry,
  Vector3,
  WebGLRenderer,
} from "/static/vendor/three-0.187.0.min.js";
import { token } from "/static/lib/theme.js";
import { axles, compose, linkPoses, place, shapesOf } from "/static/parts/chain.js";

const REACH = 1.5; // [m] from what is looked at to the eye
const START = { turn: -0.85, rise: 0.42 };
const FLOOR = { span: 1.2, step: 0.3 };

/** Can this browser draw it? */
export function hasWebGL() {
  return document.createElement("canvas").getContext("webgl2") !== null;
}

/** One drawing of a robot on a canvas. */
export class Arm3d {
  /** @param {HTMLCanvasElement} canvas @param {import("/static/parts/chain.js").Model} model */
  constructor(canvas, model) {
    this.canvas = canvas;
    this.model = model;
    this.view = { ...START };
    this.renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true, powerPreference: "low-power" });
    this.scene = new Scene();
    this.camera = new PerspectiveCamera(32, 1, 0.05, 20);
    this.camera.up.set(0, 0, 1);
    this.middle = new Vector3(0, 0.15, 1);
    this.materials = {
      link: new MeshLambertMaterial(),
      joint: new MeshLambertMaterial(),
      box: new MeshLambertMaterial(),
      berry: new MeshLambertMaterial(),
      rail: new MeshLambertMaterial(),
      floor: new LineBasicMaterial(),
    };
    const sun = new DirectionalLight(0xffffff, 1.6);
    sun.position.set(-1.5, -2.5, 4);
    this.scene.add(new HemisphereLight(0xffffff, 0x8a9488, 1.9), sun);
    this.shapes = shapesOf(model).map((row) => ({ ...row, mesh: this.add(solid(row.shape), row.shape.type === "box" ? this.materials.box : this.materials.link) }));
    this.axles = axles(model).map((row) => ({ ...row, mesh: this.add(rodOf(row), this.materials.joint) }));
    this.berry = this.add(new SphereGeometry(1, 20, 14), this.materials.berry);
    this.berry.visible = false;
    this.joints = {};
    this.addRail();
    this.recolour();
  }

  /** @param {any} geometry @param {any} material */
  add(geometry, material) {
    const mesh = new Mesh(geometry, material);
    this.scene.add(mesh);
    return mesh;
  }

  /** The rail as far as it reaches, and a grid of 0.3 m squares that goes along with what is looked at. */
  addRail() {
    const rail = this.model.joints.find((joint) => joint.type === "prismatic" && Math.abs(joint.axis[0]) === 1 && !joint.mimic);
    this.railName = rail?.name;
    this.height = rail?.origin.xyz[2] ?? 0;
    const [low, high] = [(rail?.lower ?? -1) - 0.1, (rail?.upper ?? 1) + 0.1];
    for (const side of rail ? [-0.09, 0.09] : []) {
      const pole = this.add(new CylinderGeometry(0.014, 0.014, high - low, 10), this.materials.rail);
      pole.rotation.z = Math.PI / 2;
      pole.position.set((low + high) / 2, side, this.height - 0.02);
    }
    const { span, step } = FLOOR;
    const points = [];
    for (let at = -span; at <= span + 1e-9; at += step) points.push(-span, at, 0, span, at, 0, at, -span, 0, at, span, 0);
    const grid = new BufferGeometry().setAttribute("position", new Float32BufferAttribute(points, 3));
    this.floor = new LineSegments(grid, this.materials.floor);
    this.scene.add(this.floor);
  }

  /** Take the theme's colours. */
  recolour() {
    const { link, joint, box, rail, floor } = this.materials;
    link.color.set(token("--arm"));
    joint.color.set(token("--leaf"));
    box.color.set(token("--ink-3"));
    rail.color.set(token("--edge"));
    floor.color.set(token("--line"));
  }

  /** Put the arm where its joints say. @param {Record<string, number>} joints rad or m */
  pose(joints) {
    this.joints = joints;
    const poses = linkPoses(this.model, joints);
    for (const { link, local, mesh } of this.shapes) {
      const base = poses.get(link);
      if (base) put(mesh, compose(base, local));
    }
    for (const { link, from, to, mesh } of this.axles) {
      const base = poses.get(link);
      if (base) lay(mesh, new Vector3(...place(base, from)), new Vector3(...place(base, to)));
    }
    const along = this.railName ? (joints[this.railName] ?? 0) : 0;
    this.middle.set(along, 0.2, this.height + 0.2);
    this.floor.position.set(Math.round(along / FLOOR.step) * FLOOR.step, 0.2, this.height - 0.25);
    this.draw();
  }

  /** Show the berry it is at. @param {{position: number[], diameter: number, stage: string} | null} berry lengths in m */
  target(berry) {
    this.berry.visible = berry !== null;
    if (berry) {
      const [x, y, z] = berry.position;
      this.berry.position.set(x, y, z);
      this.berry.scale.setScalar(Math.max(0.012, berry.diameter / 2));
      this.materials.berry.color.set(token(`--ripe-${berry.stage === "overripe" ? "over" : berry.stage}`) || token("--ripe-ripe"));
    }
  }

  /** @param {number} turn @param {number} rise rad */
  orbit(turn, rise) {
    this.view.turn += turn;
    this.view.rise = Math.min(1.4, Math.max(-0.1, this.view.rise + rise));
    this.draw();
  }

  home() {
    this.view = { ...START };
    this.draw();
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    this.renderer.setPixelRatio(Math.min(2, devicePixelRatio || 1));
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    const { turn, rise } = this.view;
    const eye = new Vector3(Math.sin(turn) * Math.cos(rise), -Math.cos(turn) * Math.cos(rise), Math.sin(rise));
    this.camera.position.copy(this.middle).addScaledVector(eye, REACH);
    this.camera.lookAt(this.middle);
    this.renderer.render(this.scene, this.camera);
  }

  dispose() {
    this.scene.traverse((/** @type {any} */ thing) => thing.geometry?.dispose());
    for (const material of Object.values(this.materials)) material.dispose();
    this.renderer.dispose();
  }
}

/** @param {import("/static/parts/chain.js").Shape} shape */
function solid({ type, radius = 0.02, length = 0, size = [0.02, 0.02, 0.02] }) {
  if (type === "box") return new BoxGeometry(size[0], size[1], size[2]);
  if (type === "sphere" || length < 1e-4) return new SphereGeometry(radius, 18, 12);
  const rod = type === "capsule" ? new CapsuleGeometry(radius, length, 6, 18) : new CylinderGeometry(radius, radius, length, 20);
  return rod.rotateX(Math.PI / 2); // made along y, described along z
}

/** @param {{from: number[], to: number[], radius: number}} axle */
function rodOf({ from, to, radius }) {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1], to[2] - from[2]);
  return length < 1e-4 ? new SphereGeometry(radius, 18, 12) : new CapsuleGeometry(radius, length, 6, 18);
}

const UP = new Vector3(0, 1, 0);

/** Lay a rod, which is made along y, from one point to the other. @param {any} mesh @param {any} from @param {any} to */
function lay(mesh, from, to) {
  mesh.position.copy(from).add(to).multiplyScalar(0.5);
  const along = to.sub(from);
  if (along.lengthSq() > 1e-8) mesh.quaternion.setFromUnitVectors(UP, along.normalize());
}

/** @param {any} mesh @param {import("/static/parts/chain.js").Pose} pose */
function put(mesh, [a, b, c, d, e, f, g, h, i, x, y, z]) {
  mesh.matrixAutoUpdate = false;
  mesh.matrix.set(a, b, c, x, d, e, f, y, g, h, i, z, 0, 0, 0, 1);
  mesh.matrixWorldNeedsUpdate = true;
}
