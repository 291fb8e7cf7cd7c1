// The one place that names the vendored view library: preact with hooks, written as htm templates.
export {
  html,
  render,
  Component,
  useState,
  useEffect,
  useLayoutEffect,
  useRef,
  useMemo,
  useCallback,
} from "/static/vendor/htm-preact-3.1.1.standalone.module.js";
