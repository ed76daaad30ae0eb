// Evidence is kept as text until somebody unfolds it, so that a long page opens at once. Where no script runs, it is simply there.
(() => {
  const unfold = box => {
    const kept = box.querySelector(":scope > noscript");
    if (!kept) return;
    kept.insertAdjacentHTML("beforebegin", kept.textContent);
    kept.remove();
  };
  document.addEventListener("toggle", event => { if (event.target.open) unfold(event.target); }, true);
  const find = id => {
    const there = document.getElementById(id);
    if (there) return there;
    const kept = [...document.querySelectorAll("details > noscript")].find(each => each.textContent.includes(`id="${id}"`));
    if (kept) unfold(kept.parentElement);
    return document.getElementById(id);
  };
  const reveal = () => {
    const target = location.hash && find(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.closest("[hidden]")) document.dispatchEvent(new Event("wanted"));
    for (let box = target; box; box = box.parentElement && box.parentElement.closest("details")) if (box.tagName === "DETAILS") box.open = true;
    target.scrollIntoView();
  };
  window.addEventListener("hashchange", reveal);
  document.addEventListener("DOMContentLoaded", reveal);
  document.addEventListener("click", event => {
    const link = event.target.closest('a[href^="#"]');
    if (link && link.hash === location.hash) reveal();
  });
  window.addEventListener("beforeprint", () => {
    for (const box of document.querySelectorAll(".outcome details, .card:is(.fail, .error)")) box.open = true;
  });
})();
