/** Strangers choose user names and the names of programs; none of their characters reaches a terminal raw. */
export function shown(text: string): string {
  return text.replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, "?");
}
