/** A real Chromium without a window, spoken to over its own pipe (DevTools protocol, messages ended by NUL): no driver in between. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { until } from "./until.ts";

export interface Browser {
  /** @param size of the window, in pixels */
  open(url: string, size: { readonly width: number; readonly height: number }): Promise<Page>;
  close(): Promise<void>;
}

export interface Page {
  /** @returns what the expression, or the promise that it is, comes to */
  evaluate(expression: string): Promise<unknown>;
  /** Waits until the expression is true. */
  untilTrue(expression: string): Promise<void>;
  /** As on a keyboard. */
  press(key: "Tab" | "Enter"): Promise<void>;
  /** `prefers-color-scheme` */
  setColors(scheme: "light" | "dark"): Promise<void>;
  /** @returns of the whole page, as PNG */
  screenshot(): Promise<Buffer>;
  /** Errors, and what the content policy refused, as the console has them. */
  readonly complaints: readonly string[];
}

const KEY_CODES = { Tab: 9, Enter: 13 } as const;

type Message = Readonly<Record<string, unknown>>;
type Send = (method: string, parameters?: Message) => Promise<Message>;

const FLAGS = [
  "--headless=new",
  "--remote-debugging-pipe",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--hide-scrollbars",
];

export async function startChromium(): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), "hauberk-chromium-"));
  // Its sandbox does not run as root; the only pages it opens are ours.
  const asRoot = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const child = spawn("chromium", [...FLAGS, ...asRoot, `--user-data-dir=${profile}`], {
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
  });
  const line = new DevTools(child);
  return {
    async open(url, { width, height }) {
      const { targetId } = await line.send("Target.createTarget", { url: "about:blank" });
      const attached = await line.send("Target.attachToTarget", { targetId, flatten: true });
      const sessionId = String(attached["sessionId"]);
      const send: Send = (method, parameters) => line.send(method, parameters, sessionId);
      const complaints = listenTo(line, sessionId);
      for (const domain of ["Page", "Runtime", "Log"]) await send(`${domain}.enable`);
      const mobile = { width, height, deviceScaleFactor: 1, mobile: false };
      await send("Emulation.setDeviceMetricsOverride", mobile);
      await send("Page.navigate", { url });
      return pageOf(send, complaints);
    },
    async close() {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function pageOf(send: Send, complaints: readonly string[]): Page {
  const evaluate = async (expression: string): Promise<unknown> => {
    const asked = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await send("Runtime.evaluate", asked);
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return (result as Message)["value"];
  };
  return {
    evaluate,
    complaints,
    async untilTrue(expression) {
      await until(expression, async () => (await evaluate(expression)) === true);
    },
    async press(key) {
      const code = KEY_CODES[key];
      const pressed = { key, code: key, windowsVirtualKeyCode: code };
      const text = key === "Enter" ? { text: "\r" } : {};
      await send("Input.dispatchKeyEvent", { type: "keyDown", ...pressed, ...text });
      await send("Input.dispatchKeyEvent", { type: "keyUp", ...pressed });
    },
    async setColors(scheme) {
      const features = [{ name: "prefers-color-scheme", value: scheme }];
      await send("Emulation.setEmulatedMedia", { features });
    },
    async screenshot() {
      const { data } = await send("Page.captureScreenshot", { captureBeyondViewport: true });
      return Buffer.from(String(data), "base64");
    },
  };
}

function listenTo(line: DevTools, session: string): readonly string[] {
  const complaints: string[] = [];
  line.listeners.set(session, (method, parameters) => {
    if (method === "Runtime.exceptionThrown") complaints.push(JSON.stringify(parameters));
    const { entry } = parameters as { entry?: { level?: string; text?: string } };
    if (method === "Log.entryAdded" && entry?.level === "error")
      complaints.push(entry.text ?? "error");
  });
  return complaints;
}

class DevTools {
  readonly #waiting: Map<number, (answer: Message) => void> = new Map();
  readonly #input: Writable;
  #next = 1;
  #rest = "";
  /** By the session whose events they want. */
  readonly listeners: Map<unknown, (method: string, parameters: Message) => void> = new Map();

  constructor(child: ChildProcess) {
    this.#input = child.stdio[3] as Writable;
    const output = child.stdio[4] as Readable;
    output.setEncoding("utf8");
    output.on("data", (part: string) => this.#read(part));
    this.#input.on("error", () => undefined);
    child.once("exit", () => {
      for (const answer of this.#waiting.values()) answer({ error: "Chromium has ended" });
    });
  }

  async send(method: string, params: Message = {}, sessionId?: string): Promise<Message> {
    const id = this.#next++;
    const answered = new Promise<Message>((resolve) => this.#waiting.set(id, resolve));
    this.#input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    const { result, error } = await answered;
    if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result as Message;
  }

  #read(part: string): void {
    const texts = (this.#rest + part).split("\0");
    this.#rest = texts.pop() ?? "";
    for (const text of texts) {
      const message = JSON.parse(text) as Message;
      const { id, method, params, sessionId } = message;
      if (typeof id === "number") {
        this.#waiting.get(id)?.(message);
        this.#waiting.delete(id);
      } else this.listeners.get(sessionId)?.(String(method), (params ?? {}) as Message);
    }
  }
}
