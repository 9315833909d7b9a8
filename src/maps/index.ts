/** The MTAs that popgate writes maps for. */
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
  return makers[settings.mta](settings);
}
