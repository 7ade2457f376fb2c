/** The mesh that the articles' commands are run against: `hauberk up` from today's sources, in namespaces, and a shell. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { eventually } from "../kit/eventually.ts";
import { IdentityProvider } from "../kit/identity-provider.ts";
import { kubectlInPath } from "../kit/kubectl-in-path.ts";
import { opaInPath } from "../kit/opa-program.ts";
import { productCommand } from "../kit/product-command.ts";
import type { Call, Outcome } from "./article-block.ts";

export interface Said {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** Whether pods have networks of their own, or share the machine's loopback. */
export type ArticleNetwork = "namespaces" | "loopback";

const COMMAND_PATIENCE_MS = 400_000;
/** What curl says when nobody answers, or not a byte. */
const CLOSED = [7, 28, 35, 52, 55, 56];
const OF_TCP = "000";
const HOSTS = ["auth.example.com", "www.googleapis.com", "auth.company.com"];
const REGO = ["== [h, m, s]", "= [h, m, s]"] as const;

/** In a URL: the service, its namespace, its port, and what follows. */
const SERVICE =
  /:\/\/([a-z0-9-]+)(?:\.([a-z0-9-]+)(?:\.svc(?:\.cluster\.local)?)?)?(?::(\d+))?(\/.*)?$/;

interface NamedPort {
  readonly name?: string;
  readonly port: number;
}

/** A Service, or an EndpointSlice. */
interface Addressed {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: { readonly ports: readonly NamedPort[] };
  readonly ports?: readonly NamedPort[];
  readonly endpoints?: readonly { readonly addresses: readonly string[] }[];
}

export class ArticleMesh {
  readonly provider: IdentityProvider = new IdentityProvider(HOSTS);
  readonly #folder: string;
  readonly #children: ChildProcess[] = [];
  readonly #opened: Set<string> = new Set();
  readonly #network: ArticleNetwork;

  private constructor(folder: string, network: ArticleNetwork) {
    this.#folder = folder;
    this.#network = network;
  }

  static async start(network: ArticleNetwork = "namespaces"): Promise<ArticleMesh> {
    await kubectlInPath();
    const mesh = new ArticleMesh(await mkdtemp(join(tmpdir(), "hauberk-article-")), network);
    try {
      await mesh.#prepare();
      await mesh.#up(["--network", network, "--data", mesh.#data, "-f", mesh.#manifests]);
    } catch (error) {
      await mesh.stop();
      throw error;
    }
    return mesh;
  }

  get #data(): string {
    return join(this.#folder, "data");
  }

  get #manifests(): string {
    return join(this.#folder, "manifests");
  }

