// Today: the day's sentence.
import { t } from "/static/lib/i18n.js";
import { html } from "/static/lib/ui.js";

/** @type {import("/static/lib/router.js").Page} */
export const page = { title: "morning.title", view: () => html`<h1>${t("morning.title")}</h1>` };
