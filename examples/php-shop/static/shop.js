// Comfort only: what really stops a double payment is the lock on the server.
document.querySelectorAll("form").forEach((form) => {
  form.addEventListener("submit", () => {
    form.querySelector("button").disabled = true;
  });
});
