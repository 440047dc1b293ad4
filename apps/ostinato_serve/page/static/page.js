// What the whole page does: tabs, files that are dropped, sentences where something goes wrong.

import "./words.js";
import "./translations.js";
import "./videos.js";
import "./gestures.js";

const tabs = [...document.querySelectorAll('[role="tab"]')];

function show(tab, { focus = false } = {}) {
  for (const each of tabs) {
    const chosen = each === tab;
    each.setAttribute("aria-selected", String(chosen));
    each.tabIndex = chosen ? 0 : -1;
    document.getElementById(each.getAttribute("aria-controls")).hidden = !chosen;
  }
  history.replaceState(null, "", "#" + tab.getAttribute("aria-controls"));
  if (focus) tab.focus();
}

tabs.forEach((tab, place) => {
  tab.addEventListener("click", () => show(tab));
  tab.addEventListener("keydown", (event) => {
    const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    show(tabs[(next + tabs.length) % tabs.length], { focus: true });
  });
});

const named = tabs.find((tab) => "#" + tab.getAttribute("aria-controls") === location.hash);
if (named) show(named);

// Files: chosen, dropped or pasted, they are sent at once.

function tell(form, sentence) {
  const problem = Object.assign(document.createElement("p"), { className: "problem", textContent: sentence });
  problem.setAttribute("role", "alert");
  document.querySelector(form.getAttribute("hx-target")).replaceChildren(problem);
}

function send(input) {
  const [file] = input.files;
  if (!file) return;
  const most = Number(input.dataset.maxMb);
  if (file.size > most * 2 ** 20) {
    tell(input.form, `${file.name} has ${Math.ceil(file.size / 2 ** 20)} MiB; up to ${most} MiB can be sent.`);
    input.value = "";
    return;
  }
  input.form.requestSubmit();
}

for (const zone of document.querySelectorAll(".drop")) {
  const input = zone.querySelector("input");
  input.addEventListener("change", () => send(input));
  for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.toggle("over", name === "dragenter" || name === "dragover");
    });
  }
  zone.addEventListener("drop", (event) => take(input, event.dataTransfer));
}

function take(input, transfer) {
  if (!transfer?.files.length) return;
  const one = new DataTransfer();
  one.items.add(transfer.files[0]);
  input.files = one.files;
  input.dispatchEvent(new Event("change"));
}

document.addEventListener("paste", (event) => {
  const input = document.querySelector('[role="tabpanel"]:not([hidden]) .drop input');
  if (input && event.clipboardData.files.length) take(input, event.clipboardData);
});

// A file that is dropped beside its place must not take the page away.
for (const name of ["dragover", "drop"]) {
  document.addEventListener(name, (event) => event.preventDefault());
}

document.addEventListener("click", (event) => {
  const sample = event.target.closest('button[name="sample"]');
  const input = sample?.form.querySelector('input[type="file"]');
  if (input) input.value = "";
});

// Results

document.addEventListener("htmx:beforeRequest", (event) => event.detail.target.setAttribute("aria-busy", "true"));
document.addEventListener("htmx:afterRequest", (event) => event.detail.target.removeAttribute("aria-busy"));
document.addEventListener("htmx:afterSwap", (event) => {
  const { top } = event.detail.target.getBoundingClientRect();
  if (top > window.innerHeight * 0.6) event.detail.target.scrollIntoView({ behavior: "smooth", block: "start" });
});
for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => tell(event.detail.elt.closest("form"), "The server does not answer. Is it still running?"));
}
