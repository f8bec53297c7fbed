// What is heard and felt: made by the phone, no files. A hall is loud, so each verdict also has a rhythm of its own.

const QUIET = "door.quiet";
// [frequency in Hz, start, length in seconds, shape]
const TONES = {
  admitted: [[880, 0, 0.09, "sine"], [1320, 0.1, 0.2, "sine"]],
  refused: [[196, 0, 0.16, "square"], [196, 0.22, 0.16, "square"], [147, 0.44, 0.36, "square"]],
  unchecked: [[523, 0, 0.12, "triangle"], [392, 0.18, 0.24, "triangle"]],
};
const PULSES = { seen: [15], admitted: [90], refused: [220, 90, 220, 90, 320], unchecked: [120, 80, 120] };
const LOUDNESS = { sine: 0.5, square: 0.22, triangle: 0.5 };
let audio = null;

/** Let the page make sounds; browsers ask for a tap before. */
export function wakeSounds() {
  audio ??= globalThis.AudioContext ? new AudioContext() : null;
  if (audio?.state === "suspended") audio.resume().catch(() => {});
}

export const isQuiet = () => localStorage.getItem(QUIET) === "yes";
export const setQuiet = (quiet) => localStorage.setItem(QUIET, quiet ? "yes" : "no");

/** Sound and pulse for `seen`, `admitted`, `refused` or `unchecked`. */
export function signal(kind) {
  if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(PULSES[kind] ?? []);
  if (isQuiet() || audio?.state !== "running") return;
  for (const tone of TONES[kind] ?? []) play(...tone);
}

function play(frequency, start, length, shape) {
  const oscillator = new OscillatorNode(audio, { frequency, type: shape });
  const volume = new GainNode(audio, { gain: 0 });
  const begin = audio.currentTime + start;
  volume.gain.setValueAtTime(0, begin);
  volume.gain.linearRampToValueAtTime(LOUDNESS[shape], begin + 0.01);
  volume.gain.setValueAtTime(LOUDNESS[shape], begin + length - 0.03);
  volume.gain.linearRampToValueAtTime(0, begin + length);
  oscillator.connect(volume).connect(audio.destination);
  oscillator.start(begin);
  oscillator.stop(begin + length);
}
