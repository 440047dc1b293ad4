// The camera: one frame is on its way at a time, so that a slow server is never behind.

const form = document.getElementById("camera-form");
const FRAME_WIDTH = 320; // pixels that are sent
const MOST_RATE = 30; // frames a second
// Joints of a hand that bones join.
const BONES = [[0, 1], [1, 2], [2, 3], [3, 4], [0, 5], [5, 6], [6, 7], [7, 8], [5, 9], [9, 10], [10, 11], [11, 12],
  [9, 13], [13, 14], [14, 15], [15, 16], [13, 17], [0, 17], [17, 18], [18, 19], [19, 20]];

if (form) {
  const [camera, hands, stage, note, button, problem] = ["camera", "hands", "stage", "stage-note", "camera-switch", "gestures-problem"]
    .map((name) => document.getElementById(name));
  let running = null; // what runs now: {stopped, end()}

  const say = (sentence) => {
    problem.textContent = sentence;
    problem.hidden = !sentence;
  };

  const post = async (address, body, options = {}) => {
    const answer = await fetch(address, { method: "POST", body, headers: { "HX-Request": "true" }, ...options });
    if (answer.ok) return answer.status === 204 ? null : answer.json();
    const written = new DOMParser().parseFromString(await answer.text(), "text/html");
    throw new Error(written.querySelector(".problem")?.textContent ?? "The server could not answer.");
  };

  const draw = (shown) => {
    const context = hands.getContext("2d");
    context.clearRect(0, 0, hands.width, hands.height);
    context.strokeStyle = context.fillStyle = "#ffb238";
    context.lineWidth = hands.width / 160;
    context.lineCap = "round";
    for (const joints of shown) {
      const places = joints.map(([x, y]) => [x * hands.width, y * hands.height]);
      for (const [from, to] of BONES) {
        context.beginPath();
        context.moveTo(...places[from]);
        context.lineTo(...places[to]);
        context.stroke();
      }
      for (const [x, y] of places) {
        context.beginPath();
        context.arc(x, y, hands.width / 110, 0, 7);
        context.fill();
      }
    }
  };

  const tell = (frame) => {
    draw(frame.hands);
    document.getElementById("seen-label").textContent = frame.label;
    document.getElementById("seen-confidence").value = frame.confidence;
    if (!frame.event) return;
    const sure = Math.round(100 * frame.event.confidence);
    const item = Object.assign(document.createElement("li"), { textContent: `${frame.event.label} (${sure} %)` });
    document.getElementById("events").prepend(item);
    document.getElementById("no-events").hidden = true;
  };

  const begin = (end) => {
    stop();
    say("");
    document.getElementById("events").replaceChildren();
    document.getElementById("no-events").hidden = false;
    running = { stopped: false, end };
    return running;
  };

  const stop = () => {
    if (!running) return;
    running.stopped = true;
    running.end();
    running = null;
    draw([]);
    button.textContent = "Start the camera";
    button.setAttribute("aria-pressed", "false");
    note.hidden = false;
    note.textContent = "The camera is off.";
  };

  const wait = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));

  const watchCamera = async () => {
    if (!navigator.mediaDevices?.getUserMedia) {
      say("Browsers give their camera only to pages of this machine or behind https; open http://localhost, or put the server behind a proxy that speaks https.");
      return;
    }
    let media = null;
    let session = null;
    const run = begin(() => {
      media?.getTracks().forEach((track) => track.stop());
      camera.srcObject = null;
      if (session) post(`page/gestures/${session}/end`, null, { keepalive: true }).catch(() => {});
    });
    button.textContent = "Stop the camera";
    button.setAttribute("aria-pressed", "true");
    note.textContent = "Starting ...";
    try {
      media = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480, facingMode: "user" }, audio: false });
      ({ session } = await post("page/gestures", new FormData(form)));
      if (run.stopped) return run.end();
      camera.srcObject = media;
      await camera.play();
      note.hidden = true;
      stage.classList.add("mirrored");
      await follow(run, () => session);
    } catch (error) {
      if (run.stopped) return;
      stop();
      say(error.name === "NotAllowedError" ? "The browser does not give its camera; allow it for this page."
        : error.name === "NotFoundError" ? "There is no camera."
        : error.message);
    }
  };

  const follow = async (run, session) => {
    const frame = document.createElement("canvas");
    frame.width = FRAME_WIDTH;
    frame.height = Math.round((FRAME_WIDTH * camera.videoHeight) / camera.videoWidth);
    hands.width = 2 * frame.width;
    hands.height = 2 * frame.height;
    const context = frame.getContext("2d");
    const started = performance.now();
    while (!run.stopped) {
      const seconds = (performance.now() - started) / 1000;
      context.drawImage(camera, 0, 0, frame.width, frame.height);
      const jpeg = await new Promise((done) => frame.toBlob(done, "image/jpeg", 0.85));
      const seen = await post(`page/gestures/${session()}?time=${seconds.toFixed(3)}`, jpeg);
      if (run.stopped) return;
      tell(seen);
      await wait(Math.max(0, 1 / MOST_RATE - ((performance.now() - started) / 1000 - seconds)));
    }
  };

  const playSample = async (name) => {
    const run = begin(() => {});
    stage.classList.remove("mirrored");
    note.hidden = true;
    const asked = new FormData(form);
    asked.set("sample", name);
    try {
      const { frames, aspect } = await post("page/gestures/sample", asked);
      hands.width = 640;
      hands.height = Math.round(640 / aspect);
      const started = performance.now();
      for (const frame of frames) {
        await wait(Math.max(0, frame.time - (performance.now() - started) / 1000));
        if (run.stopped) return;
        tell(frame);
      }
      stop();
      note.textContent = "That was the sample.";
    } catch (error) {
      if (run.stopped) return;
      stop();
      say(error.message);
    }
  };

  button.addEventListener("click", () => (button.getAttribute("aria-pressed") === "true" ? stop() : watchCamera()));
  for (const sample of form.querySelectorAll("[data-sample]")) {
    sample.addEventListener("click", () => playSample(sample.dataset.sample));
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("pagehide", stop);
  // Another tab of the page is no reason to go on watching.
  new MutationObserver(() => document.getElementById("gestures").hidden && stop())
    .observe(document.getElementById("gestures"), { attributeFilter: ["hidden"] });
}
