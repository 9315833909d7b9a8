/** The MTAs that popgate writes maps for. */
import { ConfigError } from "../errors.ts";
import { eximMap } from "./exim.ts";
import { opensmtpdMap } from "./opensmtpd.ts";
import { postfixMap } from "./postfix.ts";
import { sendmailMap } from "./sendmail.ts";
import type { AccessMap, MapSettings, Mta } from "./map.ts";

const makers: Readonly<Record<Mta, (settings: MapSettings) => AccessMap>> = {
  postfix: postfixMap,
  sendmail: sendmailMap,
  exim: eximMap,
  opensmtpd: opensmtpdMap,
};

/** Their names, as the config has them. */
export const mtas: readonly string[] = Object.keys(makers);

/**
 * Gives the map of these settings.
 * @throws ConfigError with every fault of the settings, each with the table's name and what would be right
 */
export function createMap(settings: MapSettings): AccessMap {
  const { mta, table } = settings;
  // What a later popgate wrote into the state may be something else.
  if (Object.hasOwn(makers, mta)) return makers[mta](settings);
  throw new ConfigError([`map "${table}": mta is "${mta}"; it may be ${mtas.join(", ")}`]);
}
