/** `hauberk dashboard` in a real Chromium: what it shows of a shop, who may look, and what axe-core finds. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { type Browser, type Page, startChromium } from "../kit/chromium.ts";
import { type DashboardStage, stageDashboard } from "../kit/dashboard-stage.ts";

const FULL = { width: 1100, height: 900 };
const NARROW = { width: 360, height: 740 };
const UP_TO_DATE = `document.querySelector("#state")?.textContent === "Up to date"`;

/** Of the table of calls: caller, called, share, calls, in plaintext, refused. */
const EDGES = `[...document.querySelectorAll("#edges tbody tr")].map(row => [...row.cells].map(cell => cell.textContent))`;

describe("the dashboard of a shop", () => {
  let stage: DashboardStage;
  let browser: Browser;
  before(async () => {
    stage = await stageDashboard();
    browser = await startChromium();
  });
  after(async () => {
    await browser?.close();
    await stage?.stop();
  });

  const openPage = async (size: typeof FULL): Promise<Page> => {
    const { url } = await stage.open();
    const page = await browser.open(url, size);
    await page.untilTrue(UP_TO_DATE);
    return page;
  };
  const edge = async (page: Page, from: string, to: string): Promise<readonly string[]> => {
    const isThere = `${EDGES}.some(([from, to]) => from === "${from}" && to === "${to}")`;
    await page.untilTrue(isThere);
    const rows = (await page.evaluate(EDGES)) as readonly string[][];
    return rows.find((row) => row[0] === from && row[1] === to) ?? [];
  };

  test("each call says how much of it is mutual TLS, and what was refused", async () => {
    const page = await openPage(FULL);
    const [, , share, calls, plaintext, refused] = await edge(page, "shop/web", "shop/orders");
    assert.deepEqual([share, plaintext, refused], ["100 %", "0", "0"]);
    assert.ok(Number(calls) > 0);
    const reports = await edge(page, "shop/reports", "shop/orders");
    assert.equal(reports[2], "100 %");
    assert.equal(reports[5], reports[3], "all are refused");
    const till = await edge(page, "without identity", "shop/stock");
    assert.deepEqual([till[2], till[4] === till[3], till[5]], ["0 %", true, "0"]);
    const prices = await edge(page, "shop/orders", "legacy/prices");
    assert.equal(prices[2], "0 %");
    const shares = `[...document.querySelectorAll("svg text.share")].map(text => text.textContent)`;
    const told = (await page.evaluate(shares)) as readonly string[];
    assert.ok(
      told.some((text) => /^(all \d+ )?refused$/.test(text)),
      told.join(),
    );
    const rows = (await page.evaluate(EDGES)) as readonly string[][];
    const isDotted = `document.querySelectorAll("svg .edge.refused").length`;
    assert.equal(
      await page.evaluate(isDotted),
      rows.filter(([, , , all, , refused]) => all === refused).length,
    );
    const box = `(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector("#graph"))`;
    assert.equal(await page.evaluate(box), 0, "the graph is as wide as its box");
    assert.ok(told.includes("0 % mTLS"), told.join());
    assert.deepEqual(page.complaints, []);
  });

  test("denials are explained, and stay open while the page goes on", async () => {
    const page = await openPage(FULL);
    await page.untilTrue(`document.querySelectorAll("#denials details").length >= 2`);
    await page.evaluate(
      `for (const one of document.querySelectorAll("#denials details")) one.open = true`,
    );
    const text = String(await page.evaluate(`document.querySelector("#denials").innerText`));
    assert.match(text, /sa\/reports -> shop\/orders-0:8080 GET \/orders 403/);
    assert.match(text, /Denied: none of the rules of the ALLOW policies|Denied: .*ALLOW/);
    assert.match(text, /plaintext/i);
    const times = `document.querySelector("#denials .times").textContent`;
    const before = JSON.stringify(await page.evaluate(times));
    await page.untilTrue(`${times} !== ${before}`);
    assert.equal(
      await page.evaluate(`document.querySelectorAll("#denials details[open]").length >= 2`),
      true,
    );
  });

  test("workloads say what they prove, how long for, and what they demand", async () => {
    const page = await openPage(FULL);
    const rows = `[...document.querySelectorAll("#workloads tbody tr")].map(row => row.innerText.replace(/\\s+/g, " "))`;
    const told = (await page.evaluate(rows)) as readonly string[];
    const orders = told.find((row) => row.startsWith("shop/orders-0")) ?? "";
    assert.match(
      orders,
      /spiffe:\/\/cluster\.local\/ns\/shop\/sa\/orders (2[34] h \d+ min|24 h 0 min) 8080 STRICT/,
    );
    const prices = told.find((row) => row.startsWith("legacy/prices-0")) ?? "";
    assert.match(prices, /none: no sidecar no certificate 8080 plaintext/);
  });

  for (const [what, size] of [
    ["1100", FULL],
    ["360", NARROW],
  ] as const) {
    for (const scheme of ["light", "dark"] as const) {
      test(`axe-core finds nothing serious at ${what} pixels, ${scheme}, and nothing sticks out`, async () => {
        const page = await openPage(size);
        await page.setColors(scheme);
        await page.untilTrue(`document.querySelectorAll("#denials details").length >= 2`);
        const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
        await page.evaluate(`${await readFile(axe, "utf8")};0`);
        const found = `axe.run().then(({ violations, passes }) => ({ passes: passes.length, serious: violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) => [id, nodes[0].html]) }))`;
        const { passes, serious } = (await page.evaluate(found)) as {
          readonly passes: number;
          readonly serious: readonly unknown[];
        };
        assert.deepEqual(serious, []);
        assert.ok(passes > 15, `${passes} rules looked at something`);
        assert.equal(await page.evaluate("document.documentElement.scrollWidth"), size.width);
      });
    }
  }

  test("all is reached by keyboard: a way past the head, what scrolls, and each denial", async () => {
    const page = await openPage(FULL);
    await page.untilTrue(`document.querySelectorAll("#denials details").length === 2`);
    const reached: unknown[] = [];
    for (let count = 0; count < 6; count++) {
      await page.press("Tab");
      reached.push(
        await page.evaluate(
          `document.activeElement.getAttribute("aria-label") || document.activeElement.className || document.activeElement.localName`,
        ),
      );
    }
    assert.deepEqual(reached, [
      "skip",
      "Graph of services",
      "Calls between services",
      "summary",
      "summary",
      "Workloads and their certificates",
    ]);
    await page.evaluate(`document.querySelector("#denials summary").focus()`);
    await page.press("Enter");
    await page.untilTrue(`document.querySelectorAll("#denials details[open]").length === 1`);
    const outline = `getComputedStyle(document.activeElement).outlineStyle`;
    assert.equal(await page.evaluate(outline), "solid");
  });

  test("axe-core does find what is wrong", async () => {
    const page = await openPage(FULL);
    const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
    await page.evaluate(`${await readFile(axe, "utf8")};0`);
    await page.evaluate(`document.querySelector("main").append(document.createElement("button"))`);
    const ids = `axe.run().then(({ violations }) => violations.map(({ id }) => id))`;
    assert.deepEqual(await page.evaluate(ids), ["button-name"]);
  });

  test("the policy of the page keeps scripts in its text from running", async () => {
    const page = await openPage(FULL);
    const planted = `(() => { const one = document.createElement("script"); one.textContent = "globalThis.ran = true"; document.body.append(one); return globalThis.ran === true; })()`;
    assert.equal(await page.evaluate(planted), false);
    assert.match(page.complaints.join(), /Content Security Policy/);
  });

  test("a page that is open says so when the dashboard has ended", async () => {
    const { command, url } = await stage.open();
    const page = await browser.open(url, FULL);
    await page.untilTrue(UP_TO_DATE);
    command.stop();
    await page.untilTrue(
      `/Not up to date: the dashboard has ended/.test(document.querySelector("#state").textContent)`,
    );
  });
});
