/** What reaches the disk when the map tool misbehaves. */
import { rmSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { exit } from "../../src/errors.ts";
import type { behaviours } from "./fake-tool.ts";
import { alice, bench, bob, rejection } from "./writer-bench.ts";

describe("a map tool that", () => {
  const faults: [behaviour: keyof typeof behaviours, code: number, says: RegExp][] = [
    ["fails", exit.tempFail, /No space left on device/],
    ["hangs", exit.tempFail, /longer than 0\.3 s/],
    ["nothing", exit.tempFail, /made no index/],
    ["empty", exit.tempFail, /made no index: an empty file/],
    ["link", exit.tempFail, /made no index/],
    ["drops", exit.tempFail, /line 2: expected format/],
    ["noType", exit.config, /unsupported dictionary type.*postconf -m/],
    ["garbage", exit.tempFail, /exit status 1/],
    ["killed", exit.tempFail, /SIGKILL/],
    ["stray", exit.tempFail, /exit status 1/],
    ["wrongArchitecture", exit.tempFail, /exit status|ENOEXEC|could not be started/],
    ["status65", exit.tempFail, /exit status 65/],
  ];
  test.each(faults)("%s", async (behaviour, code, says) => {
    const { writer, use, files, map } = bench();
    const one = writer();
    await one.write([alice]);
    use(behaviour);
    await expect(one.write([bob])).rejects.toEqual(rejection(code, says));
    await expect(one.write([bob])).rejects.toThrow(`map ${map.name}: `);
    expect(files()).toEqual({ relay: [alice], "relay.db": [alice] });
    use("works");
    expect(await one.write([bob])).toBe("written");
    expect(files()).toEqual({ relay: [bob], "relay.db": [bob] });
  });

  test("is missing", async () => {
    const { writer, files, map, told } = bench();
    await writer().write([alice]);
    rmSync(map.settings.tool ?? "");
    await expect(writer().write([bob])).rejects.toEqual(rejection(exit.config, /no program/));
    expect(files()).toEqual({ relay: [alice], "relay.db": [alice] });
    expect(told).toEqual([]);
  });

  test.each([
    ["postfix", "remarks", /main\.cf, line 3/],
    ["postfix", "warns", /relay, line 2: expected format/],
    ["sendmail", "status65", /duplicate key/],
  ] as const)("%s %s, and has made the right map: taken, and told once", async (mta, how, says) => {
    const { writer, use, files, told } = bench(mta);
    use(how);
    const one = writer();
    expect(await one.write([alice])).toBe("written");
    expect(await one.write([])).toBe("written");
    expect(files()).toEqual({ relay: [], "relay.db": [] });
    expect(told).toEqual([expect.stringMatching(says)]);
  });

  test("says nothing, but lost the transaction that fills an lmdb: not taken", async () => {
    const { writer, use, files } = bench("postfix", "lmdb");
    const one = writer();
    await one.write([alice]);
    use("silent");
    await expect(one.write([bob])).rejects.toEqual(rejection(exit.tempFail, /lacks what it was/));
    expect(files()).toEqual({ relay: [alice], "relay.lmdb": [alice] });
    expect(await one.write([])).toBe("written");
    expect(files()).toEqual({ relay: [], "relay.lmdb": [] });
  });

  test("says nothing and does nothing to an lmdb whose source is not popgate's last: not taken", async () => {
    const { writer, use, files, map } = bench("postfix", "lmdb");
    const one = writer();
    await one.write([alice, bob]);
    rmSync(map.source);
    use("silent");
    await expect(one.write([alice])).rejects.toEqual(rejection(exit.tempFail, /lacks what it was/));
    expect(files()).toEqual({ "relay.lmdb": [alice, bob] });
  });

  test("left out a line and says so with 65: not taken", async () => {
    const { writer, use } = bench("sendmail");
    use("drops65");
    await expect(writer().write([alice])).rejects.toEqual(rejection(exit.tempFail, /no RHS/));
  });
});
