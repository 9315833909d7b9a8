/** All adapters, one a daemon, and which of them count where the config names none. */
import { isDefault } from "./adapter.ts";
import { courier } from "./courier.ts";
import { cyrus } from "./cyrus.ts";
import { dbmail } from "./dbmail.ts";
import { dovecot } from "./dovecot.ts";
import { dovecotProxy } from "./dovecot-proxy.ts";
import { gnuPop3d } from "./gnu-pop3d.ts";
import { kerio } from "./kerio.ts";
import { mailutils } from "./mailutils.ts";
import { nginx } from "./nginx.ts";
import { perdition } from "./perdition.ts";
import { popa3d } from "./popa3d.ts";
import { qpopper } from "./qpopper.ts";
import { solidPop3d } from "./solid-pop3d.ts";
import { stalwart } from "./stalwart.ts";
import { teapop } from "./teapop.ts";
import { tpop3d } from "./tpop3d.ts";
import { uw } from "./uw.ts";
import { vmPop3d } from "./vm-pop3d.ts";
import { vmPop3dOld } from "./vm-pop3d-old.ts";
import { vpopmail } from "./vpopmail.ts";
import { vpopmailOld } from "./vpopmail-old.ts";
import { zimbra } from "./zimbra.ts";

export const adapters = [
  dovecot,
  dovecotProxy,
  courier,
  cyrus,
  uw,
  mailutils,
  perdition,
  nginx,
  stalwart,
  zimbra,
  kerio,
  dbmail,
  vpopmail,
  vpopmailOld,
  qpopper,
  popa3d,
  solidPop3d,
  teapop,
  tpop3d,
  vmPop3d,
  vmPop3dOld,
  gnuPop3d,
] as const;

/** Those with a proof, on every mail host: nobody else's line fits them. */
export const defaultAdapters = adapters.filter(isDefault);