  async #prepare(): Promise<void> {
    await cp("test/article/mesh", this.#manifests, { recursive: true });
    await cp(await opaInPath(), join(this.#manifests, "opa"));
    await cp("examples/seeds", join(this.#folder, "seeds"), { recursive: true });
    await cp("test/article/given", join(this.#folder, "given"), { recursive: true });
    const opa = await readFile("examples/seeds/13-opa.yaml", "utf8");
    await this.write("given/opa-that-loads.yaml", opa.replace(...REGO));
    await this.write("manifests/identity-provider.yaml", this.#providerSecret());
    await this.write("manifests/mesh-config.yaml", this.#meshConfig("meshConfig:\n"));
    const providers = await readFile(
      "examples/seeds/14-mesh-config-extension-provider.yaml",
      "utf8",
    );
    await this.write("given/mesh-config-with-provider.yaml", this.#meshConfig(providers));
    await mkdir(join(this.#folder, "home"));
  }

  #providerSecret(): string {
    const metadata = { name: "identity", namespace: "identity" };
    return JSON.stringify({
      apiVersion: "v1",
      kind: "Secret",
      metadata,
      stringData: this.provider.files,
    });
  }

  /** ServiceEntries that lead the articles' identity providers to a pod of the mesh. */
  async leadToProvider(): Promise<void> {
    const { output } = await this.run(
      "kubectl get pod -n identity -l app=identity-provider -o jsonpath='{.items[0].status.podIP}'",
    );
    const entries = HOSTS.map((host) =>
      JSON.stringify({
        apiVersion: "networking.istio.io/v1",
        kind: "ServiceEntry",
        metadata: { name: host.replaceAll(".", "-"), namespace: "istio-system" },
        spec: {
          hosts: [host],
          ports: [{ number: 443, name: "https", protocol: "TLS" }],
          resolution: "STATIC",
          endpoints: [{ address: output, ports: { https: 8443 } }],
        },
      }),
    );
    await this.write(
      "given/providers.yaml",
      `# Not JSON for kubectl.\n${entries.join("\n---\n")}\n`,
    );
  }

  /** @param section of the mesh configuration, to which ours is added */
  #meshConfig(section: string): string {
    const authorities = this.provider.rootPem;
    const jwks = { allowedAddresses: ["10.244.0.0/16"], certificateAuthorities: authorities };
    const log = "  accessLogFile: /dev/stdout\n  accessLogEncoding: JSON\n";
    return `${section}${log}  hauberk: ${JSON.stringify({ jwks })}\n`;
  }

  /** Into the folder of the commands. */
  async write(file: string, text: string): Promise<void> {
    const path = join(this.#folder, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }

  /** One without pods, on loopback, whose context is its name and whose data are in the folder of that name. */
  async openSecondMesh(cluster: string): Promise<void> {
    if (this.#opened.has(cluster)) return;
    this.#opened.add(cluster);
    await this.write(
      `no-pods/namespaces.yaml`,
      "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n",
    );
    const data = join(this.#folder, cluster);
    const files = join(this.#folder, "no-pods");
    await this.#up(["--network", "loopback", "--cluster", cluster, "--data", data, "-f", files]);
  }

  async #up(parameters: readonly string[]): Promise<void> {
    const command = [resolve(productCommand()[0] ?? ""), "up", ...parameters];
    const child = spawn(process.execPath, command, {
      cwd: this.#manifests, // relative paths of what kubectl writes lead from here
      env: this.#environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#children.push(child);
    process.once("exit", () => child.kill("SIGTERM"));
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (part: Buffer) => {
        said += part.toString();
      });
    await eventually(
      () => `the mesh to be up, in: ${said}`,
      () => {
        if (child.exitCode !== null) throw new Error(`the mesh did not come up:\n${said}`);
        return said.includes("export KUBECONFIG=");
      },
    );
  }

  get #environment(): NodeJS.ProcessEnv {
    const PATH = [join(this.#data, "bin"), process.env["PATH"]].join(delimiter);
    const KUBECONFIG = join(this.#data, "kubeconfig");
    return { PATH, KUBECONFIG, LANG: "C.UTF-8", HOME: join(this.#folder, "home") };
  }

  /** As a reader would type it, in bash. */
  async run(script: string): Promise<Said> {
    const child = spawn("bash", ["-c", script], {
      cwd: this.#folder,
      env: this.#environment,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: COMMAND_PATIENCE_MS,
    });
    const texts = { output: "", errors: "" };
    child.stdout.on("data", (part: Buffer) => {
      texts.output += part.toString();
    });
    child.stderr.on("data", (part: Buffer) => {
      texts.errors += part.toString();
    });
    const [code] = (await once(child, "close")) as [number | null];
    return { code: code ?? -1, ...texts };
  }

  /** By curl, out of a pod. @returns what came of it, and the body */
  async call(call: Call): Promise<{ readonly outcome: Outcome | string; readonly body: string }> {
    const [namespace, deployment] = call.from.split("/");
    const headers = (call.headers ?? []).map((one) => `-H '${one}'`).join(" ");
    const { to, flags } = await this.#wayOf(call);
    const { code, output, errors } = await this.run(
      `kubectl exec deploy/${deployment} -n ${namespace} -c app -- curl -s ${flags} --http0.9 --max-time 5 -X ${call.method ?? "GET"} ${headers} -w '\\n%{http_code}' '${to}'`,
    );
    const lines = output.split("\n");
    const status = lines.pop() ?? "";
    const body = lines.join("\n");
    if (CLOSED.includes(code)) return { outcome: "closed", body };
    if (code !== 0) return { outcome: `exit code ${code}: ${errors.trim()}`, body };
    return { outcome: status === OF_TCP ? "answered" : Number(status), body };
  }

  /**
   * On a loopback that all share there is no name server: a sidecar's HTTP proxy leads to services, by tunnels where they
   * are not HTTP's; a program without sidecar has to be told an address.
   */
  async #wayOf({
    from,
    to,
    gives,
  }: Call): Promise<{ readonly to: string; readonly flags: string }> {
    if (this.#network === "namespaces") return { to, flags: "" };
    const [namespace, deployment] = from.split("/");
    const { output: containers } = await this.run(
      `kubectl get pods -n ${namespace} -l app=${deployment} -o jsonpath='{.items[*].spec.containers[*].name}'`,
    );
    if (containers.includes("istio-proxy"))
      return { to, flags: typeof gives === "string" ? "--proxytunnel" : "" };
    return { to: await this.#withAddress(to, namespace), flags: "" };
  }

  async #withAddress(to: string, own: string | undefined): Promise<string> {
    const [, service = "", namespace = own, port = "80"] = SERVICE.exec(to) ?? [];
    const { output } = await this.run(
      `kubectl get service,endpointslice -n ${namespace} -o json --field-selector metadata.namespace=${namespace}`,
    );
    const { items } = JSON.parse(output) as { readonly items: readonly Addressed[] };
    const written = items.find((one) => one.kind === "Service" && one.metadata.name === service);
    const slice = items.find(
      ({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === service,
    );
    const name = written?.spec?.ports.find((one) => `${one.port}` === port)?.name ?? "";
    const found = slice?.ports?.find((one) => (one.name ?? "") === name)?.port;
    const address = slice?.endpoints?.[0]?.addresses[0];
    if (found === undefined || address === undefined) return to;
    return to.replace(SERVICE, (_, __, ___, ____, rest = "") => `://${address}:${found}${rest}`);
  }

  async stop(): Promise<void> {
    for (const child of this.#children.splice(0).reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}
