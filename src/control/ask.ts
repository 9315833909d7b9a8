/** Asks the popgate that runs, over its control socket. */
import { open } from "node:fs/promises";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { basename, dirname } from "node:path";
import { createInterface } from "node:readline";
import type { Clock } from "../clock.ts";
import { inspectWay } from "../directory.ts";
import { codeOf, exit, KnownError, reasonOf, type ExitCode } from "../errors.ts";
import { through } from "./socket.ts";

interface Question {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Milliseconds for the answer to begin. */
  readonly patience?: number;
}

/** What the daemon said: 200 and what was asked for, or the reason why not. */
export interface Reply {
  readonly ok: boolean;
  /** What a command ends with that is refused so. */
  readonly exitCode: ExitCode;
  /** The whole answer; of a refusal its reason. */
  text(): Promise<string>;
  /** The answer line by line, as it comes. */
  lines(): AsyncIterable<string>;
}

const patience = 10_000;
/** Milliseconds: while too many others ask, a connection is closed at once. */
const pause = 100;
const busy = ["EAGAIN", "ECONNRESET", "EPIPE"];

/**
 * Gives undefined if nobody listens at the socket: no popgate runs.
 * @throws KnownError if it may not be asked, or does not answer
 */
export async function ask(
  socket: string,
  question: Question,
  clock: Clock,
): Promise<Reply | undefined> {
  const end = clock.monotonic() + (question.patience ?? patience);
  for (;;) {
    try {
      return replyOf(await responseTo(socket, question, end - clock.monotonic()));
    } catch (error) {
      const code = codeOf(error) ?? "";
      if (["ENOENT", "ECONNREFUSED", "ENOTDIR"].includes(code)) return undefined;
      if (!busy.includes(code) || clock.monotonic() > end) throw refused(socket, error, code);
      await new Promise<void>((resolve) => void clock.after(pause, resolve));
    }
  }
}

function refused(socket: string, error: unknown, code: string): KnownError {
  if (["EACCES", "EPERM"].includes(code)) {
    return new KnownError(
      `the running popgate may not be asked at ${socket}: permission denied (${code}); ask as root, as its user, or as a member of control.group`,
      exit.tempFail,
    );
  }
  return new KnownError(`the running popgate does not answer: ${reasonOf(error)}`, exit.tempFail);
}

async function responseTo(
  socket: string,
  { method, path, body }: Question,
  timeout: number,
): Promise<IncomingMessage> {
  const directory = await open(dirname(socket), "r");
  try {
    // A popgate refuses such a place; whoever answers there is somebody else.
    const { mode, uid } = await directory.stat();
    if ((mode & 0o022) !== 0) {
      throw new Error(
        `others can write to ${dirname(socket)}: whoever answers there may be anybody`,
      );
    }
    // Nor must anybody else have led us there: its owner is the one who may answer.
    await inspectWay(dirname(socket), [uid]);
    return await new Promise((resolve, reject) => {
      const request = httpRequest({
        socketPath: through(directory, basename(socket)),
        method,
        path,
        agent: false,
        headers: { host: "popgate", ...(body === undefined ? {} : { "content-type": json }) },
      });
      request.setTimeout(Math.max(1, timeout), () => {
        request.destroy(new Error(`nothing for ${String(Math.round(timeout / 1000))} s`));
      });
      request.once("error", reject);
      request.once("response", resolve);
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  } finally {
    await directory.close();
  }
}

const json = "application/json";

/** By status; where nothing is wrong with the order itself, it may go through another time. */
const exitCodes: Readonly<Record<number, ExitCode>> = {
  200: exit.ok,
  400: exit.usage,
  409: exit.no,
  413: exit.usage,
};

function replyOf(response: IncomingMessage): Reply {
  const { statusCode = 0 } = response;
  const ok = statusCode === 200;
  const whole = async () => {
    let text = "";
    response.setEncoding("utf8");
    for await (const piece of response) text += String(piece);
    return text;
  };
  return {
    ok,
    exitCode: exitCodes[statusCode] ?? exit.tempFail,
    text: async () => (ok ? whole() : errorIn(await whole())),
    lines: () => createInterface({ input: response, crlfDelay: Infinity }),
  };
}

function errorIn(text: string): string {
  try {
    const answer: unknown = JSON.parse(text);
    if (typeof answer === "object" && answer !== null && "error" in answer) {
      return String(answer.error);
    }
  } catch {
    // Told as it is.
  }
  return text.trim();
}
