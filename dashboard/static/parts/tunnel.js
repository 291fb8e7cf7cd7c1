// The drawing of the log-in page: a tunnel of beds at dawn, berries on them. Drawn once, coordinates as designed.
import { html } from "/static/lib/ui.js";

/** Hoops from far to near: path, width, opacity. @type {[string, number, number][]} */
const HOOPS = [
  ["M294.3 582.9V555.3A65.7 65.7 0 0 1 425.7 555.3V582.9", 0.8, 0.34],
  ["M270.0 591.4V553.6A90.0 90.0 0 0 1 450.0 553.6V591.4", 0.8, 0.37],
  ["M236.7 603.0V551.2A123.3 123.3 0 0 1 483.3 551.2V603.0", 0.9, 0.42],
  ["M191.1 618.9V548.0A168.9 168.9 0 0 1 528.9 548.0V618.9", 1.3, 0.48],
  ["M128.6 640.7V543.5A231.4 231.4 0 0 1 591.4 543.5V640.7", 1.7, 0.56],
  ["M42.9 670.6V537.4A317.1 317.1 0 0 1 677.1 537.4V670.6", 2.4, 0.67],
  ["M-74.4 711.5V529.1A434.4 434.4 0 0 1 794.4 529.1V711.5", 3.3, 0.83],
  ["M-235.1 767.6V517.7A595.1 595.1 0 0 1 955.1 517.7V767.6", 4.5, 0.85],
  ["M-455.3 844.4V502.0A815.3 815.3 0 0 1 1175.3 502.0V844.4", 6.1, 0.85],
  ["M-756.9 949.6V480.5A1116.9 1116.9 0 0 1 1476.9 480.5V949.6", 8.4, 0.85],
  ["M-1170.2 1093.8V451.1A1530.2 1530.2 0 0 1 1890.2 451.1V1093.8", 11.5, 0.85],
];
/** Beds: path, opacity. @type {[string, number][]} */
const BEDS = [
  ["M338.8 572 L341.2 572 L-328.0 900 L-452.0 900Z", 0.2],
  ["M346.8 572 L349.2 572 L-28.0 900 L-152.0 900Z", 0.2],
  ["M354.8 572 L357.2 572 L272.0 900 L148.0 900Z", 0.28],
  ["M362.8 572 L365.2 572 L572.0 900 L448.0 900Z", 0.28],
  ["M370.8 572 L373.2 572 L872.0 900 L748.0 900Z", 0.2],
  ["M378.8 572 L381.2 572 L1172.0 900 L1048.0 900Z", 0.2],
];
/** Berries as "stage x y size". */
const BERRIES = `
turning 311.7 582.3 3.2; ripe 274.6 597.5 4.3; ripe 237.1 616.4 5.6; white 177.7 638.3 7.1; ripe 133.9 663.0 8.8;
green 54.1 690.1 10.7; white -0.1 719.5 12.7; white -99.5 750.9 14.9; white -132.3 784.3 17.2;
ripe -267.3 819.5 19.7; ripe -366.2 856.5 22.2; green 330.5 582.3 3.2; white 305.6 597.5 4.3; ripe 286.1 616.4 5.6;
ripe 259.3 638.3 7.1; white 220.8 663.0 8.8; turning 191.3 690.1 10.7; white 153.9 719.5 12.7; ripe 80.2 750.9 14.9;
ripe 25.8 784.3 17.2; ripe 21.9 819.5 19.7; white -25.0 856.5 22.2; ripe 347.9 582.3 3.2; ripe 341.0 597.5 4.3;
ripe 338.4 616.4 5.6; green 313.9 638.3 7.1; ripe 301.0 663.0 8.8; ripe 289.8 690.1 10.7; ripe 265.3 719.5 12.7;
green 265.6 750.9 14.9; ripe 248.9 784.3 17.2; white 225.9 819.5 19.7; ripe 187.8 856.5 22.2; ripe 368.4 582.3 3.2;
green 371.6 597.5 4.3; ripe 385.1 616.4 5.6; green 382.8 638.3 7.1; ripe 407.0 663.0 8.8; green 422.1 690.1 10.7;
ripe 447.6 719.5 12.7; white 458.8 750.9 14.9; ripe 481.7 784.3 17.2; green 444.3 819.5 19.7;
turning 446.6 856.5 22.2; green 387.5 582.3 3.2; ripe 407.4 597.5 4.3; ripe 437.0 616.4 5.6; green 468.9 638.3 7.1;
ripe 491.4 663.0 8.8; green 528.2 690.1 10.7; white 581.7 719.5 12.7; turning 629.1 750.9 14.9;
ripe 627.4 784.3 17.2; white 685.1 819.5 19.7; ripe 736.5 856.5 22.2; turning 404.3 582.3 3.2; ripe 436.3 597.5 4.3;
green 475.9 616.4 5.6; white 538.0 638.3 7.1; ripe 583.9 663.0 8.8; ripe 651.8 690.1 10.7; ripe 712.8 719.5 12.7;
white 766.2 750.9 14.9; green 863.7 784.3 17.2; turning 933.5 819.5 19.7; turning 999.5 856.5 22.2;
`;

export function Tunnel() {
  const berries = BERRIES.trim().split(/\s*[;\n]\s*/).filter(Boolean).map((line) => line.split(" "));
  return html`<svg class="arches" viewBox="0 0 720 900" preserveAspectRatio="xMidYMax slice" aria-hidden="true">
    <defs><radialGradient id="sun" cx="360" cy="560" r="330" gradientUnits="userSpaceOnUse">
      <stop offset="0" stop-color="var(--sun)" /><stop offset="1" stop-color="var(--sun)" stop-opacity="0" /></radialGradient></defs>
    <rect width="720" height="900" fill="var(--dawn)" /><rect width="720" height="900" fill="url(#sun)" />
    ${HOOPS.map(([d, width, opacity]) => html`<path d=${d} fill="none" stroke="var(--leaf)" stroke-width=${width} opacity=${opacity} />`)}
    ${BEDS.map(([d, opacity]) => html`<path d=${d} fill="var(--leaf)" opacity=${opacity} />`)}
    ${berries.map(([stage, x, y, size]) => html`<use href=${`/static/icons.svg#g-${stage}`} x=${x} y=${y} width=${size} height=${size} />`)}
  </svg>`;
}
