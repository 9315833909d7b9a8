/** What `popgate check` says of OpenSMTPD: whether it hears of the table, or whether its configuration names it. */
import { existsSync, readFileSync } from "node:fs";
import { KnownError, reasonOf } from "../errors.ts";
import { announceOnce } from "../maps/announce.ts";
import type { AccessMap } from "../maps/map.ts";
import type { Run } from "../run.ts";
import { fine, note, todo, type Finding } from "./finding.ts";

/** Where Debian, OpenBSD, Fedora and Alpine have it. */
const places = [
  "/etc/smtpd.conf",
  "/etc/mail/smtpd.conf",
  "/etc/opensmtpd/smtpd.conf",
  "/etc/smtpd/smtpd.conf",
];

/** Milliseconds. */
const deadline = 10_000;

/** Has smtpd read the table once more if it must be told of it; otherwise looks into smtpd.conf. Throws no error. */
export async function inspectOpensmtpd(map: AccessMap, run: Run): Promise<Finding> {
  const { announcement, settings } = map;
  if (announcement === undefined) return inspectConfiguration(`${settings.table}.db`);
  try {
    const nobody = await announceOnce(announcement, { run, deadline });
    return nobody === undefined ? fine("smtpd reads it") : note(nobody);
  } catch (error) {
    if (error instanceof KnownError) return todo(error.message);
    throw error;
  }
}

function inspectConfiguration(table: string): Finding {
  const file = places.find((path) => existsSync(path));
  if (file === undefined) return todo(`there is no ${places[0] ?? ""}`);
  try {
    const named = readFileSync(file, "latin1")
      .split(/[\s"]+/)
      .includes(table);
    return named ? fine(`${file} names it`) : todo(`${file} does not name it`);
  } catch (error) {
    return note(`${file}: ${reasonOf(error)}`);
  }
}
