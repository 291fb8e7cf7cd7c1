// The app: who is signed in decides between log-in and pages; the address decides which page.
import { fetchFarm, fetchMe } from "/static/lib/api.js";
import { language, loadWords, setLanguage, t } from "/static/lib/i18n.js";
import { connect, disconnect, useWatch } from "/static/lib/live.js";
import { loadPage, route } from "/static/lib/router.js";
import { session, useStore } from "/static/lib/store.js";
import { Component, html, render, useEffect, useState } from "/static/lib/ui.js";
import { Frame } from "/static/parts/frame.js";
import { Failure } from "/static/parts/sheet.js";

/** Pages of the frame by the first part of the address. */
const PAGES = ["morning", "map", "robot", "climate", "alarms", "plan"];
/** A buyer's page has an address of its own and needs nobody signed in. */
const lot = /^\/t\/([^/]+)$/.exec(location.pathname)?.[1];

/** @typedef {import("/static/lib/router.js").Page} Page */

function App() {
  useStore(language, (value) => value.lang); // everything is said anew
  const me = useStore(session, (value) => value.me);
  const where = useStore(route, (value) => value);
  if (lot !== undefined) return html`<${Loaded} name="trace" route=${{ name: "trace", rest: [lot], query: where.query }} />`;
  if (me === undefined) return html`<${Starting} />`;
  if (me === null) return html`<${Loaded} name="login" route=${where} />`;
  const name = PAGES.includes(where.name) ? where.name : "morning";
  return html`<${Signed} name=${name} route=${where} />`;
}

/** @param {{name: string, route: any}} props */
function Signed({ name, route: where }) {
  const farm = useStore(session, (value) => value.farm);
  useEffect(() => {
    connect();
    const learn = () => fetchFarm().catch(() => (timer = window.setTimeout(learn, 2000)));
    let timer = 0;
    learn();
    return () => {
      clearTimeout(timer);
      disconnect();
    };
  }, []);
  return html`<${Frame} current=${name}>${farm ? html`<${Loaded} name=${name} route=${where} key=${name} />` : html`<${Waiting} />`}<//>`;
}

/** A page, once it is fetched. @param {{name: string, route: any}} props */
function Loaded({ name, route: where }) {
  const [state, setState] = useState({ name: "", page: /** @type {Page | null} */ (null), error: /** @type {any} */ (null) });
  const [round, setRound] = useState(0);
  useEffect(() => {
    let here = true;
    loadPage(name).then(
      (page) => here && setState({ name, page, error: null }),
      (error) => here && setState({ name, page: null, error }),
    );
    return () => {
      here = false;
    };
  }, [name, round]);
  if (state.name !== name) return html`<${Waiting} />`;
  if (!state.page) {
    const error = { text: t("error.page"), code: String(state.error?.message ?? "").slice(0, 120) };
    return html`<${Failure} error=${error} again=${() => setRound((n) => n + 1)} />`;
  }
  return html`<${Guarded}><${Shown} page=${state.page} route=${where} /><//>`;
}

/** @param {{page: Page, route: any}} props */
function Shown({ page, route: where }) {
  useWatch(page.watch ?? []);
  useEffect(() => {
    document.title = `${t(page.title)} · BerryBrain`;
  });
  useEffect(() => scrollTo(0, 0), [page]);
  return html`<${page.view} route=${where} />`;
}

/** A page that fails leaves the frame, and Stop robot, standing. */
class Guarded extends Component {
  componentDidCatch(/** @type {any} */ error) {
    console.error(error);
    this.setState({ error });
  }

  render() {
    const error = /** @type {any} */ (this.state).error;
    if (!error) return /** @type {any} */ (this.props).children;
    return html`<${Failure} error=${{ text: t("error.view"), code: String(error.message ?? error) }} again=${() => this.setState({ error: null })} />`;
  }
}

/** Bones of a page, without words for the first moments. */
function Waiting() {
  return html`<div class="waiting" aria-busy="true"><span class="bone long"></span><span class="bone block"></span><span class="bone block"></span></div>`;
}

function Starting() {
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let timer = 0;
    const ask = () =>
      fetchMe().catch(() => {
        setFailed(true);
        timer = window.setTimeout(ask, 2000);
      });
    ask();
    return () => clearTimeout(timer);
  }, []);
  return failed ? html`<main class="alone"><${Failure} error=${{ text: t("error.network"), code: "" }} /></main>` : html`<${Waiting} />`;
}

await loadWords("frame");
if (lot !== undefined) session.set({ me: null });
const asked = new URLSearchParams(location.search).get("lang");
if (asked === "zh" || asked === "en") await setLanguage(asked);
render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById("app")));
