// What the pages gain where scripts run. Every page works without: this adds keys, autosave, live words, partial refresh.
// A behaviour is a function of an element, named in its attribute data-do; one element may have several.

const live = document.getElementById("live");
const kept = {
  get(key) { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } },
  set(key, value) { try { localStorage.setItem(key, JSON.stringify(value)); return true; } catch { return false; } },
  drop(key) { try { localStorage.removeItem(key); } catch { /* nothing kept, nothing to drop */ } },
};

/** Say something to those who listen to the page rather than see it. */
export function announce(words) {
  live.textContent = "";
  setTimeout(() => { live.textContent = words; }, 50);
}

/** Everything in a part of the page that wants a behaviour gets it, once. */
export function begin(root) {
  for (const time of root.querySelectorAll("time[datetime*=T]")) localTime(time);
  for (const element of root.querySelectorAll("[data-do]")) {
    for (const name of element.dataset.do.split(" ")) {
      if (element.begun?.has(name) || !(name in BEHAVIOURS)) continue;
      (element.begun ??= new Set()).add(name);
      BEHAVIOURS[name](element);
    }
  }
}

function localTime(time) {
  const at = new Date(time.dateTime);
  if (Number.isNaN(at.valueOf())) return;
  time.title = time.textContent;
  time.textContent = at.toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
}

// Partial refresh ---------------------------------------------------------------------------------------------------

/** Fetch a page and put its part with this id in the place of ours; false where that failed. */
export async function refresh(id, address) {
  try {
    const answer = await fetch(address, { headers: { accept: "text/html" }, credentials: "same-origin" });
    if (!answer.ok || answer.redirected) return false;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById(id);
    const old = document.getElementById(id);
    if (!fresh || !old) return false;
    old.replaceWith(fresh);
    begin(fresh.parentElement);
    return true;
  } catch {
    return false;
  }
}

/** A link whose page differs from this one in one part only: data-part names it. Without an answer the link is followed. */
function part(link) {
  link.addEventListener("click", async (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    if (!(await refresh(link.dataset.part, link.href))) { location.assign(link.href); return; }
    history.replaceState(null, "", link.href);
    for (const other of document.querySelectorAll(`[data-part="${link.dataset.part}"][aria-current]`)) other.removeAttribute("aria-current");
    link.setAttribute("aria-current", "true");
    const shown = document.getElementById(link.dataset.part);
    const mark = shown.querySelector("mark");
    mark?.scrollIntoView({ block: "nearest" });
    if (matchMedia("(max-width: 60rem)").matches) shown.scrollIntoView({ block: "start" });
    announce(shown.dataset.says ?? "Shown.");
  });
}

/** A part that is asked for again every data-every seconds while it carries this behaviour. */
function poll(element) {
  const again = async () => {
    if (!element.isConnected) return;
    if (!document.hidden && (await refresh(element.id, location.href))) return;
    setTimeout(again, 1000 * Number(element.dataset.every || 3));
  };
  setTimeout(again, 1000 * Number(element.dataset.every || 3));
}

/** A part that is asked for again whenever the server says so: data-events is a stream of server-sent events. */
function events(element) {
  const source = new EventSource(element.dataset.events);
  const again = () => { refresh(element.id, location.href); };
  for (const name of ["message", "progress", "done", "failed"]) source.addEventListener(name, again);
  for (const name of ["done", "failed"]) source.addEventListener(name, () => source.close());
  new MutationObserver(() => { if (!element.isConnected) source.close(); }).observe(document.body, { childList: true, subtree: true });
}

// Keys --------------------------------------------------------------------------------------------------------------

const KEYS = "patternmind.keys"; // {"off": true} or {"A": "Q"}: what the page calls A is pressed with Q

function typing(target) {
  if (target.isContentEditable || target.matches?.("textarea, select")) return true;
  return target.matches?.("input") && !["radio", "checkbox", "submit", "button"].includes(target.type);
}

