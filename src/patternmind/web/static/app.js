// Progressive enhancement of the pages: keyboard shortcuts, autosave, live updates, partial refresh. All pages work without it.
// A behaviour is a function of an element, named in its attribute data-do; an element can have several.

const live = document.getElementById("live");
const storage = {
  get(key) { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } },
  set(key, value) { try { localStorage.setItem(key, JSON.stringify(value)); return true; } catch { return false; } },
  remove(key) { try { localStorage.removeItem(key); } catch { /* storage is blocked, so there is nothing to remove */ } },
};

/** Announce a message to screen readers. */
export function announce(message) {
  live.textContent = "";
  setTimeout(() => { live.textContent = message; }, 50);
}

/** Start the behaviours of all elements below root, once each. */
export function activate(root) {
  for (const time of root.querySelectorAll("time[datetime*=T]")) showLocalTime(time);
  for (const element of root.querySelectorAll("[data-do]")) {
    for (const name of element.dataset.do.split(" ")) {
      if (element.activated?.has(name) || !(name in BEHAVIOURS)) continue;
      (element.activated ??= new Set()).add(name);
      BEHAVIOURS[name](element);
    }
  }
}

function showLocalTime(time) {
  const date = new Date(time.dateTime);
  if (Number.isNaN(date.valueOf())) return;
  time.title = time.textContent;
  time.textContent = date.toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
}

// Partial refresh ---------------------------------------------------------------------------------------------------

/** Fetch a page and replace the element with this id by that of the fetched page; false if that fails. */
export async function refresh(id, url) {
  try {
    const response = await fetch(url, { headers: { accept: "text/html" }, credentials: "same-origin" });
    if (!response.ok || response.redirected) return false;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const replacement = page.getElementById(id);
    const current = document.getElementById(id);
    if (!replacement || !current) return false;
    current.replaceWith(replacement);
    activate(replacement.parentElement);
    return true;
  } catch {
    return false;
  }
}

/** A link to a page that differs from this one only in the element data-part. If the fetch fails, the link is followed. */
function partialLink(link) {
  link.addEventListener("click", async (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    if (!(await refresh(link.dataset.part, link.href))) { location.assign(link.href); return; }
    history.replaceState(null, "", link.href);
    for (const other of document.querySelectorAll(`[data-part="${link.dataset.part}"][aria-current]`)) other.removeAttribute("aria-current");
    link.setAttribute("aria-current", "true");
    const part = document.getElementById(link.dataset.part);
    part.querySelector("mark")?.scrollIntoView({ block: "nearest" });
    if (matchMedia("(max-width: 60rem)").matches) part.scrollIntoView({ block: "start" });
    announce(part.dataset.announce ?? "Updated.");
  });
}

/** Refresh an element every data-every seconds while it has this behaviour. */
function poll(element) {
  const update = async () => {
    if (!element.isConnected) return;
    if (!document.hidden && (await refresh(element.id, location.href))) return;
    setTimeout(update, 1000 * Number(element.dataset.every || 3));
  };
  setTimeout(update, 1000 * Number(element.dataset.every || 3));
}

/** Refresh an element on each server-sent event of the stream data-events. */
function events(element) {
  const source = new EventSource(element.dataset.events);
  const update = () => { refresh(element.id, location.href); };
  for (const name of ["message", "progress", "done", "failed"]) source.addEventListener(name, update);
  for (const name of ["done", "failed"]) source.addEventListener(name, () => source.close());
  new MutationObserver(() => { if (!element.isConnected) source.close(); }).observe(document.body, { childList: true, subtree: true });
}

// Keyboard shortcuts --------------------------------------------------------------------------------------------------

const KEYS = "patternmind.keys"; // {"off": true}, or {"A": "Q"} if Q triggers the shortcut that the page calls A

function isTyping(target) {
  if (target.isContentEditable || target.matches?.("textarea, select")) return true;
  return target.matches?.("input") && !["radio", "checkbox", "submit", "button"].includes(target.type);
}

/** Return the shortcut for the pressed key, with the person's own key choices. */
function resolveKey(pressed) {
  const choices = storage.get(KEYS) ?? {};
  const key = pressed.length === 1 ? pressed.toUpperCase() : pressed;
  for (const [name, chosen] of Object.entries(choices)) if (chosen === key) return name;
  return key in choices ? "" : key;
}

