(() => {
  const bar = document.querySelector(".filter");
  if (!bar) return;
  const cards = [...document.querySelectorAll(".card")];
  const boxes = [...document.querySelectorAll(".group, .cards")];
  const chips = [...bar.querySelectorAll("button")];
  const [q, level, item] = ["q", "level", "item"].map(name => bar.elements.namedItem(name));
  let verdict = "";
  // What is searched: the requirement and its findings, not the evidence.
  const words = new Map();
  const textOf = card => {
    if (!words.has(card))
      words.set(card, [...card.querySelectorAll("summary .text, summary .id, .finding > .title")].map(each => each.textContent).join(" ").toLowerCase());
    return words.get(card);
  };
  const show = () => {
    for (const chip of chips) chip.setAttribute("aria-pressed", String(chip.dataset.verdict === verdict));
    const wanted = q.value.trim().toLowerCase().split(/\s+/);
    let shown = 0;
    for (const card of cards) {
      card.hidden = Boolean(verdict && card.dataset.verdict !== verdict) || Boolean(level.value && card.dataset.level !== level.value)
        || Boolean(item.value && !card.dataset.items.split(" ").includes(item.value)) || !wanted.every(word => textOf(card).includes(word));
      shown += !card.hidden;
    }
    for (const box of boxes) {
      box.hidden = !box.querySelector(".card:not([hidden])");
      const reason = box.previousElementSibling;
      if (reason && reason.matches(".reason")) reason.hidden = box.hidden;
    }
    bar.querySelector(".found").textContent = shown === cards.length ? "" : shown ? `${shown} of ${cards.length} shown` : "Nothing matches.";
  };
  // The choice stands in the address, so that it can be handed on.
  const keep = () => {
    const query = new URLSearchParams();
    for (const [name, value] of [["show", verdict], ["level", level.value], ["item", item.value], ["q", q.value.trim()]]) if (value) query.set(name, value);
    const text = String(query);
    try { history.replaceState(null, "", location.pathname + (text && "?" + text) + location.hash); } catch { /* a frame without an address of its own */ }
  };
  const changed = () => { show(); keep(); };
  const choose = (wanted, of = "", part = "", text = "") => { verdict = wanted; level.value = of; item.value = part; q.value = text; };
  bar.addEventListener("click", event => {
    const chip = event.target.closest("button");
    if (chip) { verdict = chip.dataset.verdict; changed(); }
  });
  bar.addEventListener("input", changed);
  bar.addEventListener("submit", event => event.preventDefault());
  const asked = new URLSearchParams(location.search);
  const known = asked.get("show") || "";
  choose(chips.some(chip => chip.dataset.verdict === known) ? known : "", asked.get("level") || "", asked.get("item") || "", asked.get("q") || "");
  bar.hidden = false;
  show();
  document.addEventListener("wanted", () => { choose(""); changed(); }); // a link leads to what is not shown
})();
