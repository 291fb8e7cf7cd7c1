// Content of a page from the API: fetched when the page opens, again every while and when asked, kept while it fails.
import { get } from "/static/lib/api.js";
import { useCallback, useEffect, useState } from "/static/lib/ui.js";

/**
 * @template T @param {string | null} path below /api/v1; null: nothing yet
 * @param {number} [every] fetch again after this long, while the page is seen [s]
 * @returns {{data: T | undefined, error: any, again: () => void}} `error` beside `data`: the data is from before
 */
export function useData(path, every = 0) {
  const [state, setState] = useState({ path, data: /** @type {any} */ (undefined), error: /** @type {any} */ (null) });
  const [round, setRound] = useState(0);
  const again = useCallback(() => setRound((n) => n + 1), []);
  useEffect(() => {
    if (path === null) return undefined;
    const stop = new AbortController();
    let timer = 0;
    const fetchIt = async () => {
      clearTimeout(timer);
      if (document.hidden) return;
      try {
        const data = await get(path, { signal: stop.signal });
        setState({ path, data, error: null });
      } catch (error) {
        if (stop.signal.aborted) return;
        setState((known) => ({ path, data: known.path === path ? known.data : undefined, error }));
      }
      if (every && !stop.signal.aborted) timer = window.setTimeout(fetchIt, every * 1000);
    };
    fetchIt();
    document.addEventListener("visibilitychange", fetchIt);
    return () => {
      stop.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", fetchIt);
    };
  }, [path, every, round]);
  return { data: state.path === path ? state.data : undefined, error: state.error, again };
}
