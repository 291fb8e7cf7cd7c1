// Language and theme before the first paint: what was chosen last, else what the browser prefers.
{
  const root = document.documentElement;
  const kept = (name) => {
    try {
      return localStorage.getItem(name);
    } catch {
      return null; // storage is switched off: the page works without memory
    }
  };
  const browser = (navigator.language || "zh").toLowerCase().startsWith("zh") ? "zh" : "en";
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  root.lang = ["zh", "en"].includes(kept("bb.lang")) ? kept("bb.lang") : browser;
  root.dataset.theme = ["light", "dark"].includes(kept("bb.theme")) ? kept("bb.theme") : dark ? "dark" : "light";
}
