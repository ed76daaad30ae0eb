(() => {
  // What stands on the page is what is copied, without the headers that curl writes itself. A secret becomes a variable of the shell.
  const own = new Set(["host", "content-length", "connection", "transfer-encoding", "accept-encoding", "expect"]);
  const secret = /<((?:[a-z]+-)+\d+|access-token|client-id|secret-key)((?::[a-z0-9:]+)?)>/g;
  const variable = (whole, name, spelled) => `'"$${(name.replace(/-1$/, "") + spelled).toUpperCase().replace(/[^A-Z0-9]+/g, "_")}"'`;
  const quoted = text => "'" + text.replaceAll("'", "'\\''").replace(secret, variable) + "'";
  const curl = message => {
    const [method, ...address] = message.querySelector("summary code").textContent.split(" ");
    const parts = ["curl -X " + method + " " + quoted(address.join(" "))];
    for (const header of message.querySelectorAll("dt")) {
      const [name, value] = [header.textContent, header.nextElementSibling.textContent];
      if (!own.has(name.toLowerCase())) parts.push("-H " + quoted(name + ": " + value));
    }
    const body = message.querySelector(":scope > pre");
    if (body && !("cut" in message.dataset)) parts.push("--data-raw " + quoted(body.textContent));
    return parts.join(" \\\n  ") + ("cut" in message.dataset ? "\n# its body is too long for the page: it stands whole in run.jsonl" : "");
  };
  const copied = async (button, text) => {
    await navigator.clipboard.writeText(text);
    const before = button.textContent;
    button.textContent = "copied";
    setTimeout(() => { button.textContent = before; }, 1500);
  };
  if (!navigator.clipboard) return;
  document.documentElement.classList.add("copies");
  document.addEventListener("click", event => {
    const button = event.target.closest(".copy");
    if (button) copied(button, curl(button.closest(".message")));
  });
})();
