/** Clients for the tests of the maps. */
import { canonicalClient, type Client } from "../../src/client.ts";

/** The one spelling of an address; throws if it is none. */
export function client(text: string): Client {
  const found = canonicalClient(text);
  if (found === undefined) throw new Error(`not an address: ${text}`);
  return found;
}

/** The fixed set that the golden files show: both families, out of order, one twice, one in another spelling. */
export const fixedClients = [
  "203.0.113.7",
  "192.0.2.10",
  "2001:db8::a:2",
  "192.0.2.9",
  "192.0.2.1",
  "2001:DB8:0:0:0:0:A:2",
  "2001:db8:1:2:3:4:5:6",
  "::ffff:198.51.100.20",
  "192.0.2.10",
  "2001:db8:1::",
  "2a00::5",
].map(client);
