// Sends an upload form with a progress bar; without JavaScript the form sends itself.

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-upload]");
  if (!form || event.defaultPrevented) return;
  event.preventDefault();

  const box = form.querySelector("[data-upload-progress]");
  const bar = box.querySelector("progress");
  const text = box.querySelector("[data-upload-text]");
  const request = new XMLHttpRequest();
  box.hidden = false;

  request.upload.addEventListener("progress", ({ lengthComputable, loaded, total }) => {
    if (!lengthComputable) return;
    const percent = Math.floor((100 * loaded) / total);
    bar.value = percent;
    text.textContent = percent < 100 ? text.dataset.sending.replace("{percent}", percent) : text.dataset.reading;
  });
  request.addEventListener("load", () => {
    if (request.status < 400) {
      location.assign(request.getResponseHeader("X-Location") || request.responseURL);
      return;
    }
    // The server's own page of the refusal takes this one's place.
    const answer = new DOMParser().parseFromString(request.responseText, "text/html");
    document.getElementById("main").replaceWith(document.adoptNode(answer.getElementById("main")));
    document.title = answer.title;
    document.getElementById("main").focus();
  });
  request.addEventListener("error", () => {
    text.textContent = text.dataset.failed;
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
  });
  request.open("POST", form.action);
  request.setRequestHeader("X-Upload", "yes");
  request.send(new FormData(form));
});

for (const [name, isOver] of [["dragenter", true], ["dragover", true], ["dragleave", false], ["drop", false]]) {
  document.addEventListener(name, (event) => {
    const area = event.target.closest?.("[data-upload-area]");
    if (!area) return;
    event.preventDefault();
    area.classList.toggle("is-over", isOver);
    if (name !== "drop" || !event.dataTransfer?.files.length) return;
    area.querySelector("input[type=file]").files = event.dataTransfer.files;
  });
}
