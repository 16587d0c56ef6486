// The live duty room. Everything here can also be done without it: it saves reloading, keeps open forms, and sounds on red.
"use strict";
(() => {
  const board = document.getElementById("board");
  const live = document.getElementById("live");
  const said = document.getElementById("said");
  const token = board.dataset.csrf;
  const LEAST_BETWEEN_MS = 1000;
  let seen = Number(board.dataset.seq);

  // ---------------------------------------------------------------- swapping what changed
  const syncKeyed = (old, fresh) => {
    const had = new Map([...old.children].filter((e) => e.id).map((e) => [e.id, e]));
    const busy = old.querySelector(":scope > [data-keep]");
    let place = null;
    for (const next of [...fresh.children]) {
      let here = had.get(next.id);
      had.delete(next.id);
      if (here && !here.isEqualNode(next)) {
        next.classList.add("changed");
        if (here.contains(document.activeElement)) { // the control in hand stays, what stands around it changes
          swapAround(here, next);
        } else { here.replaceWith(next); here = next; }
      }
      if (!here) { here = next; next.classList.add("changed"); }
      // While a form stands open nothing moves under the hands of who fills it in.
      if (!here.isConnected || !busy) {
        const wanted = place ? place.nextSibling : old.firstChild;
        if (wanted !== here && !(here.contains(document.activeElement) && here.isConnected)) old.insertBefore(here, wanted);
      }
      place = here;
    }
    for (const gone of had.values()) if (gone.nextElementSibling !== busy || !busy) gone.remove();
  };
  const swapAround = (here, next) => {
    here.className = next.className;
    for (const [i, cell] of [...here.children].entries()) {
      const other = next.children[i];
      if (other && !cell.contains(document.activeElement) && !cell.isEqualNode(other)) cell.replaceWith(other.cloneNode(true));
    }
  };
  const sync = (old, fresh) => {
    for (const row of old.querySelectorAll("tr.changed, li.changed")) row.classList.remove("changed");
    if (old.isEqualNode(fresh)) return;
    if (old.hasAttribute("data-keyed") && fresh.hasAttribute("data-keyed")) return syncKeyed(old, fresh);
    const alike = old.children.length === fresh.children.length && old.children.length > 0
      && [...old.children].every((e, i) => e.tagName === fresh.children[i].tagName && e.id === fresh.children[i].id);
    const holds = old.querySelector("[data-keyed]") && fresh.querySelector("[data-keyed]");
    if (alike && holds) {
      old.className = fresh.className;
      syncAll(old, fresh);
    } else if (!old.querySelector("[data-keep]")) {
      old.replaceWith(fresh);
    }
  };
  const syncAll = (old, fresh) => {
    const parts = [...fresh.children]; // taken now: a part that is moved over leaves the list
    for (const [i, child] of [...old.children].entries()) sync(child, parts[i]);
  };
  const swap = (html) => {
    const fresh = document.createElement("main");
    fresh.innerHTML = html;
    if (fresh.children.length === board.children.length) {
      syncAll(board, fresh);
    } else if (!board.querySelector("[data-keep]")) {
      board.replaceChildren(...fresh.childNodes);
    }
    const time = document.querySelector("#clock time");
    const tiles = document.getElementById("tiles");
    if (time && tiles) time.textContent = tiles.dataset.now;
  };

  // ---------------------------------------------------------------- at most one load a second
  let waiting = null, last = 0, loading = false, again = false;
  const load = async () => {
    waiting = null;
    if (loading) { again = true; return; }
    loading = true;
    last = Date.now();
    // A lost connection is no error here: the stream shows it, and asks again when it is back.
    const answer = await fetch("/fragments/board" + location.search).catch(() => null);
    const html = answer?.ok ? await answer.text().catch(() => "") : "";
    loading = false;
    if (answer?.status === 401) location.reload();
    if (html) swap(html);
    if (again) { again = false; refresh(); }
  };
  const refresh = () => { waiting ??= setTimeout(load, Math.max(0, last + LEAST_BETWEEN_MS - Date.now())); };

  // ---------------------------------------------------------------- sound on red, after a gesture only
  const button = document.getElementById("sound");
  let audio = null, sounding = false;
  const say = () => { button.textContent = sounding ? button.dataset.on : button.dataset.off; button.setAttribute("aria-pressed", String(sounding)); };
  const alarm = () => {
    if (!sounding || !audio) return;
    for (const [i, pitch] of [880, 660, 880, 660].entries()) {
      const tone = audio.createOscillator(), loud = audio.createGain(), at = audio.currentTime + i * 0.28;
      tone.frequency.value = pitch;
      loud.gain.setValueAtTime(0, at);
      loud.gain.linearRampToValueAtTime(0.35, at + 0.02);
      loud.gain.linearRampToValueAtTime(0, at + 0.26);
      tone.connect(loud).connect(audio.destination);
      tone.start(at);
      tone.stop(at + 0.27);
    }
    document.documentElement.dataset.alarms = String(Number(document.documentElement.dataset.alarms || 0) + 1);
  };
  button.hidden = false;
  button.addEventListener("click", async () => {
    audio ??= new AudioContext();
    sounding = !sounding;
    say();
    if (sounding) { await audio.resume(); alarm(); }
  });

  // ---------------------------------------------------------------- the stream
  const state = (on) => { live.className = "live " + (on ? "on" : "off"); live.textContent = on ? live.dataset.on : live.dataset.off; };
  let stream = null;
  const listen = () => {
    stream = new EventSource("/api/v1/events?after=" + seen);
    stream.onopen = () => { state(true); refresh(); };
    stream.onerror = () => {
      state(false);
      // A refusal closes the stream for good; come back with the last line seen.
      if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
    };
    stream.addEventListener("feed", (event) => {
      const line = JSON.parse(event.data);
      seen = line.seq;
      if (line.grade === "red" && ["alert", "warning"].includes(line.kind)) alarm();
      refresh();
    });
    stream.addEventListener("board", refresh);
  };
  listen();
  setInterval(refresh, 15000); // deadlines pass without an event

  // ---------------------------------------------------------------- answers on behalf and tasks
  const announce = (text) => { said.textContent = text; setTimeout(() => { if (said.textContent === text) said.textContent = ""; }, 6000); };
  const post = async (address, body) => {
    const answer = await fetch(address, { method: "POST", headers: { "Content-Type": "application/json", "X-CSRF-Token": token }, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).detail || answer.statusText);
  };
  const shut = (row) => {
    const opener = row.previousElementSibling?.querySelector(".behalf");
    row.remove();
    if (opener) { opener.setAttribute("aria-expanded", "false"); opener.focus(); }
  };
  const open = async (opener) => {
    const line = opener.closest("tr");
    if (line.nextElementSibling?.hasAttribute("data-keep")) return shut(line.nextElementSibling);
    const answer = await fetch("/fragments/answer?" + new URLSearchParams({ notice: opener.dataset.notice }));
    if (!answer.ok) { location.href = opener.href; return; }
    const row = document.createElement("tr");
    row.className = "form-row";
    row.dataset.keep = "";
    const cell = row.insertCell();
    cell.colSpan = line.cells.length;
    cell.innerHTML = await answer.text();
    document.getElementById(line.id).after(row);
    opener.setAttribute("aria-expanded", "true");
    row.querySelector("input[type=radio]").focus();
  };
  board.addEventListener("click", (event) => {
    const opener = event.target.closest("a.behalf");
    if (opener) { event.preventDefault(); open(opener); }
    const cancel = event.target.closest("a.cancel");
    if (cancel) { event.preventDefault(); shut(cancel.closest("tr")); }
  });
  board.addEventListener("keydown", (event) => {
    const row = event.target.closest("tr[data-keep]");
    if (event.key === "Escape" && row) shut(row);
    if (event.key === " " && event.target.matches("a.behalf")) { event.preventDefault(); event.target.click(); }
  });
  board.addEventListener("submit", async (event) => {
    const form = event.target;
    event.preventDefault();
    try {
      if (form.matches(".behalf-form")) {
        const fields = Object.fromEntries([...new FormData(form)].filter(([key, value]) => key !== "csrf" && value !== ""));
        if ("people" in fields) fields.people = Number(fields.people);
        await post("/api/v1/notices/" + form.dataset.notice + "/answers", fields);
        shut(form.closest("tr"));
      } else {
        await post("/api/v1/tasks/" + form.dataset.task + "/" + (form.dataset.act || "close"), {});
      }
      announce(said.dataset.recorded);
      refresh();
    } catch (error) {
      const place = form.querySelector("[role=alert]");
      if (place) place.textContent = said.dataset.failed + " " + error.message; else announce(said.dataset.failed + " " + error.message);
    }
  });
  document.getElementById("filter").addEventListener("change", (event) => event.currentTarget.requestSubmit());
  board.querySelector(".behalf-form [autofocus]")?.focus(); // a page whose address names a row does not do it by itself
})();
