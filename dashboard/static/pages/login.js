// Log-in: the farm's name, name and password, and where the machine's own red switch is.
import { ApiError, post } from "/static/lib/api.js";
import { hearTime } from "/static/lib/clock.js";
import { t } from "/static/lib/i18n.js";
import { stopping } from "/static/lib/stop.js";
import { session, useStore } from "/static/lib/store.js";
import { html, useEffect, useRef, useState } from "/static/lib/ui.js";
import { siteName } from "/static/lib/words.js";
import { LanguageButton, ThemeButton } from "/static/parts/frame.js";
import { Icon } from "/static/parts/icon.js";
import { Tunnel } from "/static/parts/tunnel.js";

function Login() {
  const site = useStore(session, (value) => value.site);
  const unsure = useStore(stopping, (value) => value.phase === "unconfirmed"); // the session ended under a stop
  const [state, setState] = useState({ busy: false, error: /** @type {ApiError | null} */ (null), empty: "" });
  const name = useRef(/** @type {HTMLInputElement | null} */ (null));
  const password = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => {
    name.current?.focus();
  }, []);
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const [who, secret] = [name.current, password.current];
    if (state.busy || !who || !secret) return;
    const empty = !who.value.trim() ? "name" : !secret.value ? "password" : "";
    if (empty) {
      setState({ busy: false, error: null, empty });
      (empty === "name" ? who : secret).focus();
      return;
    }
    setState({ busy: true, error: null, empty: "" });
    try {
      const me = await post("/login", { name: who.value.trim(), password: secret.value });
      hearTime(me.now);
      session.set({ me, site: me.site });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setState({ busy: false, error, empty: "" });
      secret.focus();
      secret.select();
    }
  };
  const message = state.empty ? t(`login.empty_${state.empty}`) : state.error?.text;
  const wrong = (/** @type {string} */ field) => (message && (state.empty ? state.empty === field : field === "password") ? "true" : undefined);
  const said = html`<p class="err" id="login-error" role="alert"><${Icon} name="minor" /><span>${message}</span></p>`;
  return html`<div class="login">
    <div class="l-art"><${Tunnel} /></div>
    <main class="l-form" id="main">
      <header class="t-top"><span class="brand"><${Icon} name="logo" />BerryBrain</span><span class="spring"></span>
        <${LanguageButton} /><${ThemeButton} /></header>
      ${unsure && html`<p class="notice" role="alert"><${Icon} name="critical" class="g" /><span>${t("stop.unconfirmed")}. ${t("login.red_switch")}</span></p>`}
      <form onSubmit=${submit} novalidate>
        <h1>${siteName(site) || "BerryBrain"}</h1>
        <p>${t("login.why")}</p>
        <label>${t("login.name")}<input ref=${name} name="name" autocomplete="username" autocapitalize="none" spellcheck=${false} maxlength="256"
          aria-invalid=${wrong("name")} aria-describedby=${wrong("name") && "login-error"} /></label>
        ${wrong("name") && said}
        <label>${t("login.password")}<input ref=${password} name="password" type="password" autocomplete="current-password" maxlength="1024"
          aria-invalid=${wrong("password")} aria-describedby=${wrong("password") && "login-error"} /></label>
        ${wrong("password") && said}
        <button class="btn go big" type="submit" aria-busy=${state.busy}>${state.busy ? html`<span class="spin"></span>` : ""}${t("login.button")}</button>
      </form>
      <footer><${Icon} name="i-stop" /><p>${t("login.red_switch")}</p></footer>
    </main>
  </div>`;
}

/** @type {import("/static/lib/router.js").Page} */
export const page = { title: "login.title", css: "/static/css/login.css", view: Login };
