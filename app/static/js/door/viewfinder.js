// The camera's part of the page: starting, what is wrong with it in words, torch, choice, staying awake.
import { Camera, cameraState } from "./camera.js";
import { wakeSounds } from "./sounds.js";
import { say } from "./words.js";

const root = document.getElementById("view");
const video = document.getElementById("video");
const notice = document.getElementById("camera-notice");
const startButton = document.getElementById("start-camera");
const torchButton = document.getElementById("torch");
const switchButton = document.getElementById("switch-camera");
let camera = null;
let isTorchOn = false;

/** Prepare the camera; it starts by itself where it was allowed before, else by a tap. */
export async function startViewfinder(onTexts) {
  camera = new Camera(video);
  video.addEventListener("codes", ({ detail }) => onTexts(detail));
  startButton.addEventListener("click", () => {
    wakeSounds();
    open();
  });
  torchButton.addEventListener("click", toggleTorch);
  switchButton.addEventListener("click", chooseNext);
  video.addEventListener("lost", () => show("lost"));
  video.addEventListener("undecodable", () => show("undecodable"));
  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : root.dataset.state === "resting" && open()));
  if (!navigator.mediaDevices?.getUserMedia) return show("insecure");
  if (await isAllowed()) await open();
  else show("ready");
}

/** Look away while somebody types or reads a list. */
export function pauseViewfinder(isPaused) {
  if (camera) camera.isPaused = isPaused;
}

async function isAllowed() {
  try {
    return (await navigator.permissions.query({ name: "camera" })).state === "granted";
  } catch {
    return false; // the browser does not tell: a tap asks
  }
}

async function open(start = () => camera.start()) {
  show("starting");
  try {
    await start();
    show("on");
    stayAwake();
    await offerTools();
  } catch (error) {
    camera.stop();
    show(cameraState(error));
  }
}

/** An unseen camera drains the battery: it comes back with the page. */
function rest() {
  if (!camera.isOn) return;
  camera.stop();
  show("resting");
}

function show(state) {
  root.dataset.state = state;
  const isFine = ["on", "starting", "resting"].includes(state);
  notice.hidden = isFine;
  if (isFine) return;
  notice.querySelector("h2").textContent = say(`camera_${state}`);
  notice.querySelector("p").textContent = say(`camera_${state}_help`);
  startButton.textContent = say(state === "ready" ? "camera_start" : "camera_retry");
  startButton.hidden = state === "insecure";
}

async function offerTools() {
  torchButton.hidden = !camera.hasTorch;
  markTorch(false);
  switchButton.hidden = (await camera.list()).length < 2;
}

async function toggleTorch() {
  await camera.setTorch(!isTorchOn).then(() => markTorch(!isTorchOn), () => (torchButton.hidden = true));
}

function markTorch(isOn) {
  isTorchOn = isOn;
  torchButton.setAttribute("aria-pressed", String(isOn));
}

async function chooseNext() {
  const cameras = await camera.list();
  const next = cameras[(cameras.findIndex(({ isCurrent }) => isCurrent) + 1) % cameras.length];
  await open(() => camera.choose(next.deviceId));
}

/** Keep the screen lit; the browser takes that back when the page is hidden, and open() asks again. */
async function stayAwake() {
  await navigator.wakeLock?.request("screen").catch(() => {});
}
