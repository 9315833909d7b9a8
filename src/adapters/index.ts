/** All adapters that are on by default, one a daemon. */
import { courier } from "./courier.ts";
import { dovecot } from "./dovecot.ts";

export const adapters = [dovecot, courier] as const;
