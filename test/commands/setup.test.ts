import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { setup } from "../../src/commands/setup.ts";
import { exit } from "../../src/errors.ts";
import type { Files } from "../../src/survey.ts";
import { GatheringOutside } from "../outside.ts";

const nothing: Files = { read: () => undefined, list: () => [], lines: () => undefined };
let directory: string;
let outside: GatheringOutside;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "popgate-setup-"));
  outside = new GatheringOutside();
});

afterEach(() => rmSync(directory, { recursive: true }));

/** A host with a Postfix that has these restrictions. */
function postfix(relay: string, recipient = ""): void {
  const answers: Readonly<Record<string, string>> = {
    "-h mail_version": "3.7.11",
    "-h default_database_type": "hash",
    "-Px": "",
    "-xh smtpd_relay_restrictions": relay,
    "-xh smtpd_recipient_restrictions": recipient,
    "-xh smtpd_client_restrictions": "",
  };
  outside.run = ([program, ...words]) => {
    const stdout = program === "postconf" ? answers[words.join(" ")] : undefined;
    const missing = program !== "postconf";
    return Promise.resolve({
      ok: stdout !== undefined,
      missing,
      stdout: stdout ?? "",
      stderr: "",
      reason: "",
    });
  };
}

const ask = "permit_auth_destination, check_client_access hash:/var/lib/popgate/relay";

describe("the lines for main.cf", () => {
  test.each([
    [
      "are the host's own, with the table in them",
      "permit_mynetworks, defer_unauth_destination",
      "",
      [`    smtpd_relay_restrictions = permit_mynetworks, ${ask}, defer_unauth_destination`],
    ],
    [
      "are two where the recipient restrictions refuse relaying, too",
      `permit_mynetworks, ${ask}, reject`,
      "permit_mynetworks, reject_unauth_destination",
      [`    smtpd_recipient_restrictions = permit_mynetworks, ${ask}, reject_unauth_destination`],
    ],
    ["are none where all is right", `permit_mynetworks, ${ask}, reject`, "", []],
    [
      "are the general ones where the host's own hold braces",
      "check_client_access { inline:{a=b} }, reject",
      "",
      [
        "    smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, permit_auth_destination,",
        "        check_client_access hash:/var/lib/popgate/relay, reject_unauth_destination",
      ],
    ],
  ])("%s", async (_, relay, recipient, lines) => {
    postfix(relay, recipient);
    expect(await setup({}, outside, nothing)).toBe(exit.ok);
    expect(outside.told.split("\n").filter((line) => line.startsWith("    "))).toEqual(lines);
  });
});

test("without being told to, it writes nothing", async () => {
  postfix("reject");
  await setup({}, outside, nothing);
  expect(outside.printed).toMatch(/^table = "hash:\/var\/lib\/popgate\/relay"$/m);
  expect(outside.told).toMatch(/\nnothing is written; /);
});

test("an object for scripts", async () => {
  postfix("permit_mynetworks, reject");
  await setup({ json: true }, outside, nothing);
  expect(JSON.parse(outside.printed)).toEqual({
    config: expect.stringMatching(/^# popgate's config/),
    mta: "postfix",
    advice: [`smtpd_relay_restrictions = permit_mynetworks, ${ask}, reject`],
    notes: [],
  });
});

describe("writing", () => {
  test("it makes the directory, and says what comes next", async () => {
    postfix("reject");
    const file = join(directory, "etc/popgate.toml");
    await setup({ write: file }, outside, nothing);
    expect(readFileSync(file, "utf8")).toBe(outside.printed);
    expect(statSync(file).mode & 0o777).toBe(0o644);
    expect(outside.told).toContain(
      `${file} is written\nnext: \`popgate withdraw --config ${file}\``,
    );
    await setup({ write: file }, outside, nothing);
    expect(outside.told).toContain(`${file} says so already\n`);
  });

  test("it says what would be lost of a config that is there, and leaves it, unless forced", async () => {
    postfix("reject");
    const file = join(directory, "popgate.toml");
    const former = '# mine\nttl = "30m"\nstate_dir = "/x"\n[guard]\nallow = ["10.0.0.0/8"]\n';
    writeFileSync(file, former);
    await expect(setup({ write: file }, outside, nothing)).rejects.toMatchObject({
      message: `${file} is there; --force replaces it, and these lines of it would be lost:\nstate_dir = "/x"\nallow = ["10.0.0.0/8"]`,
      exitCode: exit.cannotCreate,
    });
    expect(readFileSync(file, "utf8")).toBe(former);
    await setup({ write: file, force: true }, outside, nothing);
    expect(readFileSync(file, "utf8")).toMatch(/^\[\[map\]\]$/m);
    expect(outside.told).toContain('lost: state_dir = "/x"\nlost: allow = ["10.0.0.0/8"]\n');
  });

  test("what keeps it from being written is told", async () => {
    writeFileSync(join(directory, "file"), "");
    const file = join(directory, "file/popgate.toml");
    await expect(setup({ write: file }, outside, nothing)).rejects.toMatchObject({
      message: expect.stringMatching(/popgate\.toml: not a directory|file already exists/),
      exitCode: exit.cannotCreate,
    });
  });
});
