// Fingers and wheel on a chart.

/** One finger drags through time (up and down scrolls the page), two pinch, Ctrl and wheel zooms. @param {any} plot @param {(from: number, to: number) => void} zoom */
export function hand(plot, zoom) {
  const over = /** @type {HTMLElement} */ (plot.over);
  /** @type {Map<number, number>} */
  const fingers = new Map();
  let began = { from: 0, to: 0, at: [0, 0] };
  const time = (/** @type {number} */ clientX) => plot.posToVal(clientX - over.getBoundingClientRect().left, "x");
  const begin = () => {
    began = { from: plot.scales.x.min, to: plot.scales.x.max, at: [...fingers.values()].map(time) };
  };
  over.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch") return;
    fingers.set(event.pointerId, event.clientX);
    begin();
  });
  over.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, event.clientX);
    const box = over.getBoundingClientRect();
    const share = [...fingers.values()].map((x) => (x - box.left) / box.width);
    let span = began.to - began.from;
    if (share.length > 1 && Math.abs(share[1] - share[0]) > 0.02) span = Math.abs((began.at[1] - began.at[0]) / (share[1] - share[0]));
    const from = began.at[0] - share[0] * span;
    zoom(from, from + span);
  });
  for (const name of ["pointerup", "pointercancel", "pointerleave"]) {
    over.addEventListener(name, (event) => {
      if (fingers.delete(/** @type {PointerEvent} */ (event).pointerId)) begin();
    });
  }
  over.addEventListener(
    "wheel",
    (event) => {
      const { min, max } = plot.scales.x;
      if (event.ctrlKey) {
        const centre = time(event.clientX);
        const factor = Math.exp(event.deltaY / 300);
        event.preventDefault();
        zoom(centre - (centre - min) * factor, centre + (max - centre) * factor);
      } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        const shift = ((max - min) * event.deltaX) / over.clientWidth;
        event.preventDefault();
        zoom(min + shift, max + shift);
      }
    },
    { passive: false },
  );
}
