/**
 * The file that tells kubectl how to reach a mesh. Source: `client.authentication.k8s.io`, kubeconfig v1.
 */
import { replaceFile } from "../../../runtime/atomic-file.ts";

const SECRET_MODE = 0o600;

/** One mesh of this user. */
export interface KubeconfigEntry {
  /** Of cluster, user and context. */
  readonly name: string;
  /** As in `https://127.0.0.1:6443`. */
  readonly server: string;
  readonly authorityPem: string;
  readonly token: string;
}

/** @param current name of the context that is in use; absent: none */
export function printKubeconfig(entries: readonly KubeconfigEntry[], current?: string): string {
  const text = (value: string): string => JSON.stringify(value); // which YAML reads too
  const section = (title: string, lines: readonly string[]): string =>
    lines.length === 0 ? `${title}: []\n` : `${title}:\n${lines.join("")}`;
  return [
    "apiVersion: v1\nkind: Config\npreferences: {}\n",
    section(
      "clusters",
      entries.map(
        ({ name, server, authorityPem }) =>
          `- name: ${text(name)}\n  cluster:\n    server: ${text(server)}\n    certificate-authority-data: ${Buffer.from(authorityPem).toString("base64")}\n`,
      ),
    ),
    section(
      "users",
      entries.map(
        ({ name, token }) => `- name: ${text(name)}\n  user:\n    token: ${text(token)}\n`,
      ),
    ),
    section(
      "contexts",
      entries.map(
        ({ name }) =>
          `- name: ${text(name)}\n  context:\n    cluster: ${text(name)}\n    user: ${text(name)}\n    namespace: default\n`,
      ),
    ),
    `current-context: ${text(current ?? "")}\n`,
  ].join("");
}

/** Writes the file for one mesh: only its user may read it, and no reader ever sees half of it. */
export async function writeKubeconfig(file: string, entry: KubeconfigEntry): Promise<void> {
  await replaceFile(file, printKubeconfig([entry], entry.name), { mode: SECRET_MODE });
}
