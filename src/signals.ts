/** What the outside may tell a running popgate. */

/** Signals as words; each function registers what is to be done. */
export interface Signals {
  /** SIGTERM or SIGINT. The second one ends the process at once, without anybody being asked. */
  onStop(callback: () => void): void;
  /** SIGHUP. */
  onReload(callback: () => void): void;
}
