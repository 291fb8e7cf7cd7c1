// Values that views follow: a store holds one object, a hook redraws a view when its part of it changes.
import { useEffect, useRef, useState } from "/static/lib/ui.js";

/** @template {object} T */
export class Store {
  /** @param {T} value */
  constructor(value) {
    this.value = value;
    /** @type {Set<() => void>} */
    this.listeners = new Set();
  }

  /** @returns {T} */
  get() {
    return this.value;
  }

  /** Replace the named fields. @param {Partial<T>} patch */
  set(patch) {
    this.value = { ...this.value, ...patch };
    for (const listener of [...this.listeners]) listener();
  }

  /** Call `listener` after each change; returns how to end that. @param {() => void} listener */
  subscribe(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/**
 * Return `select` of the store's value and redraw when it is no longer the same.
 * @template {object} T @template R @param {Store<T>} store @param {(value: T) => R} select @returns {R}
 */
export function useStore(store, select) {
  const [, redraw] = useState(0);
  const shown = useRef({ select, chosen: /** @type {R | undefined} */ (undefined) });
  shown.current = { select, chosen: select(store.get()) };
  useEffect(() => {
    const look = () => {
      if (!Object.is(shown.current.select(store.get()), shown.current.chosen)) redraw((n) => n + 1);
    };
    look(); // it may have changed since it was drawn
    return store.subscribe(look);
  }, [store]);
  return /** @type {R} */ (shown.current.chosen);
}

/** Who is signed in (`me` of the API, null when nobody, undefined while unknown), and the farm file as the API tells it. */
export const session = new Store({ me: /** @type {any} */ (undefined), site: /** @type {any} */ (null), farm: /** @type {any} */ (null) });

/** May the person who is signed in do what `role` may? @param {"viewer"|"grower"|"admin"} role */
export function may(role) {
  const order = ["viewer", "grower", "admin"];
  return order.indexOf(session.get().me?.role) >= order.indexOf(role);
}
