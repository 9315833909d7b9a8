/** How many grants each user has, in whatever case the name is written. */
import { accountOf, isSameAccount } from "./names.ts";

/** Counts by user. */
export class Accounts {
  readonly #grants = new Map<string, number>();

  /** How many a user has. */
  of(user: string): number {
    return this.#grants.get(accountOf(user)) ?? 0;
  }

  /** One more. */
  add(user: string): void {
    this.#grants.set(accountOf(user), this.of(user) + 1);
  }

  /** One less. */
  remove(user: string): void {
    const left = this.of(user) - 1;
    if (left > 0) this.#grants.set(accountOf(user), left);
    else this.#grants.delete(accountOf(user));
  }

  /** One goes from a user to another. */
  move(from: string, to: string): void {
    if (isSameAccount(from, to)) return;
    this.remove(from);
    this.add(to);
  }
}