/** The name the page knows for the key that was pressed, by the person's own wishes. */
function named(pressed) {
  const wishes = kept.get(KEYS) ?? {};
  const key = pressed.length === 1 ? pressed.toUpperCase() : pressed;
  for (const [name, wished] of Object.entries(wishes)) if (wished === key) return name;
  return key in wishes ? "" : key;
}

function visible(element) { return element.getClientRects().length > 0 && !element.disabled; }

function press(key) {
  for (const element of document.querySelectorAll("[data-key]")) {
    if (element.dataset.key.toUpperCase() !== key) continue;
    if (element.matches("summary")) { const box = element.parentElement; box.open = !box.open; element.focus(); return true; }
    if (!visible(element)) continue;
    if (element.matches("input, textarea, select")) { element.focus(); element.select?.(); } else element.click();
    return true;
  }
  return false;
}

/** J and K go through the sentences of a draft, or the rows of a list. */
function step(by) {
  const stops = [...document.querySelectorAll("[data-stop]")].filter(visible);
  if (!stops.length) return false;
  const now = stops.findIndex((stop) => stop === document.activeElement || stop.hasAttribute("aria-current"));
  const next = stops[Math.min(Math.max(now + by, 0), stops.length - 1)];
  next.focus();
  if (next.dataset.part) next.click();
  return true;
}

function onKey(event) {
  if (event.defaultPrevented || event.isComposing) return;
  if (event.key === "Enter" && event.ctrlKey) { const form = event.target.closest?.("form"); if (form) { event.preventDefault(); form.requestSubmit(form.querySelector("[data-sends]") ?? undefined); } return; }
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || typing(event.target) || kept.get(KEYS)?.off) return;
  if (document.querySelector("dialog[open]") && event.key !== "?") return;
  if (["Enter", "Backspace", "Delete", "Tab", " ", "Escape"].includes(event.key)) return; // never anything of ours
  const open = [...document.querySelectorAll("details[data-reasons][open]")][0];
  const key = named(event.key);
  const digit = open?.querySelector(`[data-digit="${CSS.escape(event.key)}"]`);
  if (digit) { event.preventDefault(); digit.click(); return; }
  const done = key === "?" ? help() : key === "J" ? step(1) : key === "K" ? step(-1) : press(key);
  if (done) event.preventDefault();
}

function help() {
  const dialog = document.querySelector("dialog[data-do~=keyhelp]");
  if (!dialog) return false;
  if (dialog.open) dialog.close(); else dialog.showModal();
  return true;
}

/** The list of keys, with the person's own in their place. */
function keyhelp(dialog) {
  const wishes = kept.get(KEYS) ?? {};
  for (const name of dialog.querySelectorAll("kbd[data-name]")) name.textContent = wishes[name.dataset.name] ?? name.dataset.name;
  for (const close of dialog.querySelectorAll("[data-close]")) close.addEventListener("click", () => dialog.close());
}

/** A form that sets the keys of this browser: a checkbox named off, and one short field for every key. */
function keysettings(form) {
  const wishes = kept.get(KEYS) ?? {};
  form.hidden = false;
  for (const field of form.elements) {
    if (field.name === "off") field.checked = Boolean(wishes.off);
    else if (field.dataset.name) field.value = wishes[field.dataset.name] ?? field.dataset.name;
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const wished = {};
    for (const field of form.elements) {
      const value = field.value?.trim().toUpperCase();
      if (field.dataset.name && value && value !== field.dataset.name) wished[field.dataset.name] = value.slice(0, 1);
    }
    const used = [...form.elements].filter((f) => f.dataset.name).map((f) => wished[f.dataset.name] ?? f.dataset.name);
    const note = form.querySelector("[data-note]");
    if (new Set(used).size < used.length) { note.textContent = "Two keys are the same. Give each its own."; return; }
    if (form.elements.off.checked) wished.off = true;
    note.textContent = kept.set(KEYS, wished) ? "Saved in this browser." : "This browser keeps nothing, so it cannot be saved.";
  });
}

// Autosave ----------------------------------------------------------------------------------------------------------

/** Where the unsaved text of whoever is signed in lies in this browser: nobody else who signs in here is shown it. */
const shelf = `patternmind.text.${document.documentElement.dataset.shelf ?? ""}.`;

