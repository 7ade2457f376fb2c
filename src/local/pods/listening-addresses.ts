/**
 * Addresses that a program is told to listen on, as `--addr=0.0.0.0:8181`. A pod has all addresses to itself; where pods
 * share the machine's loopback such a port is taken as it is written, and nobody outside the machine is to reach it.
 */
import type { Container } from "../../api/container.ts";
import { containerCommand, type ImageCommand } from "../../api/image-commands.ts";

/** Any address of IPv4, of IPv6, or of both, as in `:8181`; what stands before it, and the port. */
const LISTENING =
  /(^|[\s=,;"'(])(https?:\/\/)?(0\.0\.0\.0|\[::\]|(?<!\/)):([0-9]{1,5})(?![\w.:-])/g;

/** @returns declared ports of the container that its arguments or variables say it listens on; empty when it goes by `$PORT` */
export function writtenPorts(
  container: Container,
  images: readonly ImageCommand[],
): readonly number[] {
  const mapped = containerCommand(container, images);
  const values = [...container.env, ...(mapped?.env ?? [])].flatMap((variable) =>
    "value" in variable ? variable.value : [],
  );
  const written = new Set([...(mapped?.argv ?? []), ...values].flatMap(portsIn));
  return container.ports
    .map(({ containerPort }) => containerPort)
    .filter((port) => written.has(port));
}

function portsIn(text: string): readonly number[] {
  return [...text.matchAll(LISTENING)].map(([, , , , port]) => Number(port));
}

/** The same, with loopback in place of any address for each of `ports`. */
export function listeningOnLoopback(text: string, ports: readonly number[]): string {
  return text.replace(LISTENING, (whole, before: string, scheme: string | undefined, _, port) =>
    ports.includes(Number(port)) ? `${before}${scheme ?? ""}127.0.0.1:${port}` : whole,
  );
}
