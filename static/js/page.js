// Small manners of every page. All listeners sit on the document and live as long as it does, so content that htmx
// swaps in needs nothing.

const announce = (text) => {
  const announcer = document.getElementById("announcer");
  if (announcer && announcer.textContent !== text) announcer.textContent = text;
};

// What only works with JavaScript is hidden until it does.
const wake = (root = document) => {
  root.querySelectorAll("[data-toast-close], [data-palette-open]").forEach((element) => {
    element.hidden = false;
  });
};

wake();
document.documentElement.classList.add("has-js");

// On narrow screens the side menu starts folded.
const narrow = matchMedia("(max-width: 61.99rem)");
const fold = () => {
  document.querySelectorAll("[data-side-fold]").forEach((element) => {
    element.open = !narrow.matches;
  });
};
fold();
narrow.addEventListener("change", fold);

// There the menu of a shop scrolls sideways, and begins with where the reader is.
const here = document.querySelector(".top-nav :is([aria-current], [data-current])");
if (here) {
  const menu = here.closest(".top-nav");
  menu.scrollLeft += here.getBoundingClientRect().left - menu.getBoundingClientRect().left - 16;
}

document.querySelector("[data-focus]")?.focus();

document.addEventListener("click", (event) => {
  event.target.closest("[data-toast-close]")?.closest("[data-toast]")?.remove();

  const opener = event.target.closest("[data-dialog-open]");
  const dialog = opener && document.getElementById(opener.dataset.dialogOpen);
  if (dialog) {
    event.preventDefault();
    dialog.showModal();
  }

  // A click beside an open menu, or on what it offers, closes it.
  document.querySelectorAll("[data-menu][open]").forEach((menu) => {
    if (!menu.contains(event.target) || event.target.closest(".menu-item")) menu.open = false;
  });
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("[data-menu][open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// A form that changes something is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-once]");
  if (!form || event.defaultPrevented) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  form.setAttribute("aria-busy", "true");
});
addEventListener("pageshow", () => {
  document.querySelectorAll("[data-once][data-sent]").forEach((form) => {
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
  });
});

// A list that changed says so, in a live region that itself never leaves the page.
document.addEventListener("htmx:after:swap", () => {
  wake();
  const summary = document.querySelector("[data-list] [data-announce]");
  if (summary) announce(summary.textContent.trim());
});
