(() => {
  const bar = document.querySelector(".filter");
  if (!bar) return;
  bar.hidden = false;
  const apply = wanted => {
    for (const button of bar.querySelectorAll("button"))
      button.setAttribute("aria-pressed", String(button.dataset.verdict === wanted));
    for (const card of document.querySelectorAll(".card"))
      card.hidden = wanted !== "all" && card.dataset.verdict !== wanted;
    for (const group of document.querySelectorAll(".group"))
      group.hidden = !group.querySelector(".card:not([hidden])");
  };
  bar.addEventListener("click", event => {
    const button = event.target.closest("button");
    if (button) apply(button.dataset.verdict);
  });
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.closest("[hidden]")) apply("all");
    for (let box = target; box; box = box.parentElement && box.parentElement.closest("details")) if (box.tagName === "DETAILS") box.open = true;
    target.scrollIntoView();
  };
  window.addEventListener("hashchange", reveal);
  reveal();
})();
(() => {
  // What stands on the page is what is copied: placeholders and all, without the headers that curl writes itself.
  const own = new Set(["host", "content-length", "connection", "transfer-encoding", "accept-encoding", "expect"]);
  const quoted = text => "'" + text.replaceAll("'", "'\\''") + "'";
  const curl = message => {
    const [method, ...address] = message.querySelector("summary code").textContent.split(" ");
    const parts = ["curl -X " + method + " " + quoted(address.join(" "))];
    for (const pair of message.querySelectorAll("dl > div")) {
      const [name, value] = [pair.querySelector("dt").textContent, pair.querySelector("dd").textContent];
      if (!own.has(name.toLowerCase())) parts.push("-H " + quoted(name + ": " + value));
    }
    const body = message.querySelector(":scope > pre");
    if (body) parts.push("--data-raw " + quoted(body.textContent));
    return parts.join(" \\\n  ");
  };
  const copied = async (button, text) => {
    await navigator.clipboard.writeText(text);
    const before = button.textContent;
    button.textContent = "copied";
    setTimeout(() => { button.textContent = before; }, 1500);
  };
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll(".copy")) {
    button.hidden = false;
    button.addEventListener("click", () => copied(button, curl(button.closest(".message"))));
  }
})();
