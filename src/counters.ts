/** What the pipeline has come to since popgate started, beside what each of its stages counts. */

/** The daemon counts, and whoever is asked reads. */
export class Counters {
  /** Lines that speak of a login and do not count, by the reason. */
  readonly linesRefused: Record<string, number> = {};
  /** Wall clock, ms since 1970: when the latest login was read. */
  lastLogin: number | undefined;

  lineRefused(reason: string): void {
    this.linesRefused[reason] = (this.linesRefused[reason] ?? 0) + 1;
  }
}
