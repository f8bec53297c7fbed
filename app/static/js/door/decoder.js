// Reads QR codes out of pictures, in a worker: the page stays smooth while it works.
import { prepareZXingModule, readBarcodes } from "../../vendor/zxing/reader/index.js";

const wasm = new URL("../../vendor/zxing/zxing_reader.wasm", import.meta.url).href;
prepareZXingModule({ overrides: { locateFile: () => wasm } });

// Most frames are read the quick way. Every fourth is read with patience, which costs about twice as much and
// also finds codes that are white on black, as a phone in dark mode shows them.
const QUICK = { formats: ["QRCode"], tryHarder: false, tryRotate: false, tryInvert: false, tryDownscale: true, maxNumberOfSymbols: 4 };
const PATIENT = { ...QUICK, tryHarder: true, tryInvert: true };
let count = 0;

self.onmessage = async ({ data: { pixels, width, height } }) => {
  count += 1;
  try {
    const picture = new ImageData(new Uint8ClampedArray(pixels), width, height);
    const found = await readBarcodes(picture, count % 4 ? QUICK : PATIENT);
    self.postMessage({ texts: found.filter((code) => code.isValid).map((code) => code.text) });
  } catch (error) {
    self.postMessage({ texts: [], failure: String(error) });
  }
};
