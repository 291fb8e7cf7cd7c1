// Blocks of a page, what stands where there is nothing, and the sheet that comes up from below on a phone.
import { t } from "/static/lib/i18n.js";
import { html, useEffect, useRef } from "/static/lib/ui.js";
import { Icon } from "/static/parts/icon.js";

/** One block with a heading. @param {{title: any, note?: any, end?: any, class?: string, order?: number, children?: any}} props */
export function Sheet({ title, note, end, class: more = "", order, children }) {
  return html`<section class=${`sheet ${more} ${order ? `o${order}` : ""}`}>
    <header><h2>${title}</h2>${note && html`<span class="note">${note}</span>`}${end && html`<span class="end">${end}</span>`}</header>
    ${children}
  </section>`;
}

/** Where there is nothing to show: a drawing, one sentence, why or what to do. @param {{title: any, text?: any, drawing?: "tunnel"|"bed", children?: any}} props */
export function Blank({ title, text, drawing = "tunnel", children }) {
  const tunnel = "M10 56V34a50 30 0 0 1 100 0v22M30 56V38a30 20 0 0 1 60 0v18M4 56h112";
  const bed = "M10 56h100M24 56v-8M48 56v-8M72 56v-8M96 56v-8";
  return html`<div class="blank">
    <svg viewBox="0 0 120 60" aria-hidden="true">
      <path d=${drawing === "bed" ? bed : tunnel} fill="none" stroke="var(--edge)" stroke-width="1.5" />
      ${drawing === "bed" && html`<path d="M24 48c-6-6-6-12 0-16 6 4 6 10 0 16Z" fill="none" stroke="var(--leaf)" stroke-width="1.5" />`}
    </svg>
    <h3>${title}</h3>
    ${text && html`<p>${text}</p>`}
    ${children}
  </div>`;
}

/** What failed and what to do; the code small at the end. @param {{error: any, again?: () => void}} props */
export function Failure({ error, again }) {
  return html`<div class="blank" role="alert">
    <${Icon} name="minor" class="failure-i" />
    <h3>${error?.text ?? t("error.unknown")}</h3>
    ${again && html`<button class="btn" type="button" onClick=${again}><${Icon} name="i-reset" />${t("error.again")}</button>`}
    ${error?.code && html`<p class="code">${error.code}</p>`}
  </div>`;
}

/** A sheet over the page: from below on a phone, beside the page on a desk. @param {{title: any, onClose: () => void, children?: any}} props */
export function BottomSheet({ title, onClose, children }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    const shown = dialog.current;
    shown?.show(); // not modal: Stop robot stays within reach
    const key = (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && !event.shiftKey && onClose();
    addEventListener("keydown", key);
    return () => {
      removeEventListener("keydown", key);
      shown?.close();
    };
  }, []);
  return html`<dialog class="bottom" ref=${dialog} aria-label=${title}>
    <header><h2>${title}</h2>
      <button class="icon-btn" type="button" onClick=${onClose} aria-label=${t("sheet.close")}><${Icon} name="i-x" /></button></header>
    ${children}
  </dialog>`;
}
