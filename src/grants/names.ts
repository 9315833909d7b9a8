/** The names of users, as the guard compares them. */

/** A set of users. */
export interface Names {
  has(user: string): boolean;
}

/**
 * Gives the one name under which a user's logins are counted and looked up. The case of letters does not matter: Dovecot's
 * `auth_username_format` folds it by default, other servers log a name as it was typed, and whoever has stolen a password
 * would otherwise have as many names as there are ways to write one.
 */
export function accountOf(user: string): string {
  return user.toLowerCase();
}

/** Whether two names are one user's. */
export function isSameAccount(user: string, other: string): boolean {
  return user === other || accountOf(user) === accountOf(other);
}

/**
 * Takes names of users in any case, in which one `*` stands for any characters.
 * @throws RangeError that names the first one that is none, and what would be right
 */
export function names(texts: readonly string[]): Names {
  const whole = new Set<string>();
  const ends: (readonly [string, string])[] = [];
  for (const text of texts) {
    const [start = "", end, ...more] = accountOf(text).split("*");
    if (text === "" || more.length > 0 || /[\p{Cc}\p{Zl}\p{Zp}]/u.test(text)) {
      throw new RangeError(
        `"${text}" is not a user's name; write it as ann, ann@example.com, or with one * as *@example.com`,
      );
    }
    if (end === undefined) whole.add(start);
    else ends.push([start, end]);
  }
  if (ends.some(([start, end]) => start === "" && end === "")) return { has: () => true };
  if (whole.size === 0 && ends.length === 0) return { has: () => false };
  return {
    has(user) {
      const account = accountOf(user);
      if (whole.has(account)) return true;
      return ends.some(
        ([start, end]) =>
          account.length >= start.length + end.length &&
          account.startsWith(start) &&
          account.endsWith(end),
      );
    },
  };
}
