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
