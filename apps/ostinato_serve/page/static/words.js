// Words that show what they looked at: under the pointer, tapped, or walked along with the arrow keys.

const SHADE = 0.8; // of what a word did not look at

document.addEventListener("pointerover", (event) => mark(event.target.closest?.(".word")));
document.addEventListener("pointerout", (event) => {
  const word = event.target.closest?.(".word");
  if (word && event.pointerType === "mouse" && !word.contains(event.relatedTarget)) clear(word);
});
document.addEventListener("focusin", (event) => mark(event.target.closest(".word")));
document.addEventListener("focusout", (event) => {
  const word = event.target.closest(".word");
  if (word && !event.relatedTarget?.closest(".word")) clear(word);
});

document.addEventListener("keydown", (event) => {
  const word = event.target.closest?.(".word");
  if (!word) return;
  const words = [...word.closest(".words").querySelectorAll(".word")];
  const place = words.indexOf(word);
  const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: words.length - 1 }[event.key];
  if (event.key === "Escape") clear(word);
  if (next === undefined || !words[next]) return;
  event.preventDefault();
  word.tabIndex = -1;
  words[next].tabIndex = 0;
  words[next].focus();
});

function mark(word) {
  if (!word) return;
  clear(word);
  word.classList.add("now");
  if (word.dataset.grid) spotlight(word);
  else align(word);
}

function clear(word) {
  const result = word.closest(".result");
  for (const each of result.querySelectorAll(".word")) {
    each.classList.remove("now");
    each.style.removeProperty("--weight");
  }
  const canvas = result.querySelector(".frame canvas");
  canvas?.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
}

// Darkens the photo but for the places that the word looked at.
function spotlight(word) {
  const canvas = word.closest(".result").querySelector(".frame canvas");
  const columns = Number(word.dataset.columns);
  const grid = word.dataset.grid.split(",").map(Number);
  const small = new OffscreenCanvas(columns, grid.length / columns);
  const pixels = new ImageData(small.width, small.height);
  grid.forEach((value, place) => (pixels.data[4 * place + 3] = SHADE * (255 - value)));
  small.getContext("2d").putImageData(pixels, 0, 0);
  canvas.width = canvas.clientWidth * devicePixelRatio;
  canvas.height = canvas.clientHeight * devicePixelRatio;
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
}

// Marks what a word of a translation looked at, or which words looked at a word of the sentence.
function align(word) {
  const alignment = word.closest(".alignment");
  const targets = [...alignment.querySelectorAll(".target .word")];
  const sources = [...alignment.querySelectorAll(".source .word")];
  const weights = targets.map((each) => each.dataset.weights.split(",").map(Number));
  const isTarget = targets.includes(word);
  const place = (isTarget ? targets : sources).indexOf(word);
  const marked = (isTarget ? sources : targets).map((other, number) => {
    const weight = (isTarget ? weights[place][number] : weights[number][place]) || 0;
    other.style.setProperty("--weight", weight / 100);
    return [other.textContent, weight];
  });
  const strong = marked.filter(([, weight]) => weight >= 10).sort((one, other) => other[1] - one[1]).slice(0, 3);
  const listed = strong.map(([text, weight]) => `“${text}” ${weight} %`).join(", ") || "no word in particular";
  alignment.querySelector(".says").textContent = isTarget
    ? `“${word.textContent}” looked at ${listed}`
    : `“${word.textContent}” was looked at by ${listed}`;
}
