import {
  chmodSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { ask } from "../../src/control/ask.ts";
import type { Handle } from "../../src/control/http.ts";
import { KnownError } from "../../src/errors.ts";
import { inside, serve } from "./place.ts";

const says =
  (body: string): Handle =>
  async () => ({ status: 200, type: "text/plain", body });

async function asked(path = inside("socket")): Promise<string | undefined> {
  return (await ask(path, { method: "GET", path: "/" }, systemClock))?.text();
}

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

test.each([0o022, 0o077, 0])(
  "its mode is 0600 whatever the umask, and nothing else is left",
  async (mask) => {
    const before = process.umask(mask);
    try {
      await serve(says("one"));
    } finally {
      process.umask(before);
    }
    expect(modeOf(inside("socket"))).toBe("600");
    expect(readdirSync(dirname(inside("socket")))).toEqual(["socket"]);
    expect(await asked()).toBe("one");
  },
);

test("a group, by name or number, may open it", async () => {
  await serve(says("one"), inside("socket"), "daemon");
  expect([modeOf(inside("socket")), statSync(inside("socket")).gid]).toEqual(["660", 1]);
  await serve(says("two"), inside("other"), "2");
  expect(statSync(inside("other")).gid).toBe(2);
  await expect(serve(says("three"), inside("third"), "no-such-group")).rejects.toThrow(
    /there is no group "no-such-group"/,
  );
});

test("what a dead popgate left is replaced, and its end removes it", async () => {
  // A server that is closed would take its socket with it.
  const dead = createServer();
  await new Promise<void>((resolve) => void dead.listen(inside("elsewhere"), resolve));
  renameSync(inside("elsewhere"), inside("socket"));
  await new Promise((resolve) => void dead.close(resolve));
  expect(existsSync(inside("socket"))).toBe(true);
  expect(await asked()).toBeUndefined();
  const end = await serve(says("one"));
  expect(await asked()).toBe("one");
  await end();
  expect(existsSync(inside("socket"))).toBe(false);
  expect(await asked()).toBeUndefined();
});

test("that of one that lives is never taken", async () => {
  await serve(says("one"));
  await expect(serve(says("two"))).rejects.toThrow(/another popgate listens there/);
  expect(await asked()).toBe("one");
});

test("nor is a file that is none", async () => {
  writeFileSync(inside("socket"), "the admin's own\n");
  await expect(serve(says("one"))).rejects.toThrow(/something else stands there/);
});

test("nor does it stand where others can write", async () => {
  mkdirSync(inside("open"));
  chmodSync(inside("open"), 0o777);
  await expect(serve(says("one"), inside("open/socket"))).rejects.toThrow(KnownError);
});

test("nor is anybody believed who answers there", async () => {
  mkdirSync(inside("open"));
  await serve(says("one"), inside("open/socket"));
  expect(await asked(inside("open/socket"))).toBe("one");
  for (const mode of [0o777, 0o1777, 0o720]) {
    chmodSync(inside("open"), mode);
    await expect(asked(inside("open/socket"))).rejects.toThrow(
      /does not answer: others can write to .*open: whoever answers there may be anybody/,
    );
  }
});

test("nor where somebody else says by a link where it is, or can move it away", async () => {
  mkdirSync(inside("kept"));
  await serve(says("one"), inside("kept/socket"));
  symlinkSync(inside("kept"), inside("link"));
  expect(await asked(inside("link/socket"))).toBe("one");
  lchownSync(inside("link"), 65_534, 65_534);
  await expect(asked(inside("link/socket"))).rejects.toThrow(
    /does not answer: user 65534 says where .*link is: /,
  );
  chmodSync(inside("."), 0o777);
  await expect(asked(inside("kept/socket"))).rejects.toThrow(/others can replace .*kept/);
});

test("its path may be longer than the kernel takes", async () => {
  const deep = inside("d".repeat(150));
  mkdirSync(deep);
  await serve(says("far"), `${deep}/socket`);
  expect(await asked(`${deep}/socket`)).toBe("far");
});

test("where no directory is nobody answers", async () => {
  expect(await asked(inside("none/socket"))).toBeUndefined();
});

test("nor where a link leads that others can exchange, or have made", async () => {
  mkdirSync(inside("own"));
  mkdirSync(inside("open"));
  symlinkSync(inside("own"), inside("open/link"));
  symlinkSync("open/link/../own", inside("far"));
  const serveAt = (path: string) => serve(says("one"), inside(path));
  chmodSync(inside("open"), 0o777);
  await expect(serveAt("open/link/socket")).rejects.toThrow(/others can replace .*open\/link/);
  await expect(serveAt("far/socket")).rejects.toThrow(/others can replace .*far/);
  chmodSync(inside("open"), 0o1777);
  await (
    await serveAt("open/link/socket")
  )();
  await (
    await serveAt("far/socket")
  )();
  lchownSync(inside("open/link"), 65_534, 65_534);
  await expect(serveAt("open/link/socket")).rejects.toThrow(
    /user 65534 says where .* is: the link .*open\/link is his/,
  );
});

test.each(["a file", "another's socket"])("%s in its place stays when it ends", async (what) => {
  const end = await serve(says("one"));
  rmSync(inside("socket"));
  if (what === "a file") writeFileSync(inside("socket"), "the admin's own\n");
  else await serve(says("two"));
  await expect(end()).rejects.toThrow(/something else stands at .*socket by now/);
  if (what === "a file") expect(readFileSync(inside("socket"), "utf8")).toBe("the admin's own\n");
  else expect(await asked()).toBe("two");
  rmSync(inside("socket"));
});
