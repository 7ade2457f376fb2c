/** Takes the picture of the README: `node --import tsx test/interop/dashboard-image.ts`. */
import { writeFile } from "node:fs/promises";
import { startChromium } from "../kit/chromium.ts";
import { stageDashboard } from "../kit/dashboard-stage.ts";

const FILE = "docs/images/dashboard.png";

const stage = await stageDashboard();
const browser = await startChromium();
try {
  const { url } = await stage.open();
  const page = await browser.open(url, { width: 1100, height: 900 });
  await page.setColors("light");
  await page.untilTrue(`document.querySelectorAll("#edges tbody tr").length === 7`);
  await page.untilTrue(`document.querySelectorAll("#denials details").length === 2`);
  await page.evaluate(`document.querySelector("#denials details").open = true`);
  await writeFile(FILE, await page.screenshot());
  console.log(`${FILE} is written`);
} finally {
  await browser.close();
  await stage.stop();
}
