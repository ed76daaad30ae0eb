// A second click while the first one is on its way helps nobody. The server guards against it too: this is for comfort.
document.querySelectorAll("form").forEach((form) => {
  const button = form.querySelector("button");
  form.addEventListener("submit", () => { button.disabled = true; });
  window.addEventListener("pageshow", () => { button.disabled = false; });
});
