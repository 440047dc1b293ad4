// Languages by their names, only those that go together, and sample sentences.

const source = document.getElementById("source");
const target = document.getElementById("target");

if (source) {
  const form = source.form;
  const directions = form.dataset.directions.trim().split(" ").map((each) => each.split(">"));
  const names = new Intl.DisplayNames(["en"], { type: "language" });
  for (const option of form.querySelectorAll("[data-language]")) option.textContent = names.of(option.value);

  const fit = () => {
    for (const option of target.options) {
      option.disabled = source.value !== "" && !directions.some(([from, to]) => from === source.value && to === option.value);
    }
    if (!target.selectedOptions[0]?.disabled) return;
    const left = [...target.options].filter((option) => !option.disabled).map((option) => option.value);
    target.value = left.includes("en") ? "en" : left[0];
  };
  source.addEventListener("change", fit);

  form.querySelector(".exchange").addEventListener("click", () => {
    const [from, to] = [source.value, target.value];
    source.value = to;
    fit();
    if (from) target.value = from;
    fit();
    const written = document.querySelector("#translations-result .copy")?.dataset.copy;
    if (written && from) form.elements.text.value = written;
  });

  for (const button of form.querySelectorAll("[data-text]")) {
    button.addEventListener("click", () => {
      form.elements.text.value = button.dataset.text;
      source.value = button.dataset.source;
      fit();
      form.requestSubmit();
    });
  }

  form.elements.text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
  } catch {
    button.textContent = "The browser allows no copying here";
  }
});
