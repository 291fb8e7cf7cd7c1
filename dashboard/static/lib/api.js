// Requests to the open API: session, token against forged forms, errors in the user's words.
import { hearTime } from "/static/lib/clock.js";
import { say, t } from "/static/lib/i18n.js";
import { session } from "/static/lib/store.js";

const BASE = "/api/v1";
const PATIENCE_MS = 15000;

/** A request that was refused or did not get through; `code` "network": nobody answered. */
export class ApiError extends Error {
  /** @param {string} code @param {number} status @param {{zh?: string, en?: string}} [texts] @param {string} [detail] */
  constructor(code, status, texts, detail = "") {
    super(code);
    this.code = code;
    this.status = status;
    this.texts = texts;
    this.detail = detail;
  }

  /** What to tell the user, in the language of now. */
  get text() {
    return this.texts ? say(this.texts) : t(this.code === "network" ? "error.network" : "error.unknown");
  }
}

/**
 * @param {"GET"|"POST"} method @param {string} path @param {object} [body]
 * @param {{timeout?: number, signal?: AbortSignal}} [options] @returns {Promise<any>}
 */
async function request(method, path, body, options = {}) {
  /** @type {Record<string, string>} */
  const headers = { accept: "application/json" };
  if (method === "POST") {
    headers["content-type"] = "application/json";
    headers["x-csrf"] = session.get().me?.csrf ?? "";
  }
  const patience = AbortSignal.timeout(options.timeout ?? PATIENCE_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, patience]) : patience;
  let response;
  let content;
  try {
    response = await fetch(BASE + path, {
      method,
      headers,
      signal,
      credentials: "same-origin",
      body: method === "POST" ? JSON.stringify(body ?? {}) : undefined,
    });
    content = await response.json();
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError("network", response?.status ?? 0);
  }
  if (response.ok) return content;
  const { code = "server_failed", detail = "", ...texts } = content.error ?? {};
  if (code === "not_signed_in" && session.get().me) session.set({ me: null });
  throw new ApiError(code, response.status, texts.zh ? texts : undefined, detail);
}

/** @param {string} path below /api/v1 @param {{timeout?: number, signal?: AbortSignal}} [options] */
export const get = (path, options) => request("GET", path, undefined, options);

/** Change something; carries the session's token, which is fetched anew once when it has run out. @param {string} path @param {object} [body] @param {{timeout?: number, signal?: AbortSignal}} [options] */
export async function post(path, body, options) {
  try {
    return await request("POST", path, body, options);
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "form_expired") throw error;
    await fetchMe();
    return request("POST", path, body, options);
  }
}

/** Learn which farm this is and who is signed in. @returns {Promise<any>} null when nobody is */
export async function fetchMe() {
  const { now, signed_in: signedIn, ...site } = await get("/site");
  hearTime(now);
  const me = signedIn ? await get("/me") : null;
  session.set({ me, site });
  return me;
}

/** Learn what the farm consists of: zones, beds, robots, and the words for metrics and faults. */
export async function fetchFarm() {
  const farm = await get("/farm");
  session.set({ farm });
  return farm;
}
