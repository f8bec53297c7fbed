// This phone: where it stands, whether it is ready for a door without a network, and what to do when it is shut out.
import { drawChecklist } from "./checklist.js";
import { isGateGone } from "./decide.js";
import { forgetScans } from "./history.js";
import { isQuiet, setQuiet } from "./sounds.js";
import { letStorageFail, readMeta } from "./store.js";
import { endedBy, link } from "./sync-link.js";
import { chooseGate, onStatus, prepare, signOut, start, syncNow, tell } from "./sync.js";
import { takeOver } from "./sync-upload.js";
import { pauseViewfinder } from "./viewfinder.js";
import { say } from "./words.js";

const byId = (id) => document.getElementById(id);
const gates = byId("gates");

/** Follow what the synchronisation tells, and fill the drawer about this phone. */
export function startPhone() {
  byId("sounds").checked = !isQuiet();
  byId("sounds").addEventListener("change", (event) => setQuiet(!event.target.checked));
  byId("prepare").addEventListener("click", makeReady);
  byId("take-over").addEventListener("click", sendOthers);
  byId("sign-out").addEventListener("click", leave);
  gates.addEventListener("change", async () => {
    await chooseGate(gates.value || null);
    await tell();
  });
  link.addEventListener("ended", () => lockDoor(endedBy())); // whatever becomes of the data here
  onStatus((status) => follow(status).catch(letStorageFail));
  start();
}

/** Tell the page how things stand now, when somebody opens the drawer. */
export const openPhone = () => void tell();

/** Shut the page: this phone may not scan (any more). Its list of scans goes at once. */
export function lockDoor(code) {
  forgetScans();
  pauseViewfinder(true);
  const kind = { device_cut_off: "cut_off", signed_out: "signed_out", leaving: "leaving" }[code] ?? "logged_out";
  byId("locked").onclose = () => byId("locked").showModal(); // Escape is no way in
  byId("locked-title").textContent = say(kind);
  byId("locked-help").textContent = say(`${kind}_help`);
  if (!byId("locked").open) byId("locked").showModal();
}

async function follow(status) {
  if (status.locked) return lockDoor(status.locked);
  const [state, chosen] = await readMeta("state", "gate");
  const standing = status.device?.gate ?? state?.gates.find(({ name }) => name === chosen);
  const gone = isGateGone(state, chosen) ? chosen : null;
  drawBar(status, standing, gone);
  offerGates(status, state?.gates ?? [], chosen, gone);
  drawChecklist(status);
  byId("take-over").hidden = !status.others;
}

function drawBar({ isOnline, queued, device }, gate, gone) {
  const mode = isOnline ? "online" : "offline";
  if (device) {
    const isMore = isOnline && device.role === "supervisor"; // then it admits every letter
    const lanes = device.lanes && !isMore && say("lanes", { lanes: [...device.lanes].join(" ") });
    byId("gate").textContent = gate ? say("gate", { gate: gate.name }) : say(gone ? "gate_gone_bar" : "no_gate");
    byId("phone-name").textContent = [device.name, lanes].filter(Boolean).join(" · ");
    byId("directions").hidden = !gate?.hasExit;
    if (!gate?.hasExit) byId("directions").querySelector("[value=in]").click();
  }
  byId("network").dataset.state = mode;
  byId("network-word").textContent = say(mode);
  byId("queue").hidden = !queued;
  byId("queue").textContent = say("waiting", { count: queued });
}

/** A phone paired for one gate stays there; others say where they stand, once more when that gate is gone. */
function offerGates({ device }, all, chosen, gone) {
  byId("gates-field").hidden = !device || Boolean(device.gate) || !(all.length || gone);
  const options = [new Option(say("no_gate"), ""), ...all.map(({ name }) => new Option(say("gate", { gate: name }), name))];
  if (gone) options.unshift(new Option(say("gate_gone_option", { gate: gone }), gone));
  gates.replaceChildren(...options);
  gates.value = chosen ?? "";
}

async function makeReady() {
  const note = byId("prepare-note");
  byId("prepare").disabled = true;
  try {
    await prepare(({ done, total }) => (note.textContent = say("preparing", { count: done, total })));
    note.textContent = say("prepared");
  } catch {
    note.textContent = say("prepare_failed");
  }
  byId("prepare").disabled = false;
}

/** Scans of a log-in that will not come back would wait here for ever. */
async function sendOthers() {
  if (!confirm(say("take_over"))) return;
  await takeOver();
  await syncNow();
}

/** Wipe the phone and end its access; scans nobody has heard of are not dropped without another thought. */
async function leave() {
  if (!confirm(say("sign_out"))) return;
  const left = await signOut();
  if (left && confirm(say("sign_out_unsent", { count: left }))) await signOut({ evenUnsent: true });
}
