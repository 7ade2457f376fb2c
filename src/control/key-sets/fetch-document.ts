/**
 * Fetches one document over HTTP or HTTPS from whoever a resource names: a stranger. Each hop's address is chosen and checked here
 * before anything is sent to it; time, size and redirects are bounded.
 */
import { type IncomingMessage, request } from "node:http";
import { isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { FindHost, HostPlace } from "../../policy/key-hosts.ts";
import { describeError, HauberkError } from "../../runtime/hauberk-error.ts";
import { DIRECT, type WayOut } from "../way-out.ts";
import { publicSecureContext } from "./public-secure-context.ts";

/** Why a document could not be had; its message is for people. */
export class FetchDocumentError extends HauberkError {
  readonly code = "HAUBERK_FETCH_DOCUMENT";
}

export interface FetchDocumentOptions {
  /** Of the whole, redirects included. */
  readonly timeoutMs: number;
  /** @returns why an address must not be asked; undefined: it may */
  readonly addressProblem: (address: string) => string | undefined;
  /** Where a host is, if the public names are not to be asked. Its addresses are looked at as any other is. */
  readonly findHost: FindHost;
  /** Absent: this machine's own network. */
  readonly way?: WayOut;
  /** PEM of authorities that are trusted beside the system's. */
  readonly extraRootsPem: readonly string[];
}

const MAX_BYTES = 1_048_576;
const MAX_REDIRECTS = 3;
const MAX_HEADER_BYTES = 16_384;
/** Addresses of one host that are tried. */
const MAX_ADDRESSES = 4;
const REDIRECTS: ReadonlySet<number | undefined> = new Set([301, 302, 303, 307, 308]);

/** @throws FetchDocumentError */
export async function fetchDocument(uri: string, options: FetchDocumentOptions): Promise<string> {
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const ended = new Promise<never>((_, reject) => {
    deadline.addEventListener("abort", () => reject(deadline.reason), { once: true });
  });
  try {
    // Not all that is waited for knows the deadline: a look-up of a name does not.
    return await Promise.race([fetchFollowing(new URL(uri), { ...options, deadline }), ended]);
  } catch (error) {
    if (error instanceof FetchDocumentError) throw error;
    if (deadline.aborted) throw new FetchDocumentError(`no answer within ${options.timeoutMs} ms`);
    throw new FetchDocumentError(describeError(error));
  }
}

interface Fetching extends FetchDocumentOptions {
  readonly deadline: AbortSignal;
}

async function fetchFollowing(first: URL, fetching: Fetching): Promise<string> {
  let uri = first;
  for (let redirects = 0; ; redirects++) {
    const answer = await ask(uri, fetching);
    const { statusCode } = answer;
    if (statusCode === 200) return readBody(answer);
    answer.destroy();
    if (!REDIRECTS.has(statusCode))
      throw new FetchDocumentError(`${uri.host} answers ${statusCode}, expected 200`);
    if (redirects === MAX_REDIRECTS)
      throw new FetchDocumentError(`more than ${MAX_REDIRECTS} redirects`);
    uri = redirected(uri, answer.headers.location);
  }
}

function redirected(from: URL, location: string | undefined): URL {
  if (location === undefined || !URL.canParse(location, from.href))
    throw new FetchDocumentError(`${from.host} redirects to nowhere`);
  const to = new URL(location, from);
  if (to.protocol !== "https:" && from.protocol === "https:")
    throw new FetchDocumentError(`${from.host} redirects from https to ${to.protocol}//${to.host}`);
  return to;
}

async function ask(uri: URL, fetching: Fetching): Promise<IncomingMessage> {
  const socket = await connect(uri, fetching);
  return new Promise((resolve, reject) => {
    const asked = request({
      createConnection: () => socket,
      host: uri.hostname,
      path: `${uri.pathname}${uri.search}`,
      headers: { host: uri.host, accept: "application/json", connection: "close" },
      maxHeaderSize: MAX_HEADER_BYTES,
      signal: fetching.deadline,
    });
    asked.once("response", resolve).once("error", reject);
    asked.end();
  });
}

async function readBody(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer) {
    if (!Buffer.isBuffer(chunk)) continue;
    length += chunk.length;
    if (length > MAX_BYTES) {
      answer.destroy();
      throw new FetchDocumentError(`the document is longer than ${MAX_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** To the first of the host's addresses that may be asked and answers. */
async function connect(uri: URL, fetching: Fetching): Promise<Socket> {
  const { protocol } = uri;
  if (protocol !== "https:" && protocol !== "http:")
    throw new FetchDocumentError(`${protocol} is neither https nor http`);
  if (uri.username !== "" || uri.password !== "")
    throw new FetchDocumentError("the URL holds a name or a password");
  const host = uri.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = Number(uri.port || (protocol === "https:" ? 443 : 80));
  let problem: unknown;
  const places = await placesOf({ address: host, port }, fetching);
  for (const place of places) {
    const shareMs = places.length === 1 ? undefined : fetching.timeoutMs / MAX_ADDRESSES;
    const to = { ...place, shareMs, ...(protocol === "https:" && { securedAs: host }) };
    try {
      return await reach(to, fetching);
    } catch (error) {
      problem = error;
    }
    fetching.deadline.throwIfAborted();
  }
  throw problem;
}

interface Hop extends HostPlace {
  /** After so long the next address is tried; undefined: there is none. */
  readonly shareMs: number | undefined;
  /** The name to be verified; absent: no TLS. */
  readonly securedAs?: string;
}

async function reach(
  { address, port, shareMs, securedAs }: Hop,
  fetching: Fetching,
): Promise<Socket> {
  const { deadline, way = DIRECT, addressProblem } = fetching;
  const share = new AbortController();
  const tooLong = new FetchDocumentError(`${address} does not answer`);
  const isLast = shareMs === undefined;
  const timer = isLast ? undefined : setTimeout(() => share.abort(tooLong), shareMs);
  const signal = AbortSignal.any([deadline, share.signal]);
  try {
    const reached = await way.dial({ address, port }, signal);
    const { socket } = reached;
    signal.addEventListener("abort", () => socket.destroy(), { once: true });
    // What is sent goes to where the kernel says that it goes.
    const problem = addressProblem(reached.address);
    if (problem !== undefined) {
      socket.destroy();
      throw new FetchDocumentError(problem);
    }
    return securedAs === undefined ? socket : await secured(socket, securedAs, fetching);
  } catch (error) {
    throw share.signal.aborted ? tooLong : error;
  } finally {
    clearTimeout(timer);
  }
}

/** Of those that may be asked; each address is an IP address. */
async function placesOf(
  host: HostPlace,
  { addressProblem, deadline, findHost, way = DIRECT }: Fetching,
): Promise<readonly HostPlace[]> {
  const named = findHost(host.address.toLowerCase(), host.port) ?? [host];
  const places = await foundPlaces(named.slice(0, MAX_ADDRESSES), way);
  deadline.throwIfAborted();
  const allowed = places.filter(({ address }) => addressProblem(address) === undefined);
  const [refused] = places;
  if (allowed.length > 0) return allowed.slice(0, MAX_ADDRESSES);
  const problem = refused === undefined ? undefined : addressProblem(refused.address);
  throw new FetchDocumentError(problem ?? `${host.address} has no address`);
}

/** A name that nobody knows spoils no other place. */
async function foundPlaces(
  named: readonly HostPlace[],
  way: WayOut,
): Promise<readonly HostPlace[]> {
  const outcomes = await Promise.allSettled(named.map((place) => lookUp(place, way)));
  const places = outcomes.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
  const failed = outcomes.find(({ status }) => status === "rejected");
  if (places.length === 0 && failed?.status === "rejected") throw failed.reason;
  return places;
}

async function lookUp(
  { address: name, port }: HostPlace,
  way: WayOut,
): Promise<readonly HostPlace[]> {
  if (isIP(name) !== 0) return [{ address: name, port }];
  return (await way.lookUp(name)).map((address) => ({ address, port }));
}

/** JWT-86 */
function secured(socket: Socket, host: string, { extraRootsPem }: Fetching): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const secure = connectTls({
      socket,
      host,
      ...(isIP(host) === 0 && { servername: host }),
      secureContext: publicSecureContext(extraRootsPem),
    });
    const gone = new FetchDocumentError(`${host} ends the connection during the TLS handshake`);
    secure.on("error", reject).once("close", () => reject(gone));
    secure.once("secureConnect", () => resolve(secure));
    socket.once("error", reject);
  });
}
