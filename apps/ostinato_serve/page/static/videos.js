// The video beside its timeline: segments can be gone to, and what happens now is named.

const player = document.getElementById("player");

if (player) {
  const now = document.getElementById("now");
  const rows = () => [...document.querySelectorAll("#videos-result .segments tr[data-start]")];
  const load = (address) => {
    if (player.src.startsWith("blob:")) URL.revokeObjectURL(player.src);
    player.src = address;
    player.hidden = false;
    now.textContent = "";
  };

  document.getElementById("video").addEventListener("change", (event) => {
    const [file] = event.target.files;
    if (file) load(URL.createObjectURL(file));
  });
  document.addEventListener("click", (event) => {
    const sample = event.target.closest("[data-play]");
    if (sample) load(sample.dataset.play);
    const go = event.target.closest(".go");
    if (go) {
      player.currentTime = Number(go.closest("tr").dataset.start);
      player.play().catch(() => {}); // a file that the browser itself cannot show
    }
  });
  player.addEventListener("error", () => (player.hidden = true));
  document.getElementById("videos-model").addEventListener("change", (event) => {
    if (event.target.form.elements.video.files.length) event.target.form.requestSubmit();
  });

  player.addEventListener("timeupdate", () => {
    const time = player.currentTime;
    let label = "";
    for (const row of rows()) {
      const happens = Number(row.dataset.start) <= time && time < Number(row.dataset.end);
      row.classList.toggle("now", happens);
      if (happens) label = row.dataset.label;
    }
    now.textContent = label;
  });
}
