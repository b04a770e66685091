// Blocking on purpose: the theme must stand before the first paint.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const chosen = root.dataset.theme;
    root.dataset.bsTheme = chosen === "dark" || (chosen === "auto" && dark.matches) ? "dark" : "light";
  };
  apply();
  dark.addEventListener("change", apply);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-theme-switch]");
    if (!link) return;
    event.preventDefault();
    const next = { auto: "light", light: "dark", dark: "auto" }[root.dataset.theme];
    root.dataset.theme = next;
    const secure = location.protocol === "https:" ? ";secure" : "";
    document.cookie = `theme=${next};path=/;max-age=31536000;samesite=lax${secure}`;
    const label = link.dataset[`label${next[0].toUpperCase()}${next.slice(1)}`];
    link.setAttribute("aria-label", label);
    link.title = label;
    apply();
    const announcer = document.getElementById("announcer");
    if (announcer) announcer.textContent = label;
  });
})();