function isVisible(element) { return element.getClientRects().length > 0 && !element.disabled; }

function press(key) {
  for (const element of document.querySelectorAll("[data-key]")) {
    if (element.dataset.key.toUpperCase() !== key) continue;
    if (element.matches("summary")) { const details = element.parentElement; details.open = !details.open; element.focus(); return true; }
    if (!isVisible(element)) continue;
    if (element.matches("input, textarea, select")) { element.focus(); element.select?.(); } else element.click();
    return true;
  }
  return false;
}

/** Move the focus to the next or previous sentence of a draft, or row of a list. */
function moveFocus(offset) {
  const rows = [...document.querySelectorAll("[data-focusable-row]")].filter(isVisible);
  if (!rows.length) return false;
  const current = rows.findIndex((row) => row === document.activeElement || row.hasAttribute("aria-current"));
  const next = rows[Math.min(Math.max(current + offset, 0), rows.length - 1)];
  next.focus();
  if (next.dataset.part) next.click();
  return true;
}

function onKey(event) {
  if (event.defaultPrevented || event.isComposing) return;
  if (event.key === "Enter" && event.ctrlKey) { const form = event.target.closest?.("form"); if (form) { event.preventDefault(); form.requestSubmit(form.querySelector("[data-sends]") ?? undefined); } return; }
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || isTyping(event.target) || storage.get(KEYS)?.off) return;
  if (document.querySelector("dialog[open]") && event.key !== "?") return;
  if (["Enter", "Backspace", "Delete", "Tab", " ", "Escape"].includes(event.key)) return; // these keep their usual meaning
  const reasons = document.querySelector("details[data-reasons][open]");
  const key = resolveKey(event.key);
  const digit = reasons?.querySelector(`[data-digit="${CSS.escape(event.key)}"]`);
  if (digit) { event.preventDefault(); digit.click(); return; }
  const isHandled = key === "?" ? toggleHelp() : key === "J" ? moveFocus(1) : key === "K" ? moveFocus(-1) : press(key);
  if (isHandled) event.preventDefault();
}

function toggleHelp() {
  const dialog = document.querySelector("dialog[data-do~=keyHelp]");
  if (!dialog) return false;
  if (dialog.open) dialog.close(); else dialog.showModal();
  return true;
}

/** The dialog that lists the shortcuts, with the person's own keys. */
function keyHelp(dialog) {
  const choices = storage.get(KEYS) ?? {};
  for (const name of dialog.querySelectorAll("kbd[data-name]")) name.textContent = choices[name.dataset.name] ?? name.dataset.name;
  for (const close of dialog.querySelectorAll("[data-close]")) close.addEventListener("click", () => dialog.close());
}

/** A form that sets the shortcuts of this browser: a checkbox named off, and a short field for each shortcut. */
function keySettings(form) {
  const choices = storage.get(KEYS) ?? {};
  form.hidden = false;
  for (const field of form.elements) {
    if (field.name === "off") field.checked = Boolean(choices.off);
    else if (field.dataset.name) field.value = choices[field.dataset.name] ?? field.dataset.name;
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const chosen = {};
    for (const field of form.elements) {
      const value = field.value?.trim().toUpperCase();
      if (field.dataset.name && value && value !== field.dataset.name) chosen[field.dataset.name] = value.slice(0, 1);
    }
    const used = [...form.elements].filter((field) => field.dataset.name).map((field) => chosen[field.dataset.name] ?? field.dataset.name);
    const note = form.querySelector("[data-note]");
    if (new Set(used).size < used.length) { note.textContent = "Two shortcuts have the same key. Give each its own."; return; }
    if (form.elements.off.checked) chosen.off = true;
    note.textContent = storage.set(KEYS, chosen) ? "Saved in this browser." : "Not saved: this browser blocks local storage.";
  });
}

// Autosave ----------------------------------------------------------------------------------------------------------

/** Prefix of the signed-in member's unsaved texts, so that other members in this browser do not see them. */
const autosavePrefix = `patternmind.text.${document.documentElement.dataset.autosaveNamespace ?? ""}.`;

