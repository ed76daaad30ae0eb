"use strict";
// The live part of the inspector. Everything that is shown was written, and escaped, by the server.
(() => {
  const $ = (id) => document.getElementById(id);
  const most = Number(document.body.dataset.window);
  const list = $("lines");
  let newest = Number(document.body.dataset.after);
  let held = null; // lines that came while the list is paused
  let missed = 0;

  const fragment = (html) => {
    const template = document.createElement("template");
    template.innerHTML = html;
    return template.content;
  };

  // -- exchanges ---------------------------------------------------------------------------------------------------

  const unfold = async (details) => {
    const place = details.querySelector(":scope > .detail");
    if (!details.open || !place || place.dataset.loaded) return;
    place.dataset.loaded = "yes";
    const answer = await fetch(place.dataset.src).catch(() => null);
    place.replaceChildren(answer ? fragment(await answer.text()) : "The simulator does not answer.");
  };
  list.addEventListener("toggle", (event) => unfold(event.target), true);

  const show = (html) => {
    const lines = [...fragment(html).children];
    for (const line of lines) line.classList.add("fresh");
    list.prepend(...lines);
    while (list.children.length > most) list.lastElementChild.remove();
    $("empty").hidden = list.children.length > 0;
    if (list.children.length >= most) {
      $("earlier").hidden = false;
      $("earlier").search = `?before=${list.lastElementChild.dataset.n}`;
    }
  };

  const rows = ({ html, skipped, said }) => {
    if (skipped) {
      $("earlier").hidden = false;
      list.replaceChildren();
    }
    if (held === null) show(html);
    else {
      const waiting = fragment(held);
      waiting.prepend(fragment(html));
      while (waiting.children.length > most) waiting.lastElementChild.remove();
      missed += fragment(html).children.length + skipped;
      held = [...waiting.children].map((line) => line.outerHTML).join("");
      $("waiting").textContent = `${missed} more since the pause`;
      $("waiting").hidden = false;
    }
    if (said) speak(said);
  };

  let toSay = "";
  let first = [];
  let speaking = 0;
  const utter = () => {
    $("news").textContent = [...first, toSay].filter(Boolean).join(". ");
    [toSay, first, speaking] = ["", [], 0];
  };
  const speak = (text, { always = false } = {}) => { // a screen reader hears the last of a second, and what must not be missed
    if (always) first.push(text);
    else toSay = text;
    speaking ||= setTimeout(utter, 1000);
  };

  $("pause")?.addEventListener("click", (event) => {
    const paused = held === null;
    event.target.setAttribute("aria-pressed", String(paused));
    if (paused) held = "";
    else {
      const html = held;
      held = null;
      missed = 0;
      $("waiting").hidden = true;
      show(html);
    }
  });

  const follow = (link) => { // to a line that is not in the list any more, or is folded
    const line = document.querySelector(link.hash);
    if (!line) {
      const before = Number(link.hash.slice(2)) + 1;
      location.assign(`/inspector?before=${before}${link.hash}`);
      return;
    }
    const details = line.querySelector("details");
    if (details) details.open = true;
    line.querySelector("summary")?.focus();
  };

  // -- the other parts -----------------------------------------------------------------------------------------------

  const put = (id, html) => {
    const place = $(id);
    const open = [...place.querySelectorAll("details[id][open]")].map((each) => each.id);
    const focused = place.contains(document.activeElement) ? [...place.querySelectorAll("a, button, select, summary")].indexOf(document.activeElement) : -1;
    place.replaceChildren(fragment(html));
    for (const each of open) $(each)?.setAttribute("open", "");
    if (focused >= 0) (place.querySelectorAll("a, button, select, summary")[focused] ?? $("switches")).focus?.();
  };

  const payments = ({ html, keep }) => {
    const place = $("payment-list");
    const order = new Map(keep.map((handle, at) => [`p${handle}`, at]));
    for (const made of [...fragment(html).children]) {
      const old = $(made.id);
      if (old) old.replaceWith(made);
      else place.append(made);
    }
    const kept = [...place.children].filter((each) => order.has(each.id));
    const sorted = [...kept].sort((one, other) => order.get(one.id) - order.get(other.id));
    if (kept.length !== place.children.length || kept.some((each, at) => each !== sorted[at])) place.replaceChildren(...sorted);
    $("no-payments").hidden = place.children.length > 0;
  };

  let broken = null;
  const verdicts = ({ html }) => {
    put("verdicts", html);
    const now = [...document.querySelectorAll(".verdict.fail")].map((each) => each.dataset.id);
    const fresh = now.filter((id) => broken !== null && !broken.includes(id));
    if (fresh.length) speak(`Broken: ${fresh.join(", ")}`, { always: true });
    broken = now;
  };

  // -- the line to the simulator -------------------------------------------------------------------------------------

  const link = (state, text) => {
    $("link").className = `link ${state}`;
    if ($("link").textContent !== text) $("link").textContent = text;
  };
  const connect = () => {
    const source = new EventSource(`/inspector/events?after=${newest}`);
    const on = (name, act) => source.addEventListener(name, (event) => { newest = Number(event.lastEventId); act(JSON.parse(event.data)); });
    source.onopen = () => link("on", "live");
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) link("off", "The simulator has ended, or lets this browser in no more");
      else link("off", "not connected, trying again …");
    };
    on("rows", rows);
    on("payments", payments);
    on("verdicts", verdicts);
    on("faults", ({ html }) => put("faults", html));
    on("state", ({ html }) => put("state", html));
  };
  if (document.body.dataset.live === "yes") connect();
  else if (location.hash) follow(location);

  // -- switches ------------------------------------------------------------------------------------------------------

  const tell = (text, good = true) => {
    $("outcome").className = good ? "outcome" : "outcome bad";
    $("outcome").textContent = text;
  };
  const ask = async (method, path, body) => {
    const answer = await fetch(`/inspector/api${path}`, { method, headers: { "content-type": "application/json" }, body }).catch(() => null);
    if (!answer) throw new Error("The simulator does not answer.");
    if (answer.ok) return answer;
    const said = await answer.json().catch(() => ({ error: `HTTP ${answer.status}` }));
    throw new Error([said.place, said.error, said.remedy].filter(Boolean).join(": "));
  };
  const act = async (button, work, done) => {
    button.disabled = true;
    try {
      const text = await work();
      tell(text || done);
    } catch (error) {
      tell(error.message, false);
    }
    button.disabled = false;
    if (button.isConnected) button.focus();
  };
  const copy = async (button, text) => {
    if (!navigator.clipboard) throw new Error("A browser copies from 127.0.0.1 or localhost only.");
    const before = button.textContent;
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = before; }, 1500);
  };

  document.addEventListener("click", (event) => {
    const entry = event.target.closest("a.entry");
    if (entry) {
      event.preventDefault();
      follow(entry);
      return;
    }
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.act) {
      if (button.dataset.sure && !confirm(button.dataset.sure)) return;
      const [method, path] = button.dataset.act.split(" ");
      act(button, async () => {
        await ask(method, path, button.dataset.body ?? (method === "POST" ? "{}" : undefined));
        if (path === "/reset") {
          list.replaceChildren();
          $("empty").hidden = false;
        }
      }, button.dataset.done);
    } else if ("copy" in button.dataset) {
      copy(button, button.parentElement.querySelector("code").textContent).catch((error) => tell(error.message, false));
    } else if ("settings" in button.dataset) {
      act(button, async () => {
        await copy(button, await (await ask("POST", "/settings")).text());
      }, "The settings are in the clipboard: paste them into the shop's shell");
    }
  });

  document.addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.target;
    const button = form.querySelector("button");
    if (form.id === "arm") act(button, () => arm(form), "armed");
    else if (form.classList.contains("pay")) act(button, () => pay(form), "done");
  });

  const arm = async (form) => {
    const spec = { name: form.elements.name.value };
    if (limited(form)) {
      if (form.elements.operation.value) spec.operation = form.elements.operation.value;
      if (form.elements.after_effect.checked) spec.after_effect = true;
    }
    if (form.elements.times.value) spec.times = Number(form.elements.times.value);
    const params = {};
    for (const field of form.querySelectorAll("fieldset:not([disabled]) [data-param]")) {
      if (field.value !== field.dataset.default) params[field.dataset.param] = field.type === "number" ? Number(field.value) : field.value;
    }
    await ask("POST", "/faults", JSON.stringify({ ...spec, params }));
    return `${spec.name} is armed`;
  };
  const pay = async (form) => {
    const body = { handle: form.dataset.handle, payer: form.elements.payer.value };
    const { url } = await (await ask("POST", "/pay", JSON.stringify(body))).json();
    const back = document.createElement("a");
    back.textContent = "go back to the shop as this customer";
    if (!/^https?:\/\//.test(url)) return "The checkout is over";
    back.href = url;
    back.target = "_blank";
    back.rel = "noopener noreferrer";
    setTimeout(() => $("outcome").append(": ", back));
    return "The checkout is over";
  };

  const form = $("arm");
  const limited = (of) => of.elements.name.selectedOptions[0].dataset.limited === "yes";
  const choose = () => {
    for (const each of form.querySelectorAll("fieldset")) each.hidden = each.disabled = each.dataset.fault !== form.elements.name.value;
    for (const each of form.querySelectorAll("[data-limit]")) each.hidden = !limited(form);
  };
  if (form) {
    form.elements.name.addEventListener("change", choose);
    choose();
  }
})();