/** Signing out on purpose leaves no text behind. */
function forget(form) {
  form.addEventListener("submit", () => { for (const key of Object.keys(localStorage)) if (key.startsWith(shelf)) kept.drop(key); });
}

/** What is typed into a form outlives a lost connection, an ended sign-in and a closed tab: data-save names the copy. */
function autosave(form) {
  const key = shelf + form.dataset.save;
  const says = form.querySelector("[data-kept]");
  const fields = () => [...form.elements].filter((f) => f.name && !["hidden", "submit", "button", "file", "password"].includes(f.type));
  const read = () => fields().map((f) => (["radio", "checkbox"].includes(f.type) ? [f.name, f.value, f.checked] : [f.name, f.value]));
  const first = read();
  const has = (was) => first.some((now) => now.length === was.length && now.every((part, at) => part === was[at]));
  const say = (words, unsaved) => { if (says) { says.textContent = words; says.classList.toggle("unsaved", unsaved); } };
  const put = (values) => { // by name, and by value where several have one name: the form may have other fields now
    const left = fields();
    for (const was of values) {
      const at = left.findIndex((f) => f.name === was[0] && (was.length === 2 || f.value === was[1]));
      if (at < 0) continue;
      const [f] = left.splice(at, 1);
      if (was.length === 3) f.checked = was[2]; else f.value = was[1];
    }
  };

  const copy = kept.get(key);
  if ("unsaved" in form.dataset) { // the server gave the text back, and keeps nothing of it
    const stored = kept.set(key, { version: form.dataset.version, values: first });
    say(stored ? "Not saved yet; kept in this browser." : "Not saved yet.", true);
  } else if (copy && copy.version !== form.dataset.version && copy.sent) kept.drop(key);
  else if (copy && copy.values.every(has)) kept.drop(key);
  else if (copy) {
    put(copy.values);
    say("Not saved yet: this is what you wrote last, kept in this browser.", true);
    form.closest("details")?.setAttribute("open", "");
  }
  let wait;
  form.addEventListener("input", () => {
    clearTimeout(wait);
    wait = setTimeout(() => {
      const stored = kept.set(key, { version: form.dataset.version, values: read() });
      say(stored ? "Not saved yet; kept in this browser." : "Not saved yet.", true);
    }, 300);
  });
  form.addEventListener("reset", () => { kept.drop(key); say("", false); });
  form.addEventListener("submit", async (event) => {
    if (form.sure) return;
    event.preventDefault();
    clearTimeout(wait);
    kept.set(key, { version: form.dataset.version, values: read() });
    say("Saving …", false);
    try {
      if (!(await fetch("/healthz", { cache: "no-store" })).ok) throw new Error("no");
    } catch {
      say("Not saved yet: the server does not answer. Your text is kept in this browser; try again.", true);
      announce("Not saved yet. The server does not answer. Your text is kept.");
      return;
    }
    kept.set(key, { version: form.dataset.version, values: read(), sent: true });
    form.sure = true;
    form.requestSubmit(event.submitter ?? undefined);
    form.sure = false;
  });
}

/** Two clicks are one decision. */
function once(form) {
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    if (form.dataset.gone) { event.preventDefault(); return; }
    form.dataset.gone = "1";
    setTimeout(() => { delete form.dataset.gone; }, 4000);
  });
  addEventListener("pageshow", () => { delete form.dataset.gone; });
}

/** A filter that applies as soon as it is chosen. */
function atonce(form) {
  form.addEventListener("change", (event) => { if (event.target.matches("select, [type=radio], [type=checkbox]")) form.requestSubmit(); });
}

/** Where a waiting page leads once it is done waiting. */
function go(link) { location.replace(link.href); }

const BEHAVIOURS = { go, forget, part, poll, events, keyhelp, keysettings, autosave, once, atonce };

document.addEventListener("keydown", onKey);
addEventListener("focusin", (event) => { for (const open of document.querySelectorAll("details.menu[open]")) if (!open.contains(event.target)) open.open = false; });
begin(document);
