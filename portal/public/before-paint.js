// Runs before the first paint and outside the bundle, so that neither a wrong theme flashes nor the
// content security policy needs to allow inline scripts.
(() => {
  const root = document.documentElement;
  let theme = null;
  let language = null;
  try {
    theme = localStorage.getItem("runbench.theme");
    language = localStorage.getItem("runbench.language");
  } catch {
    // Storage may be blocked; the system's choice is taken.
  }
  const dark =
    theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
  root.lang = language ?? (navigator.language.toLowerCase().startsWith("ru") ? "ru" : "en");
})();
