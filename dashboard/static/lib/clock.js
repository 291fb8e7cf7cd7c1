// The farm's time on a device whose own clock may be a day off: told by the server, counted on by a clock nobody can set.
import { useEffect, useState } from "/static/lib/ui.js";

let known = { at: Date.now() / 1000, heard: performance.now(), sure: false };

/** Take the server's word for the time. @param {number} at UTC epoch [s] */
export function hearTime(at) {
  if (Number.isFinite(at)) known = { at, heard: performance.now(), sure: true };
}

/** Return the farm's time, UTC epoch [s]; before the server has said anything the device's own. */
export function now() {
  return known.at + (performance.now() - known.heard) / 1000;
}

/** Redraw a view every `seconds` while the page is seen; returns the farm's time. @param {number} [seconds] */
export function useNow(seconds = 1) {
  const [, tick] = useState(0);
  useEffect(() => {
    const redraw = () => document.hidden || tick((n) => n + 1);
    const timer = setInterval(redraw, seconds * 1000);
    document.addEventListener("visibilitychange", redraw);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", redraw);
    };
  }, [seconds]);
  return now();
}
