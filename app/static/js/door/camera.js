// The camera and what it sees: pictures go to the decoder, the texts of QR codes come back.

const LONGEST_SIDE = 1280; // what is larger is made smaller: reading takes time with the square of it
const CHOSEN = "door.camera";

/** Why there is no picture: one of the states the page has words for. */
export function cameraState(error) {
  if (!navigator.mediaDevices?.getUserMedia) return "insecure";
  const states = { NotAllowedError: "refused", SecurityError: "refused", NotFoundError: "missing", OverconstrainedError: "missing" };
  return states[error.name] ?? "broken";
}

/** Tells on its video element: `codes` for each picture read, detail: the texts in it, often none; `lost`; `undecodable`. */
export class Camera {
  #video;
  #canvas = document.createElement("canvas");
  #worker = null;
  #stream = null;
  #isBusy = false;
  #isWaiting = false;
  isPaused = false;

  constructor(video) {
    this.#video = video;
  }

  get isOn() {
    return this.#stream !== null;
  }

  /** Show what the chosen camera sees, by default the one at the back. Throws what getUserMedia throws. */
  async start(chosen = localStorage.getItem(CHOSEN)) {
    this.stop();
    const which = chosen ? { deviceId: { ideal: chosen } } : { facingMode: { ideal: "environment" } };
    const size = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
    this.#stream = await navigator.mediaDevices.getUserMedia({ video: { ...which, ...size }, audio: false });
    this.#track.addEventListener("ended", () => this.#tell("lost"));
    await this.#sharpen();
    this.#video.srcObject = this.#stream;
    await this.#video.play();
    this.#worker ??= this.#startWorker();
    this.#wait();
  }

  stop() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.#video.srcObject = null;
  }

  /** Return the cameras there are, and which is in use. */
  async list() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    const current = this.#track?.getSettings().deviceId;
    return devices.filter(({ kind }) => kind === "videoinput").map(({ deviceId, label }) => ({ deviceId, label, isCurrent: deviceId === current }));
  }

  async choose(deviceId) {
    localStorage.setItem(CHOSEN, deviceId);
    await this.start(deviceId);
  }

  get hasTorch() {
    return Boolean(this.#track?.getCapabilities?.().torch);
  }

  async setTorch(isOn) {
    await this.#track?.applyConstraints({ advanced: [{ torch: isOn }] });
  }

  get #track() {
    return this.#stream?.getVideoTracks()[0];
  }

  /** Ask for continuous focus where the camera can: tickets come near. */
  async #sharpen() {
    const modes = this.#track.getCapabilities?.().focusMode ?? [];
    if (!modes.includes("continuous")) return;
    await this.#track.applyConstraints({ advanced: [{ focusMode: "continuous" }] }).catch(() => {});
  }

  #startWorker() {
    const worker = new Worker(new URL("./decoder.js", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }) => this.#read(data);
    worker.onerror = () => this.#tell("undecodable");
    return worker;
  }

  /** Take the next picture when there is one: never two at a time, never the same one twice. */
  #wait() {
    if (this.#isWaiting || this.#isBusy || !this.isOn) return;
    this.#isWaiting = true;
    const look = () => {
      this.#isWaiting = false;
      this.#send();
    };
    if ("requestVideoFrameCallback" in this.#video) this.#video.requestVideoFrameCallback(look);
    else requestAnimationFrame(look);
  }

  #send() {
    const { videoWidth, videoHeight } = this.#video;
    if (!this.isOn) return;
    if (this.isPaused || !videoWidth) return void setTimeout(() => this.#wait(), 50);
    const scale = Math.min(1, LONGEST_SIDE / Math.max(videoWidth, videoHeight));
    const width = Math.round(videoWidth * scale);
    const height = Math.round(videoHeight * scale);
    if (this.#canvas.width !== width) this.#canvas.width = width;
    if (this.#canvas.height !== height) this.#canvas.height = height;
    const context = this.#canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    context.drawImage(this.#video, 0, 0, width, height);
    const pixels = context.getImageData(0, 0, width, height).data.buffer;
    this.#isBusy = true;
    this.#worker.postMessage({ pixels, width, height }, [pixels]);
  }

  #read({ texts, failure }) {
    this.#isBusy = false;
    if (failure) this.#tell("undecodable");
    else if (this.isOn && !this.isPaused) this.#tell("codes", texts);
    this.#wait();
  }

  #tell(name, detail) {
    this.#video.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
