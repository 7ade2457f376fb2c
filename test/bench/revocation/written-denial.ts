/** A DENY of everything, written as kubectl writes it: to the mesh's own API server. */
import { readFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { eventually } from "../../kit/eventually.ts";

const POLICIES = "/apis/security.istio.io/v1/namespaces/revocation/authorizationpolicies";
const NAME = "deny-all";
const DENIAL = {
  apiVersion: "security.istio.io/v1",
  kind: "AuthorizationPolicy",
  metadata: { name: NAME, namespace: "revocation" },
  spec: { selector: { matchLabels: { app: "api" } }, action: "DENY", rules: [{}] },
};

export class WrittenDenial {
  readonly #server: string;
  readonly #token: string;
  readonly #agent: Agent;

  private constructor(parts: {
    readonly server: string;
    readonly token: string;
    readonly ca: string;
  }) {
    this.#server = parts.server;
    this.#token = parts.token;
    this.#agent = new Agent({ keepAlive: true, ca: parts.ca });
  }

  /** @param data data directory of the mesh, which may be about to open its API */
  static async of(data: string): Promise<WrittenDenial> {
    const text = await eventually("a kubeconfig", () =>
      readFile(join(data, "kubeconfig"), "utf8").catch(() => undefined),
    );
    const field = (name: string): string => {
      const found = new RegExp(`^ *${name}: "?([^"\\n]*)"?$`, "m").exec(text)?.[1];
      if (found === undefined) throw new Error(`the kubeconfig has no ${name}`);
      return found;
    };
    const ca = Buffer.from(field("certificate-authority-data"), "base64").toString();
    return new WrittenDenial({ server: field("server"), token: field("token"), ca });
  }

  /** The connection is there before time is taken. @throws Error unless there is none yet */
  async expectNone(): Promise<void> {
    await this.#call("GET", `${POLICIES}/${NAME}`, 404);
  }

  /** Resolves once it was accepted. */
  create(): Promise<void> {
    return this.#call("POST", POLICIES, 201, JSON.stringify(DENIAL));
  }

  remove(): Promise<void> {
    return this.#call("DELETE", `${POLICIES}/${NAME}`, 200);
  }

  close(): void {
    this.#agent.destroy();
  }

  #call(method: string, path: string, expected: number, body = ""): Promise<void> {
    return new Promise((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${this.#token}`,
        ...(body !== "" && {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
        }),
      };
      const asked = request(`${this.#server}${path}`, { method, headers, agent: this.#agent });
      asked.once("error", reject);
      asked.once("response", (answer) => {
        answer.setEncoding("utf8");
        let said = "";
        answer.on("data", (text: string) => {
          said += text;
        });
        answer.once("end", () => {
          const { statusCode } = answer;
          if (statusCode === expected) resolve();
          else reject(new Error(`${method} ${path} was answered ${statusCode}: ${said}`));
        });
      });
      asked.end(body);
    });
  }
}
