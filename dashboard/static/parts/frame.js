// The frame around every signed-in page: rail or tabs, top bar, offline strip, robot bar.
import { post } from "/static/lib/api.js";
import { useNow } from "/static/lib/clock.js";
import { clock, duration } from "/static/lib/format.js";
import { lang, setLanguage, t } from "/static/lib/i18n.js";
import { on, useLive } from "/static/lib/live.js";
import { session, useStore } from "/static/lib/store.js";
import { toggleTheme } from "/static/lib/theme.js";
import { html, useEffect, useState } from "/static/lib/ui.js";
import { faultName, siteName } from "/static/lib/words.js";
import { Icon } from "/static/parts/icon.js";
import { RobotBar } from "/static/parts/robotbar.js";
import { BottomSheet } from "/static/parts/sheet.js";

/** name of the page → symbol; the first five are the tabs of a phone. */
const TABS = [
  ["morning", "i-today"],
  ["map", "i-map"],
  ["robot", "i-robot"],
  ["climate", "i-climate"],
  ["alarms", "i-alarm"],
];
const MORE = [["plan", "i-plan"]];
const STALE_S = 8;

/** @param {{current: string, children?: any}} props */
export function Frame({ current, children }) {
  return html`<a class="skip" href="#main" onClick=${skip}>${t("frame.skip")}</a>
    <div class="app">
      <${Nav} current=${current} />
      <${Top} />
      <main id="main" tabindex="-1"><${OfflineStrip} /><${Announcer} />${children}</main>
      <${RobotBar} />
    </div>`;
}

/** The address after "#" is the page's: the link to the content moves the focus only. @param {Event} event */
function skip(event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

/** @param {{current: string}} props */
function Nav({ current }) {
  const open = useLive((now) => now.alarms.active);
  const link = ([name, icon], /** @type {string} */ kind) => html`<a
    class=${kind} href=${`#/${name}`} aria-current=${name === current ? "page" : undefined}>
    <${Icon} name=${icon} /><span>${t(`nav.${name}`)}</span>
    ${name === "alarms" && open > 0 && html`<span class="count">${open}<span class="sr"> ${t("nav.open_alarms")}</span></span>`}
  </a>`;
  return html`<nav class="nav" aria-label=${t("nav.label")}>
    <a class="brand wide" href="#/morning"><${Icon} name="logo" />BerryBrain</a>
    ${TABS.map((tab) => link(/** @type {[string, string]} */ (tab), ""))}
    <div class="sep more"></div>
    ${MORE.map((tab) => link(/** @type {[string, string]} */ (tab), "more"))}
  </nav>`;
}

function Top() {
  const { me, site } = useStore(session, (value) => value);
  const [account, setAccount] = useState(false);
  return html`<header class="top">
    <a class="brand" href="#/morning"><${Icon} name="logo" /><span class="sr">BerryBrain</span></a>
    <span class="place">${siteName(site)}</span>
    <span class="spring"></span>
    <${LinkAge} />
    <${LanguageButton} /><span class="roomy"><${ThemeButton} /></span>
    <button class="icon-btn" type="button" aria-label=${t("account.open")} aria-expanded=${account} onClick=${() => setAccount(!account)}>
      <${Icon} name="i-user" /></button>
    ${account && html`<${Account} me=${me} onClose=${() => setAccount(false)} />`}
  </header>`;
}

/** How fresh what one sees is. */
function LinkAge() {
  useNow();
  const { connected, everConnected, heardAt, lostAt } = useLive((now) => now);
  const silent = heardAt === null ? 0 : (performance.now() - heardAt) / 1000;
  if (!everConnected) return html`<span class="age none">${t(lostAt === null ? "link.connecting" : "link.none")}</span>`;
  if (!connected || silent > STALE_S) return html`<span class="age stale">${t("link.lost", { time: duration(silent) })}</span>`;
  return html`<span class="age">${t("link.live", { n: Math.floor(silent) })}</span>`;
}

/** The other language, written in it. */
export function LanguageButton() {
  const other = lang() === "zh" ? "en" : "zh";
  return html`<button class="icon-btn" type="button" lang=${other} onClick=${() => setLanguage(other)}>
    ${other === "en" ? html`EN<span class="sr"> English</span>` : html`中<span class="sr">文</span>`}</button>`;
}

export function ThemeButton() {
  return html`<button class="icon-btn" type="button" aria-label=${t("frame.theme")} onClick=${toggleTheme}><${Icon} name="i-theme" /></button>`;
}

/** @param {{me: any, onClose: () => void}} props */
function Account({ me, onClose }) {
  const [error, setError] = useState("");
  const leave = async () => {
    try {
      await post("/logout");
      session.set({ me: null });
    } catch (problem) {
      setError(/** @type {any} */ (problem).text);
    }
  };
  return html`<${BottomSheet} title=${t("account.title")} onClose=${onClose}>
    <p>${t("account.who", { name: me.name, role: t(`role.${me.role}`) })}</p>
    <p class="note-p">${t(`role.${me.role}.may`)}</p>
    <div class="btns"><button class="btn narrow" type="button" onClick=${toggleTheme}><${Icon} name="i-theme" />${t("frame.theme")}</button>
      <button class="btn" type="button" onClick=${leave}><${Icon} name="i-out" />${t("account.leave")}</button></div>
    ${error && html`<p class="warn" role="alert">${error}</p>`}
  <//>`;
}

/** Says a critical alarm to those who do not see it come. */
function Announcer() {
  const [said, say] = useState("");
  useEffect(
    () =>
      on("alarm", (alarm) => {
        const fresh = alarm.severity === "critical" && !alarm.cleared_at && !alarm.acknowledged_at;
        if (fresh) say(`${t("severity.critical")}: ${faultName(alarm.fault)}`);
      }),
    [],
  );
  return html`<p class="sr" aria-live="assertive">${said}</p>`;
}

/** One strip while this page, or the dashboard, is out of touch: since when, and how to stop the robot all the same. */
function OfflineStrip() {
  const now = useNow();
  const { connected, lostAt, heardAt, broker, brokerLostAt } = useLive((value) => value);
  const since = (/** @type {number} */ mark) => (performance.now() - mark) / 1000;
  let text = "";
  if (!connected && lostAt !== null) {
    const seen = heardAt === null ? "" : t("offline.seen", { clock: clock(now - since(heardAt), true) });
    text = t("offline.page", { time: duration(since(heardAt ?? lostAt)), seen });
  } else if (connected && broker !== "ok") {
    text = t("offline.broker", { time: duration(since(brokerLostAt ?? performance.now())) });
  }
  return html`<p class="sr" role="status">${text && t("offline.said")}</p>
    ${text && html`<p class="notice"><${Icon} name="unknown" class="g" /><span>${text}</span></p>`}`;
}
