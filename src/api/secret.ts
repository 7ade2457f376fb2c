/** Secret: as a ConfigMap, but no value of it is ever repeated in a message. */
import { binaryEntries, checkTotalSize, textEntries } from "./data-entries.ts";
import type { Fields } from "./decoder.ts";
import type { ResourceMeta } from "./resource.ts";

export interface Secret {
  readonly kind: "Secret";
  readonly meta: ResourceMeta;
  readonly type: string;
  /** Decoded; what `stringData` says is in here, and wins. Never to be logged. */
  readonly data: ReadonlyMap<string, Uint8Array>;
  readonly immutable: boolean;
}

/** Keys that Kubernetes demands of a Secret of a certain type. */
const REQUIRED_KEYS: ReadonlyMap<string, readonly string[]> = new Map([
  ["kubernetes.io/dockercfg", [".dockercfg"]],
  ["kubernetes.io/dockerconfigjson", [".dockerconfigjson"]],
  ["kubernetes.io/ssh-auth", ["ssh-privatekey"]],
  ["kubernetes.io/tls", ["tls.crt", "tls.key"]],
]);

export function secret(meta: ResourceMeta, root: Fields): Secret {
  root.concealValues();
  const type = root.text("type") || "Opaque";
  const texts = textEntries(root, "stringData");
  const data = new Map(binaryEntries(root, "data"));
  for (const [key, text] of texts) data.set(key, Buffer.from(text, "utf8"));
  for (const key of REQUIRED_KEYS.get(type) ?? []) {
    if (!root.section("data").mentions(key) && !root.section("stringData").mentions(key)) {
      root.report("data", `needs ${key}, because of the type ${type}`);
    }
  }
  checkTotalSize(root, data.values());
  return { kind: "Secret", meta, type, data, immutable: root.flag("immutable", "off") };
}
