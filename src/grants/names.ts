/** The names of users, as the guard compares them. */

/**
 * Gives the one name under which a user's logins are counted and looked up. The case of letters does not matter: Dovecot's
 * `auth_username_format` folds it by default, other servers log a name as it was typed, and whoever has stolen a password
 * would otherwise have as many names as there are ways to write one.
 */
export function accountOf(user: string): string {
  return user.toLowerCase();
}