/** Delete the member's unsaved texts when they sign out. */
function clearAutosave(form) {
  form.addEventListener("submit", () => { for (const key of Object.keys(localStorage)) if (key.startsWith(autosavePrefix)) storage.remove(key); });
}

/** Keep a copy of the form under data-save, so that its text survives a lost connection, an ended session and a closed tab. */
function autosave(form) {
  const key = autosavePrefix + form.dataset.save;
  const status = form.querySelector("[data-status]");
  const fields = () => [...form.elements].filter((field) => field.name && !["hidden", "submit", "button", "file", "password"].includes(field.type));
  const read = () => fields().map((field) => (["radio", "checkbox"].includes(field.type) ? [field.name, field.value, field.checked] : [field.name, field.value]));
  const initial = read();
  const isInitial = (saved) => initial.some((current) => current.length === saved.length && current.every((part, index) => part === saved[index]));
  const showStatus = (text, isUnsaved) => { if (status) { status.textContent = text; status.classList.toggle("unsaved", isUnsaved); } };
  const restore = (values) => { // match by name, and by value if several fields share a name: the form may have changed
    const remaining = fields();
    for (const saved of values) {
      const index = remaining.findIndex((field) => field.name === saved[0] && (saved.length === 2 || field.value === saved[1]));
      if (index < 0) continue;
      const [field] = remaining.splice(index, 1);
      if (saved.length === 3) field.checked = saved[2]; else field.value = saved[1];
    }
  };

  const copy = storage.get(key);
  if ("unsaved" in form.dataset) { // the server returned the text and stores no copy
    const isStored = storage.set(key, { version: form.dataset.version, values: initial });
    showStatus(isStored ? "Not saved yet; kept in this browser." : "Not saved yet.", true);
  } else if (copy && copy.version !== form.dataset.version && copy.sent) storage.remove(key);
  else if (copy && copy.values.every(isInitial)) storage.remove(key);
  else if (copy) {
    restore(copy.values);
    showStatus("Not saved yet: this is your last text, kept in this browser.", true);
    form.closest("details")?.setAttribute("open", "");
  }
  let timer;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const isStored = storage.set(key, { version: form.dataset.version, values: read() });
      showStatus(isStored ? "Not saved yet; kept in this browser." : "Not saved yet.", true);
    }, 300);
  });
  form.addEventListener("reset", () => { storage.remove(key); showStatus("", false); });
  form.addEventListener("submit", async (event) => {
    if (form.isChecked) return;
    event.preventDefault();
    clearTimeout(timer);
    storage.set(key, { version: form.dataset.version, values: read() });
    showStatus("Saving …", false);
    try {
      if (!(await fetch("/healthz", { cache: "no-store" })).ok) throw new Error("unhealthy");
    } catch {
      showStatus("Not saved yet: the server does not respond. Your text is kept in this browser; try again.", true);
      announce("Not saved yet. The server does not respond. Your text is kept.");
      return;
    }
    storage.set(key, { version: form.dataset.version, values: read(), sent: true });
    form.isChecked = true;
    form.requestSubmit(event.submitter ?? undefined);
    form.isChecked = false;
  });
}

/** Ignore a second submission within four seconds. */
function preventDoubleSubmit(form) {
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    if (form.dataset.submitted) { event.preventDefault(); return; }
    form.dataset.submitted = "1";
    setTimeout(() => { delete form.dataset.submitted; }, 4000);
  });
  addEventListener("pageshow", () => { delete form.dataset.submitted; });
}

/** Submit a filter form when a choice changes. */
function autoSubmit(form) {
  form.addEventListener("change", (event) => { if (event.target.matches("select, [type=radio], [type=checkbox]")) form.requestSubmit(); });
}

/** Follow a link at once: the result of a finished job. */
function redirect(link) { location.replace(link.href); }

const BEHAVIOURS = { redirect, clearAutosave, partialLink, poll, events, keyHelp, keySettings, autosave, preventDoubleSubmit, autoSubmit };

document.addEventListener("keydown", onKey);
addEventListener("focusin", (event) => { for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false; });
activate(document);
