/** What can be asked of a running popgate, by method and path. */
import { canonicalClient } from "../client.ts";
import { exit, KnownError } from "../errors.ts";
import type { Control, Listed } from "./control.ts";
import { refusal, type Answer, type Handle, type Request } from "./http.ts";
import { grantOrderOf, revocationOrderOf, withdrawalOf } from "./orders.ts";

type Route = (request: Request, control: Control) => Answer | Promise<Answer>;

type Routes = Readonly<Record<string, Readonly<Record<string, Route>>>>;

const metrics: Routes[string] = {
  GET: (_, control) => ({
    status: 200,
    type: "text/plain; version=0.0.4; charset=utf-8",
    body: control.metrics(),
  }),
};

const routes: Routes = {
  "/metrics": metrics,
  "/status": { GET: (_, control) => json(control.status()) },
  "/grants": {
    GET: (_, control) => ({
      status: 200,
      type: "application/jsonl",
      body: linesOf(control.grants()),
    }),
    POST: ({ body }, control) => obey(grantOrderOf(body), (order) => control.grant(order)),
  },
  "/revocations": {
    POST: ({ body }, control) => obey(revocationOrderOf(body), (order) => control.revoke(order)),
  },
  "/explain/": {
    GET: ({ path }, control) => {
      const client = clientIn(path);
      if (client === undefined) return refusal(400, "that is no address");
      return json(control.explain(client));
    },
  },
  "/reload": { POST: (_, control) => obey({ order: undefined }, () => control.reload()) },
  "/withdrawals": {
    POST: ({ body }, control) => obey(withdrawalOf(body), (order) => control.withdraw(order)),
  },
};

/** Gives what answers all requests for this popgate. */
export function handleFor(control: Control): Handle {
  return answering(routes, control);
}

/** Gives what answers those that change nothing and name nobody. */
export function handleMetricsFor(control: Control): Handle {
  return answering({ "/metrics": metrics }, control);
}

function answering(routes: Routes, control: Control): Handle {
  return async (request) => {
    const path = request.path.startsWith("/explain/") ? "/explain/" : request.path;
    const methods = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (methods === undefined) return refusal(404, `there is ${Object.keys(routes).join(", ")}`);
    const route = Object.hasOwn(methods, request.method) ? methods[request.method] : undefined;
    if (route === undefined) return refusal(405, `only ${Object.keys(methods).join(", ")}`);
    return route(request, control);
  };
}

function json(value: unknown): Answer {
  return { status: 200, type: "application/json", body: `${JSON.stringify(value)}\n` };
}

async function obey<T>(
  read: { readonly order: T } | { readonly fault: string },
  work: (order: T) => Promise<unknown>,
): Promise<Answer> {
  if ("fault" in read) return refusal(400, read.fault);
  try {
    return json((await work(read.order)) ?? {});
  } catch (error) {
    if (error instanceof KnownError) {
      return refusal(error.exitCode === exit.no ? 409 : 422, error.message);
    }
    throw error;
  }
}

function clientIn(path: string) {
  try {
    return canonicalClient(decodeURIComponent(path.slice("/explain/".length)));
  } catch {
    return undefined;
  }
}

/** So many grants go into one piece. */
const slice = 500;

function* linesOf(grants: Iterable<Listed>): Generator<string> {
  let piece: string[] = [];
  for (const grant of grants) {
    piece.push(JSON.stringify(grant));
    if (piece.length < slice) continue;
    yield `${piece.join("\n")}\n`;
    piece = [];
  }
  if (piece.length > 0) yield `${piece.join("\n")}\n`;
}
