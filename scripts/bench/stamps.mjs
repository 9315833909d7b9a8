/** The stamps of log lines, in UTC. */

const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** Gives a function from microseconds since 1970 to the stamp; `bsd` or `rfc3339`. */
export function stamper(format) {
  const seconds = format === "bsd" ? bsd : rfc3339;
  let known = Number.NaN;
  let text = "";
  return (microseconds) => {
    const second = Math.floor(microseconds / 1e6);
    // Many lines share a second.
    if (second !== known) text = seconds(new Date(second * 1000));
    known = second;
    return format === "bsd" ? text : `${text}.${String(microseconds % 1e6).padStart(6, "0")}+00:00`;
  };
}

function bsd(date) {
  const day = String(date.getUTCDate()).padStart(2);
  return `${months[date.getUTCMonth()]} ${day} ${date.toISOString().slice(11, 19)}`;
}

function rfc3339(date) {
  return date.toISOString().slice(0, 19);
}
