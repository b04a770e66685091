// Deadlines tick: each minute the time that is left, and once the instant itself in the reader's own zone. Without
// this the server's words stand, which were true when the page was made. Readers of screens are not interrupted.

// Days are written as pages write them: the day before the month, hours up to 24.
const language = { en: "en-GB" }[document.documentElement.lang] ?? document.documentElement.lang;
const relative = new Intl.RelativeTimeFormat(language, { numeric: "always" });
const here = new Intl.DateTimeFormat(language, {
  day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short",
});
// From how many minutes on they are counted in which unit; the same as on the server.
const UNITS = [[3 * 24 * 60, "day", 24 * 60], [60, "hour", 60], [0, "minute", 1]];

const left = (minutes) => {
  const [, unit, whole] = UNITS.find(([least]) => minutes >= least);
  return relative.format(Math.floor(minutes / whole), unit);
};

const write = (element, text) => {
  if (element && element.textContent !== text) element.textContent = text;
};

const tick = () => {
  document.querySelectorAll("[data-deadline]").forEach((deadline) => {
    const at = new Date(deadline.dateTime);
    const minutes = Math.floor((at - Date.now()) / 60_000);
    write(deadline.querySelector("[data-deadline-left]"), minutes < 0 ? deadline.dataset.over : left(minutes));
    write(deadline.querySelector("[data-deadline-moment]"), here.format(at));
    if (deadline.title) deadline.title = here.format(at);
  });
};

tick();
setInterval(tick, 60_000);
document.addEventListener("htmx:after:swap", tick);
