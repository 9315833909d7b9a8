/** HTTP as popgate serves it: small requests of few clients, none of which can hold it up. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setImmediate } from "node:timers/promises";
import { reasonOf } from "../errors.ts";
import type { Log } from "../log.ts";

/** Bytes of a request's head, and of its body. */
const longestHead = 4096;
export const longestBody = 4096;
/** Further connections are closed at once. */
export const mostConnections = 32;
/** Milliseconds for the head of a request, for all of it, and for a client to take a piece of the answer. */
const headTime = 2000;
const requestTime = 3000;
const idleTime = 10_000;
/** Milliseconds between two looks at who is late. */
const lateLook = 500;

export interface Request {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  /** A text, or pieces that take a millisecond or so each. */
  readonly body: string | Iterable<string>;
}

/** An answer that says no. */
export function refusal(status: number, error: string): Answer {
  return { status, type: "application/json", body: `${JSON.stringify({ error })}\n` };
}

export type Handle = (request: Request) => Promise<Answer>;

/** Gives a server that does not listen yet. Whatever a client does is its own loss; what `handle` throws is a bug, and told. */
export function createHttpServer(handle: Handle, log: Log): Server {
  const served = new WeakSet<IncomingMessage["socket"]>();
  const server = createServer(
    {
      maxHeaderSize: longestHead,
      headersTimeout: headTime,
      requestTimeout: requestTime,
      connectionsCheckingInterval: lateLook,
      keepAliveTimeout: headTime,
    },
    (incoming, response) => {
      // One request a connection: thousands fit into one packet, and all would be answered in one turn.
      if (served.has(incoming.socket)) return void incoming.socket.destroy();
      served.add(incoming.socket);
      serve(incoming, response, handle, log).catch(() => incoming.destroy());
    },
  );
  server.maxConnections = mostConnections;
  server.maxHeadersCount = 50;
  server.setTimeout(idleTime);
  server.on("clientError", (_, socket) => socket.destroy());
  // Nobody is upgraded, and a tunnel leads nowhere.
  server.on("upgrade", (_, socket) => socket.destroy());
  server.on("connect", (_, socket) => socket.destroy());
  return server;
}

async function serve(
  incoming: IncomingMessage,
  response: ServerResponse,
  handle: Handle,
  log: Log,
): Promise<void> {
  const body = await bodyOf(incoming);
  if (body === undefined) {
    // What it goes on to send is not read: the connection ends with the answer.
    response.once("finish", () => incoming.destroy());
    return send(response, refusal(413, `a request holds at most ${String(longestBody)} bytes`));
  }
  const { method = "", url = "" } = incoming;
  // It is answered when it is done: the clock of an idle client does not run meanwhile.
  incoming.socket.setTimeout(0);
  let answer: Answer;
  try {
    answer = await handle({ method, path: url.split("?", 1)[0] ?? "", body });
  } catch (error) {
    log.error("a request failed", { method, reason: reasonOf(error) });
    answer = refusal(500, "a bug: the log of popgate has more");
  }
  incoming.socket.setTimeout(idleTime);
  await send(response, answer);
}

/** Gives undefined for a body that is too long; of that no more is read than it takes to know it. */
function bodyOf(incoming: IncomingMessage): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let length = 0;
    incoming.on("data", (piece: Buffer) => {
      length += piece.length;
      if (length <= longestBody) pieces.push(piece);
      else resolve(undefined);
    });
    incoming.once("end", () => resolve(Buffer.concat(pieces).toString()));
    incoming.once("error", reject);
    if (Number(incoming.headers["content-length"] ?? 0) > longestBody) resolve(undefined);
  });
}

async function send(response: ServerResponse, { status, type, body }: Answer): Promise<void> {
  response.writeHead(status, {
    "content-type": type,
    "cache-control": "no-store",
    connection: "close",
  });
  if (typeof body === "string") response.end(body);
  else await pipeline(Readable.from(inTurns(body), { highWaterMark: 1 }), response);
}

/** Other work has its turn between the pieces. */
async function* inTurns(pieces: Iterable<string>): AsyncGenerator<string> {
  for (const piece of pieces) {
    yield piece;
    await setImmediate();
  }
}
