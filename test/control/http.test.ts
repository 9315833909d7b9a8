import { connect, type Socket } from "node:net";
import { expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { ask } from "../../src/control/ask.ts";
import { longestBody, mostConnections, type Handle } from "../../src/control/http.ts";
import { until } from "../until.ts";
import { inside, serve, told } from "./place.ts";

const echo: Handle = async ({ method, path, body }) => ({
  status: 200,
  type: "text/plain",
  body: `${method} ${path} ${body}`,
});

/** One raw connection, and what came of it. */
class Raw {
  readonly socket: Socket;
  text = "";
  closed = false;

  constructor() {
    this.socket = connect(inside("socket"));
    this.socket.on("data", (piece: Buffer) => (this.text += piece.toString()));
    this.socket.on("error", () => {});
    this.socket.on("close", () => (this.closed = true));
  }
}

/** An honest client gets its answer soon, whatever others do. */
async function answered(): Promise<void> {
  const started = performance.now();
  const reply = await ask(inside("socket"), { method: "GET", path: "/x" }, systemClock);
  expect(await reply?.text()).toBe("GET /x ");
  expect(performance.now() - started).toBeLessThan(5000);
}

test("a request is answered, its query put aside", async () => {
  await serve(echo);
  const reply = await ask(
    inside("socket"),
    { method: "POST", path: "/a/b?c", body: { d: 1 } },
    systemClock,
  );
  expect([reply?.ok, await reply?.text()]).toEqual([true, 'POST /a/b {"d":1}']);
});

test.each([
  ["garbage", "\u0000\u0001\u0002 garbage\r\n\r\n"],
  ["a TLS handshake", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000"],
  ["a head that is too long", `GET /${"a".repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
  ["many headers", `GET / HTTP/1.1\r\n${"a: b\r\n".repeat(5000)}\r\n`],
  ["a length that is none", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"],
  ["two lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"],
  ["an upgrade", "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"],
  ["a tunnel", "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n"],
  ["half a head", "GET / HT"],
  ["nothing at all", ""],
  ["half a body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf"],
  ["a head that drips", "GET / HTTP/1.1\r\nX"],
])("%s ends with the connection, and holds nobody up", async (_, text) => {
  await serve(echo);
  const raw = new Raw();
  raw.socket.write(text);
  await answered();
  await until("the end of the connection", () => raw.closed, 9000);
  expect(raw.text).not.toMatch(/^HTTP\/1.1 200/);
  await answered();
});

test("of many requests on one connection the first is answered, and ends it", async () => {
  let handled = 0;
  await serve(async (request) => {
    handled++;
    return echo(request);
  });
  const raw = new Raw();
  raw.socket.write("GET /one HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1000));
  await until("the end of the connection", () => raw.closed);
  expect(handled).toBe(1);
  await answered();
});

test("an answer says that it is the last one", async () => {
  await serve(echo);
  const raw = new Raw();
  raw.socket.write("GET /one HTTP/1.1\r\nHost: x\r\n\r\n");
  await until("the end of the connection", () => raw.closed, 3000);
  expect(raw.text).toMatch(/^HTTP\/1.1 200 /);
  expect(raw.text).toMatch(/^connection: close\r$/im);
  expect(raw.text).toMatch(/GET \/one /);
});

test("10 MB are not read", async () => {
  await serve(echo);
  for (const head of ["Content-Length: 10000000", "Transfer-Encoding: chunked"]) {
    const raw = new Raw();
    raw.socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n`);
    const piece = "a".repeat(longestBody);
    for (let sent = 0; sent < 10_000_000 && !raw.closed; sent += piece.length) {
      const chunk = head.startsWith("T") ? `${piece.length.toString(16)}\r\n${piece}\r\n` : piece;
      if (!raw.socket.write(chunk)) await new Promise((resolve) => void setImmediate(resolve));
    }
    await until("the end of the connection", () => raw.closed);
    expect(raw.socket.bytesWritten).toBeLessThan(5_000_000);
  }
  await answered();
});

test("1,000 connections that say nothing are closed, and an honest client is served", async () => {
  await serve(echo);
  const all = Array.from({ length: 1000 }, () => new Raw());
  await until(
    "most to be turned away",
    () => all.filter(({ closed }) => closed).length >= 1000 - mostConnections,
  );
  await answered();
  await until("all to be closed", () => all.every(({ closed }) => closed), 9000);
});

test("a client that does not take its answer is given up, and the others are served", async () => {
  let given = 0;
  const endless: Handle = async ({ path }) => ({
    status: 200,
    type: "text/plain",
    body:
      path === "/x"
        ? "GET /x "
        : (function* () {
            for (;;) {
              given++;
              yield "a".repeat(10_000);
            }
          })(),
  });
  await serve(endless);
  const raw = new Raw();
  raw.socket.pause();
  raw.socket.write("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
  await until("the answer to begin", () => given > 0);
  await answered();
  await until("the answer to stand still", async () => {
    const before = given;
    await new Promise((resolve) => void setTimeout(resolve, 50));
    return given === before;
  });
  raw.socket.destroy();
  await answered();
});

test("what goes wrong with one request is told, and the next is answered", async () => {
  await serve(async (request) => {
    if (request.path === "/x") return echo(request);
    throw new Error("a thing");
  });
  const reply = await ask(inside("socket"), { method: "GET", path: "/bug" }, systemClock);
  expect([reply?.ok, await reply?.text()]).toEqual([false, "a bug: the log of popgate has more"]);
  expect(told.join("")).toMatch(/^error: a request failed method=GET reason="a thing"\n$/);
  await answered();
});
